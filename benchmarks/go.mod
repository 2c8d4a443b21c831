module tinyactor/benchmarks

go 1.26

require tinyactor v0.0.0

replace tinyactor => ..
