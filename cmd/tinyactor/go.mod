module tinyactor/cmd/tinyactor

go 1.26.0

require (
	github.com/clipperhouse/displaywidth v0.11.0
	github.com/gdamore/tcell/v3 v3.6.0
	golang.org/x/sys v0.48.0
	golang.org/x/term v0.46.0
	tinyactor v0.0.0
)

require (
	github.com/clipperhouse/uax29/v2 v2.7.0 // indirect
	github.com/gdamore/encoding v1.0.1 // indirect
	github.com/lucasb-eyer/go-colorful v1.4.1 // indirect
	golang.org/x/text v0.42.0 // indirect
)

replace tinyactor => ../..
