package main

import (
	"fmt"
	"strings"
	"time"
)

// The heights from which on there is room for more than the table.
const (
	roomForSummary = 14
	roomForTitle   = 7
	roomForBoth    = 8 // of the table and the pane together
	mostDeadlocks  = 4 // lines
)

// lateAfter is how long an answer may take before the screen says that what it
// shows is old.
const lateAfter = 3 * time.Second

// header is what stands above the table.
func (v *view) header() []line {
	if v.look == nil || v.h < roomForTitle {
		return nil
	}
	clock := v.look.Time.Format(time.TimeOnly)
	if v.paused {
		clock = "PAUSED " + clock
	}
	lines := v.look.summary(v.w)
	first := v.look.summary(v.w - len(clock) - 2)[0]
	first.add(plain, strings.Repeat(" ", max(0, v.w-first.width()-len(clock))))
	first.add(strong, clock)
	lines[0] = first
	if v.h < roomForSummary {
		lines = lines[:1]
	}
	lines = append(lines, v.deadlocks()...)
	if v.h >= roomForSummary {
		lines = append(lines, nil)
	}
	return lines
}

// deadlocks tells of as many as there is room for.
func (v *view) deadlocks() []line {
	var lines []line
	for i, d := range v.look.Deadlocks {
		wrapped := wrap(v.look.deadlock(d), v.w)
		if len(lines)+len(wrapped) > mostDeadlocks || v.h < roomForSummary {
			more := ""
			if i > 0 {
				more = " more"
			}
			return append(lines, line{{bad, "DEADLOCK"}, {plain, fmt.Sprintf(": %d%s", len(v.look.Deadlocks)-i, more)}})
		}
		for n, text := range wrapped {
			l := line{{plain, text}}
			if rest, ok := strings.CutPrefix(text, "DEADLOCK"); ok && n == 0 {
				l = line{{bad, "DEADLOCK"}, {plain, rest}}
			}
			lines = append(lines, l)
		}
	}
	return lines
}

// footer is what stands at the bottom: a fault, the query, or what keys do.
func (v *view) footer() []line {
	switch {
	case v.h < 2:
		return nil
	case v.fault != "":
		return v.disconnected()
	case v.typing:
		return []line{{{strong, "/" + safe(v.query)}, {bar, " "}, {faint, fmt.Sprintf("  %d found; Enter keeps, Esc clears", v.found)}}}
	}
	position := fmt.Sprintf("%d/%d", min(v.cursor+1, len(v.rows)), len(v.rows))
	f := line{{strong, position}}
	if silence := v.now.Sub(v.since); silence >= v.every+lateAfter {
		f.add(warn, "  no answer for "+silence.Truncate(time.Second).String())
	}
	if v.limit > 0 && v.look != nil && len(v.look.Actors) > v.limit {
		f.add(warn, fmt.Sprintf(" of %d", len(v.look.Actors)))
	}
	if v.query != "" {
		f.add(warn, fmt.Sprintf("  /%s: %d found, Esc clears", safe(v.query), v.found))
	}
	for _, k := range hints {
		hint := line{{plain, "  "}, {strong, k[0]}, {faint, " " + k[1]}}
		if f.width()+hint.width() > v.w {
			break
		}
		f = append(f, hint...)
	}
	return []line{f}
}

// hints are the keys at the bottom, most important first.
var hints = [][2]string{
	{"q", "quit"}, {"?", "help"}, {"↑↓", "move"}, {"Enter", "details"}, {"/", "search"}, {"s", "sort"}, {"←→", "fold"},
	{"t", "tree"}, {"e", "events"}, {"p", "pause"}, {"r", "reverse"},
}

// disconnected says why there is nothing new, in up to three lines.
func (v *view) disconnected() []line {
	most := 3
	if v.h < roomForSummary {
		most = 1
	}
	var lines []line
	for _, text := range wrapTo(most, "DISCONNECTED for "+v.now.Sub(v.since).Truncate(time.Second).String()+": "+v.fault, v.w) {
		lines = append(lines, line{{bad, text}}.whole(v.w, bad))
	}
	return lines
}

// body returns how many lines there are for the table with its heading, and how
// many for the pane's text.
func (v *view) body() (table, text int) {
	body := max(0, v.h-len(v.header())-len(v.footer()))
	switch {
	case v.pane == noPane:
		return body, 0
	case body < roomForBoth:
		return 0, max(0, body-1)
	}
	table = min(body/2, max(1, len(v.rows))+1)
	return table, body - table - 1
}

// page is how many rows of the table are on the screen.
func (v *view) page() int {
	table, _ := v.body()
	return max(0, table-1)
}

// render returns the screen, line by line; what is missing is empty.
func (v *view) render() []line {
	lines := v.header()
	if v.help {
		lines = v.helpText()
	} else if v.look != nil {
		table, text := v.body()
		if table > 0 {
			lines = append(lines, v.table(table)...)
		}
		if v.pane != noPane {
			lines = append(lines, v.paneTitle())
			all := v.paneLines()
			for i := v.paneTop; i < min(v.paneTop+text, len(all)); i++ {
				lines = append(lines, all[i])
			}
		}
	}
	footer := v.footer()
	body := max(0, v.h-len(footer))
	for len(lines) < body {
		lines = append(lines, nil)
	}
	lines = append(lines[:body], footer...)
	for i := range lines {
		lines[i] = lines[i].fit(v.w)
	}
	return lines
}

// table returns size lines.
func (v *view) table(size int) []line {
	chosen, names := fit(v.w, v.order)
	lines := []line{heading(v.arrangement, chosen, names)}
	for i := v.top; i < len(v.rows) && len(lines) < size; i++ {
		r := v.rows[i]
		name := r.name(v.flat, names)
		l := append(line{{styleIf(v.isMatch(r), strong), name}}, v.look.fields(r, chosen)...)
		if i == v.cursor && !v.paneKeys {
			l = l.whole(v.w, bar)
		}
		lines = append(lines, l)
	}
	switch {
	case len(v.rows) > 0:
	case v.query != "":
		lines = append(lines, line{{faint, "nothing matches: Esc clears the search"}})
	default:
		lines = append(lines, line{{faint, "no actor is watched: spawn below the context that Observer.Watch returns"}})
	}
	for len(lines) < size {
		lines = append(lines, nil)
	}
	return lines[:size]
}

func (v *view) isMatch(r row) bool { return v.query != "" && v.matches(v.look, r.Actor) }

// name is the first column of the live view: with what folds.
func (r row) name(flat bool, w int) string {
	if flat {
		return pad(r.label(flat, w), w, false)
	}
	mark := "  "
	switch {
	case r.folded:
		mark = "▸ "
	case r.parent:
		mark = "▾ "
	}
	indent := min(2*r.depth, w/2)
	return pad(strings.Repeat(" ", indent)+mark+r.label(flat, w-indent-2), w, false)
}

// paneTitle is the line above the pane's text.
func (v *view) paneTitle() line {
	title := "events"
	if v.pane == detailPane {
		title = "details"
		if a := v.actor(); a != nil {
			title = safe(a.Path)
		}
	}
	hint := " Tab, then ↑↓ "
	if v.paneKeys {
		hint = " ↑↓ scroll, Tab "
	}
	if _, size := v.body(); len(v.paneLines()) <= size || v.w < 40 {
		hint = ""
	}
	left := "── " + clipLeft(title, v.w-4-cells(hint)) + " "
	s := strong
	if v.paneKeys {
		s = bar
	}
	return line{{s, left + strings.Repeat("─", max(0, v.w-cells(left)-cells(hint))) + hint}}
}

// paneLines is the pane's text, broken to the width of the screen.
func (v *view) paneLines() []line {
	var lines []line
	switch a := v.actor(); {
	case v.look == nil || v.pane == noPane:
	case v.pane == eventPane:
		return v.look.log()
	case a == nil:
		lines = []line{{{faint, "no actor is selected"}}}
	default:
		for _, l := range v.look.details(a) {
			lines = append(lines, l.broken(v.w)...)
		}
	}
	return lines
}

// broken breaks a line that is too long; what goes on is indented.
func (l line) broken(w int) []line {
	if l.width() <= w || w < 20 {
		return []line{l}
	}
	// Only the last piece of a line is long.
	last := len(l) - 1
	lead := l[:last].width()
	if lead > w-8 {
		return []line{l}
	}
	var lines []line
	for i, text := range wrap(l[last].text, w-lead) {
		if i == 0 {
			lines = append(lines, append(l[:last:last], span{l[last].style, text}))
		} else {
			lines = append(lines, line{{l[last].style, strings.Repeat(" ", lead) + text}})
		}
	}
	return lines
}

// keys is what help says.
var keys = [][2]string{
	{"↑ ↓ k j", "move; PgUp PgDn, Home End or g G move further"},
	{"← →  h l", "fold what is below, go to the parent; and back"},
	{"Space - +", "fold or unfold one, fold all, unfold all"},
	{"Enter e", "details of the actor; events, the latest first; away with them"},
	{"Tab", "↑ ↓ scroll the details or events, and back"},
	{"/", "search in paths, message types, states and kinds"},
	{"Esc", "close the details, then clear the search"},
	{"s S r", "sort by the next column, by the one before; reverse"},
	{"t p", "tree or list; pause, so that the picture stands still"},
	{"Ctrl-L q", "draw anew; quit"},
}

// helpText is the screen that says what keys do and columns mean.
func (v *view) helpText() []line {
	lines := []line{{{strong, "tinyactor top " + v.address}, {faint, "  any key goes back"}}}
	add := func(name, help string) {
		lines = append(lines, line{{strong, pad(name, 11, false)}, {plain, help}})
	}
	for _, k := range keys {
		add(k[0], k[1])
	}
	for _, c := range columns {
		add(c.title, c.help)
	}
	return lines
}
