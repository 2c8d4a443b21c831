package main

import "strings"

// style is how a piece of text looks. What it means is in the text as well.
type style uint8

const (
	plain style = iota
	strong
	faint
	good
	warn
	bad
	bar // the row that the keys act on, and headings
)

// span is a piece of text of one style. Its text is safe.
type span struct {
	style style
	text  string
}

// line is a line of the screen, from the left.
type line []span

func (l *line) add(s style, text string) { *l = append(*l, span{s, text}) }

func (l line) width() (w int) {
	for _, s := range l {
		w += cells(s.text)
	}
	return w
}

// fit cuts the line to w columns.
func (l line) fit(w int) line {
	var fitting line
	for _, s := range l {
		if w <= 0 {
			break
		}
		s.text = clip(s.text, w)
		w -= cells(s.text)
		fitting = append(fitting, s)
	}
	return fitting
}

// join puts fields beside each other, as many as there is room for in w columns.
func join(w int, fields ...line) line {
	joined := fields[0].fit(w)
	for _, f := range fields[1:] {
		if joined.width()+2+f.width() > w {
			break
		}
		joined = append(append(joined, span{plain, "  "}), f...)
	}
	return joined
}

// whole is the line at its full width in one style.
func (l line) whole(w int, s style) line {
	return line{{s, pad(l.fit(w).String(), w, false)}}
}

// String is the text of the line.
func (l line) String() string {
	var b strings.Builder
	for _, s := range l {
		b.WriteString(s.text)
	}
	return b.String()
}
