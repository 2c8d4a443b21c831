package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"

	"tinyactor/benchmarks/internal/contest"
)

// pictured are the panels of the picture, four a line.
var pictured = []string{
	"tell", "fan-in-2", "fan-in-8", "fan-in-64",
	"fan-in-1000", "send-all", "ping-pong", "ring",
	"tell-bounded", "fan-in-8-bounded", "fan-in-64-bounded", "fan-in-1000-bounded",
	"many-to-many", "pool-4", "ask-1", "ask-64",
	"spawn", "idle-100k", "longest-send", "longest-send-bounded",
	"tell-1p", "fan-in-64-1p", "tell-4p", "fan-in-64-4p",
}

// Measures of the picture, in pixels.
const (
	panelWidth  = 250
	panelHead   = 24
	panelGap    = 14
	barHeight   = 11
	barStep     = 15
	nameWidth   = 82
	valueWidth  = 34
	barsWidth   = panelWidth - nameWidth - valueWidth - 16
	longestBar  = 3 // times the baseline; what is longer is cut off
	margin      = 12
	titleHeight = 46
	inLine      = 4

	dark = "#1c2733"
)

var (
	panelHeight = panelHead + barStep*len(shown) + panelGap
	colours     = map[string]string{
		"tinyactor": "#0b61a4", "chan-raw": "#8a8f98", "chan-select": "#8a8f98", "mutex+cond": "#8a8f98",
		"phony": "#d9a441", "protoactor-go": "#d9a441",
	}
)

// SVG draws, for each workload, how many times the channel's time each
// contestant needs.
func (d *Document) SVG(out io.Writer) error {
	var panels []string
	for _, name := range pictured {
		if d.Cell(name, "tinyactor") != nil {
			panels = append(panels, name)
		}
	}
	lines := (len(panels) + inLine - 1) / inLine
	width, height := 2*margin+inLine*panelWidth, titleHeight+lines*panelHeight+margin
	b := &bytes.Buffer{}
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif">`+"\n", width, height, width, height)
	fmt.Fprintf(b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", width, height)
	text(b, margin, 20, 14, "start", dark, "bold", "As a multiple of a Go channel: shorter is better")
	text(b, margin, 37, 10.5, "start", "#5b6570", "normal",
		"The line is the channel, 1; what is more than 3 is cut off. "+d.Machine)
	for i, name := range panels {
		d.panel(b, name, margin+i%inLine*panelWidth, titleHeight+i/inLine*panelHeight)
	}
	b.WriteString("</svg>\n")
	_, err := out.Write(b.Bytes())
	return err
}

// panel draws a workload's bars.
func (d *Document) panel(b *bytes.Buffer, name string, x, y int) {
	text(b, x, y+14, 11, "start", dark, "bold", contest.Find(name).Title)
	left, top := x+nameWidth, y+panelHead-2
	var ratios []float64
	var names []string
	for _, contestant := range shown {
		c := contestant
		if d.Cell(name, c) == nil {
			c += "-16"
		}
		if ratio, ok := d.Ratio(name, c, d.baseline(name, "chan-raw")); ok {
			bar(b, left, top+len(ratios)*barStep, contestant, ratio)
			ratios, names = append(ratios, ratio), append(names, contestant)
		}
	}
	one := left + barsWidth/longestBar
	fmt.Fprintf(b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="%s"/>`+"\n", one, top-2, one, top+len(ratios)*barStep-2, dark)
	for i, ratio := range ratios { // over the line
		caption(b, left, top+i*barStep+9, names[i], ratio)
	}
}

// bar draws a contestant's bar.
func bar(b *bytes.Buffer, left, y int, contestant string, ratio float64) {
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", left, y, barLength(ratio), barHeight, colours[contestant])
	if ratio > longestBar { // a white stroke through the end says that it goes on
		fmt.Fprintf(b, `<path d="M%d %d l4 %d" stroke="#ffffff" stroke-width="2"/>`+"\n", left+barsWidth-9, y+barHeight+1, -barHeight-2)
	}
}

func barLength(ratio float64) float64 { return min(ratio, longestBar) / longestBar * barsWidth }

// caption writes a contestant's name and its figure.
func caption(b *bytes.Buffer, left, y int, contestant string, ratio float64) {
	weight := "normal"
	if contestant == "tinyactor" {
		weight = "bold"
	}
	text(b, left-5, y, 10, "end", dark, weight, contestant)
	text(b, left+int(barLength(ratio))+4, y, 10, "start", dark, weight, number(ratio))
}

// text writes with a white seam, so that it can be read above a line.
func text(b *bytes.Buffer, x, y int, size float64, anchor, colour, weight, s string) {
	fmt.Fprintf(b, `<text x="%d" y="%d" font-size="%g" text-anchor="%s" fill="%s" font-weight="%s" stroke="#ffffff" stroke-width="3" paint-order="stroke">`, x, y, size, anchor, colour, weight)
	_ = xml.EscapeText(b, []byte(s)) // a Buffer takes everything
	b.WriteString("</text>\n")
}
