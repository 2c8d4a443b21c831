module tinyactor

go 1.26
