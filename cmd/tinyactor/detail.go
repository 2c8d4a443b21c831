package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tinyactor/observer"
)

// details is all that the snapshot has about one actor.
func (l *look) details(a *observer.Actor) []line {
	d := details{look: l}
	d.add("id", fmt.Sprintf("%d, %s of %s", a.ID, safe(string(a.Kind)), safe(a.Message)))
	d.styled("state", stateStyle(l.state(a)), safe(string(a.State))+d.inCycle(a))
	d.add("age", l.age(&a.Since))
	if a.Parent != 0 {
		d.add("parent", l.path(a.Parent))
	}
	if a.Strategy != "" {
		d.add("strategy", safe(a.Strategy))
	}
	p := a.Processes
	d.add("processes", fmt.Sprintf("%d, %d busy, %d stuck", p.Total, p.Busy, p.Stuck))
	d.styled("queue", queueStyle(a.Queue), fmt.Sprint(a.Queue.Length), fmt.Sprintf(", highest %d, %s", a.Queue.High, safe(a.Queue.Capacity)))
	d.add("messages", fmt.Sprintf("%d accepted, %d received, %d undelivered", a.Accepted, a.Received, a.Undelivered))
	d.add("per second", fmt.Sprintf("%s accepted, %s received, %s undelivered", rate(a.Rate.Accepted), rate(a.Rate.Received), rate(a.Rate.Undelivered)))
	d.add("in queue", latency(a.InQueue))
	d.add("handling", latency(a.Handling))
	if a.HandSince != nil {
		d.add("in hand", "a message for "+l.age(a.HandSince))
	}
	for _, w := range l.Waits {
		if w.From == a.ID && w.From != 0 {
			d.styled("waits", warn, "for "+safe(w.For), fmt.Sprintf(" of %s, process %d, for %s", l.path(w.To), w.Process, l.age(&w.Since)))
		}
	}
	if w := a.Waiting; w != nil {
		var from []string
		for _, path := range w.From {
			from = append(from, safe(path))
		}
		d.styled("waited for", warn, "by "+fmt.Sprint(w.Count), fmt.Sprintf(", longest %s: %s", l.age(&w.Since), strings.Join(from, ", ")))
	}
	d.restarts(a.Restarts)
	if e := a.Exit; e != nil {
		reason := "in order"
		if e.Reason != "" {
			reason = safe(e.Reason)
		}
		d.add("last exit", fmt.Sprintf("process %d, %s ago: %s", e.Process, l.age(&e.Time), reason))
	}
	if p := a.Panic; p != nil {
		d.styled("last panic", bad, fmt.Sprintf("process %d, %s ago", p.Process, l.age(&p.Time)), fmt.Sprintf("; %d in all", a.Panics))
		for _, text := range append(safeLines(p.Value), safeLines(p.Stack)...) {
			d.lines = append(d.lines, line{{plain, "  " + text}})
		}
	}
	d.events(a.ID)
	return d.lines
}

// details collects lines of a name and a value.
type details struct {
	*look
	lines []line
}

func (d *details) add(name, value string) { d.styled(name, plain, value) }

func (d *details) styled(name string, s style, value string, more ...string) {
	l := line{{faint, pad(name, 11, false)}, {s, value}}
	for _, text := range more {
		l.add(plain, text)
	}
	d.lines = append(d.lines, l)
}

func (d *details) inCycle(a *observer.Actor) string {
	if d.cycles[a.ID] {
		return ", in a deadlock"
	}
	return ""
}

func (d *details) restarts(r observer.Restarts) {
	if r.Total == 0 && r.Limit == 0 && r.Until == nil {
		return
	}
	text := fmt.Sprint(r.Total)
	if r.Limit > 0 {
		text += fmt.Sprintf(", of which %d in the last %s; the supervisor allows %d", r.Window, short(r.Period), r.Limit)
	}
	if r.Until != nil {
		text += ", next in " + short(r.Until.Sub(d.Time))
	}
	d.styled("restarts", styleIf(r.Total > 0, warn), text)
}

// events adds those of one actor, the latest first.
func (d *details) events(id uint64) {
	title := "events"
	for _, e := range slices.Backward(d.Events) {
		if e.ID == id {
			d.add(title, short(d.Time.Sub(e.Time))+" ago: "+happened(e))
			title = ""
		}
	}
}

// happened says what an event was.
func happened(e observer.Event) string {
	var b strings.Builder
	b.WriteString(safe(e.Kind))
	part := func(format string, args ...any) { fmt.Fprintf(&b, ", "+format, args...) }
	if e.Process >= 0 {
		part("process %d", e.Process)
	}
	switch {
	case e.Count > 0 && e.Type != "":
		part("%d of %s", e.Count, safe(e.Type))
	case e.Count > 0:
		part("%d", e.Count)
	}
	if e.Attempt > 0 {
		part("attempt %d", e.Attempt)
	}
	if e.Delay > 0 {
		part("in %s", short(e.Delay))
	}
	if e.Reason != "" {
		part("%s", safe(e.Reason))
	}
	return b.String()
}

// log is the event log, the latest first.
func (l *look) log() []line {
	var lines []line
	for _, e := range slices.Backward(l.Events) {
		lines = append(lines, line{
			{faint, e.Time.In(l.Time.Location()).Format(time.TimeOnly) + " "},
			{strong, safe(e.Path)},
			{plain, " " + happened(e)},
		})
	}
	if lines == nil {
		lines = []line{{{faint, "no events yet"}}}
	}
	return lines
}

func latency(l observer.Latency) string {
	if l.Count == 0 {
		return "not timed"
	}
	return fmt.Sprintf("p50 %s, p95 %s, p99 %s, max %s; %d timed", short(l.P50), short(l.P95), short(l.P99), short(l.Max), l.Count)
}
