package main

import (
	"fmt"
	"io"
	"strings"

	"tinyactor/observer"
)

// summary is what is said of the program as a whole, in three lines.
func (l *look) summary(w int) []line {
	p, t := l.Program, l.Totals
	field := func(s style, name, value string) line { return line{{faint, name + " "}, {s, value}} }
	return []line{
		join(w,
			line{{strong, safe(p.Name)}},
			field(plain, "pid", fmt.Sprint(p.PID)),
			field(plain, "on", safe(p.Host)),
			field(plain, "up", short(l.Time.Sub(p.Started))),
			field(plain, "goroutines", count(p.Goroutines)),
			field(plain, "heap", size(p.Heap)),
			field(plain, "go", safe(strings.TrimPrefix(p.Go, "go")))),
		join(w,
			field(plain, "actors", count(t.Actors)),
			field(plain, "busy", count(t.Busy)+"/"+count(t.Processes)),
			field(plain, "queued", count(t.Length)),
			field(plain, "msg/s", rate(t.Rate.Received)),
			field(styleIf(t.Waiting > 0, warn), "waiting", count(t.Waiting)),
			field(styleIf(t.Stuck > 0, bad), "stuck", count(t.Stuck))),
		join(w,
			field(plain, "accepted", count(t.Accepted)),
			field(plain, "received", count(t.Received)),
			field(styleIf(t.Undelivered > 0, warn), "undelivered", count(t.Undelivered)),
			field(styleIf(t.Restarts > 0, warn), "restarts", count(t.Restarts)),
			field(styleIf(t.Panics > 0, bad), "panics", count(t.Panics))),
	}
}

// size writes a number of bytes.
func size(n uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	for n >= 10_000 && len(units) > 1 {
		n, units = n/1024, units[1:]
	}
	return fmt.Sprint(n) + units[0]
}

// deadlock is one line, however long.
func (l *look) deadlock(d observer.Deadlock) string {
	return "DEADLOCK for " + short(l.since(&d.Since)) + ": " + safe(d.Text)
}

// heading is the line above the table. It marks the column that orders the rows.
func heading(a arrangement, chosen []column, names int) line {
	mark := func(name string) string {
		switch {
		case a.order != name:
			return ""
		case a.reverse:
			return "▴"
		}
		return "▾"
	}
	title := "NAME"
	if a.flat {
		title = "PATH"
	}
	h := line{{strong, pad(clip(title+mark(byName), names), names, false)}}
	for _, c := range chosen {
		if c.left {
			h.add(strong, " "+pad(c.title+mark(c.name), c.width, false))
		} else {
			h.add(strong, pad(mark(c.name)+c.title, c.width+1, true)) // the mark may take the space between
		}
	}
	return h
}

// fields are a row behind its name.
func (l *look) fields(r row, chosen []column) line {
	var fields line
	for _, c := range chosen {
		s := plain
		if c.style != nil {
			s = c.style(l, r.Actor)
		}
		text := clip(c.text(l, r.Actor), c.width)
		fields.add(plain, " ")
		fields.add(s, pad(text, c.width, !c.left))
	}
	return fields
}

// print writes the snapshot as plain text that is w columns wide, unless a
// deadlock takes more.
func (l *look) print(out io.Writer, a arrangement, w int) {
	for _, s := range l.summary(w) {
		fmt.Fprintln(out, s)
	}
	for _, d := range l.Deadlocks {
		for _, s := range wrap(l.deadlock(d), w) {
			fmt.Fprintln(out, s)
		}
	}
	rows := l.rows(a)
	chosen, room := fit(w, a.order)
	names := len("NAME")
	for _, r := range rows {
		names = max(names, 2*r.depth+cells(r.label(a.flat, room)))
	}
	names = min(names, room)
	fmt.Fprintln(out)
	fmt.Fprintln(out, strings.TrimRight(heading(arrangement{flat: a.flat}, chosen, names).String(), " "))
	for _, r := range rows {
		indent := min(2*r.depth, names/2)
		name := strings.Repeat(" ", indent) + r.label(a.flat, names-indent)
		fmt.Fprintln(out, strings.TrimRight(pad(name, names, false)+l.fields(r, chosen).String(), " "))
	}
	switch rest := len(l.Actors) - len(rows); {
	case len(l.Actors) == 0:
		fmt.Fprintln(out, "(no actor is watched: spawn below the context that Observer.Watch returns)")
	case rest > 0:
		fmt.Fprintf(out, "(and %d more)\n", rest)
	}
}
