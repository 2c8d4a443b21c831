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
	"fan-in-1000", "tell-bounded", "fan-in-8-bounded", "fan-in-64-bounded",
	"send-all", "ping-pong", "ring", "many-to-many",
	"pool-4", "ask-1", "ask-64", "ask-timeout-1",
	"spawn", "idle-100k", "longest-send-bounded", "longest-send",
	"tell-1p", "fan-in-64-1p", "tell-4p", "fan-in-64-4p",
}

// Measures of the picture, in pixels.
const (
	panelWidth  = 240
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
	text(b, margin, 20, 14, "start", "#1c2733", "bold", "As a multiple of a Go channel: shorter is better")
	text(b, margin, 37, 10.5, "start", "#5b6570", "normal",
		"The line is the channel, 1. What takes more than 3 times as long is cut off. "+d.Machine)
	for i, name := range panels {
		d.panel(b, name, margin+i%inLine*panelWidth, titleHeight+i/inLine*panelHeight)
	}
	b.WriteString("</svg>\n")
	_, err := out.Write(b.Bytes())
	return err
}

// panel draws a workload's bars.
func (d *Document) panel(b *bytes.Buffer, name string, x, y int) {
	against := d.baseline(name, "chan-raw")
	title := contest.Find(name).Title
	if d.Cell(name, against) == nil {
		against = "chan-select"
		title += " (1 = chan-select)"
	}
	text(b, x, y+14, 11.5, "start", "#1c2733", "bold", title)
	left, top := x+nameWidth, y+panelHead-2
	bars := 0
	for _, contestant := range shown {
		label, c := contestant, contestant
		if d.Cell(name, c) == nil {
			c += "-16"
		}
		ratio, ok := d.Ratio(name, c, against)
		if !ok {
			continue
		}
		bar(b, left, top+bars*barStep, label, ratio)
		bars++
	}
	one := left + barsWidth/longestBar
	fmt.Fprintf(b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#1c2733" stroke-width="1"/>`+"\n", one, top-1, one, top+bars*barStep-2)
}

// bar draws a contestant's bar, with its name and its figure.
func bar(b *bytes.Buffer, left, y int, contestant string, ratio float64) {
	weight := "normal"
	if contestant == "tinyactor" {
		weight = "bold"
	}
	w := min(ratio, longestBar) / longestBar * barsWidth
	text(b, left-5, y+9, 10, "end", "#1c2733", weight, contestant)
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", left, y, w, barHeight, colours[contestant])
	if ratio > longestBar { // a white stroke through the end says that it goes on
		fmt.Fprintf(b, `<path d="M%.1f %d l4 %d" stroke="#ffffff" stroke-width="2"/>`+"\n", float64(left)+barsWidth-9, y+barHeight+1, -barHeight-2)
	}
	text(b, left+int(w)+4, y+9, 10, "start", "#1c2733", weight, number(ratio))
}

func text(b *bytes.Buffer, x, y int, size float64, anchor, colour, weight, s string) {
	fmt.Fprintf(b, `<text x="%d" y="%d" font-size="%g" text-anchor="%s" fill="%s" font-weight="%s">`, x, y, size, anchor, colour, weight)
	_ = xml.EscapeText(b, []byte(s)) // a Buffer takes everything
	b.WriteString("</text>\n")
}
