package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"tinyactor/observer"
)

// column is a column of the table, beside the first, which has the names.
type column struct {
	name  string // for -sort
	title string
	help  string
	width int
	left  bool // numbers stand at the right
	rank  int  // the columns of the highest rank go first when it gets narrow
	text  func(*look, *observer.Actor) string
	style func(*look, *observer.Actor) style      // nil: plain
	order func(s *look, a, b *observer.Actor) int // what is worth a look first
}

// columns in the order in which they stand.
var columns = []column{
	{
		name: "state", title: "STATE", width: 11, left: true,
		help:  "what the actor does; deadlock if it is in a cycle of waits",
		text:  func(l *look, a *observer.Actor) string { return l.state(a) },
		style: func(l *look, a *observer.Actor) style { return stateStyle(l.state(a)) },
		order: func(l *look, a, b *observer.Actor) int { return l.severity(b) - l.severity(a) },
	},
	{
		name: "busy", title: "BUSY", width: 7, rank: 5,
		help: "processes that handle something, of all",
		text: func(_ *look, a *observer.Actor) string {
			return count(a.Processes.Busy) + "/" + count(a.Processes.Total)
		},
		order: func(_ *look, a, b *observer.Actor) int { return cmp.Compare(b.Processes.Busy, a.Processes.Busy) },
	},
	{
		name: "queue", title: "QUEUE", width: 9, rank: 1,
		help:  "length of the inbox, and its limit if it has one",
		text:  func(_ *look, a *observer.Actor) string { return queue(a.Queue) },
		style: func(_ *look, a *observer.Actor) style { return queueStyle(a.Queue) },
		order: func(_ *look, a, b *observer.Actor) int { return cmp.Compare(b.Queue.Length, a.Queue.Length) },
	},
	{
		name: "high", title: "HIGH", width: 4, rank: 9,
		help:  "the longest that the inbox was",
		text:  func(_ *look, a *observer.Actor) string { return count(a.Queue.High) },
		order: func(_ *look, a, b *observer.Actor) int { return cmp.Compare(b.Queue.High, a.Queue.High) },
	},
	{
		name: "rate", title: "MSG/S", width: 5, rank: 2,
		help:  "messages received per second",
		text:  func(_ *look, a *observer.Actor) string { return rate(a.Rate.Received) },
		order: func(_ *look, a, b *observer.Actor) int { return cmp.Compare(b.Rate.Received, a.Rate.Received) },
	},
	{
		name: "inqueue", title: "IN QUEUE", width: 8, rank: 8,
		help:  "time from accepted to received, 95th percentile",
		text:  func(_ *look, a *observer.Actor) string { return quantile(a.InQueue, a.InQueue.P95) },
		order: func(_ *look, a, b *observer.Actor) int { return cmp.Compare(b.InQueue.P95, a.InQueue.P95) },
	},
	{
		name: "handling", title: "HANDLING", width: 8, rank: 3,
		help:  "time from received to the next receive, 95th percentile",
		text:  func(_ *look, a *observer.Actor) string { return quantile(a.Handling, a.Handling.P95) },
		order: func(_ *look, a, b *observer.Actor) int { return cmp.Compare(b.Handling.P95, a.Handling.P95) },
	},
	{
		name: "inhand", title: "IN HAND", width: 7, rank: 6,
		help: "age of the message in hand",
		text: func(l *look, a *observer.Actor) string { return l.age(a.HandSince) },
		order: func(l *look, a, b *observer.Actor) int {
			return cmp.Compare(l.since(b.HandSince), l.since(a.HandSince))
		},
	},
	{
		name: "waiting", title: "WAITING", width: 7, rank: 7,
		help:  "senders and askers that wait for this actor",
		text:  func(_ *look, a *observer.Actor) string { return count(waiting(a)) },
		style: func(_ *look, a *observer.Actor) style { return styleIf(waiting(a) > 0, warn) },
		order: func(_ *look, a, b *observer.Actor) int { return cmp.Compare(waiting(b), waiting(a)) },
	},
	{
		name: "undelivered", title: "UNDELIV", width: 7, rank: 10,
		help:  "messages that were accepted and that no process received",
		text:  func(_ *look, a *observer.Actor) string { return count(a.Undelivered) },
		style: func(_ *look, a *observer.Actor) style { return styleIf(a.Undelivered > 0, warn) },
		order: func(_ *look, a, b *observer.Actor) int { return cmp.Compare(b.Undelivered, a.Undelivered) },
	},
	{
		name: "restarts", title: "RESTARTS", width: 8, rank: 4,
		help:  "how often it was restarted",
		text:  func(_ *look, a *observer.Actor) string { return count(a.Restarts.Total) },
		style: func(_ *look, a *observer.Actor) style { return styleIf(a.Restarts.Total > 0, warn) },
		order: func(_ *look, a, b *observer.Actor) int { return cmp.Compare(b.Restarts.Total, a.Restarts.Total) },
	},
	{
		name: "kind", title: "KIND", width: 10, left: true, rank: 11,
		help: "actor, pool, worker, supervisor or dynamic supervisor",
		text: func(_ *look, a *observer.Actor) string {
			return clip(safe(strings.TrimSuffix(string(a.Kind), " supervisor")), 10)
		},
		order: func(_ *look, a, b *observer.Actor) int { return cmp.Compare(a.Kind, b.Kind) },
	},
}

// byName is the order of the first column. No order at all is that of the tree.
const byName = "name"

// orders are the names of all orders.
func orders() []string {
	names := []string{byName}
	for _, c := range columns {
		names = append(names, c.name)
	}
	return names
}

// comparison returns what an order compares; nil for the order of the tree.
func comparison(order string) func(l *look, a, b *observer.Actor) int {
	if order == byName {
		return func(_ *look, a, b *observer.Actor) int { return strings.Compare(a.Path, b.Path) }
	}
	if i := slices.IndexFunc(columns, func(c column) bool { return c.name == order }); i >= 0 {
		return columns[i].order
	}
	return nil
}

// nameWidth is what the names keep of w cells when columns are added: two fifths,
// from 16 to 24, but never more than half.
func nameWidth(w int) int { return min(24, max(16, w*2/5), w/2) }

// fit returns the columns that w cells have room for beside the names, and the
// room for these. The column that the table is sorted by is there in any case.
func fit(w int, order string) (chosen []column, names int) {
	byRank := slices.Clone(columns)
	slices.SortFunc(byRank, func(a, b column) int {
		switch {
		case a.name == order:
			return -1
		case b.name == order:
			return +1
		}
		return a.rank - b.rank
	})
	names, least := w, nameWidth(w)
	taken := map[string]bool{}
	for _, c := range byRank {
		if names-c.width-1 < least {
			break
		}
		names -= c.width + 1
		taken[c.name] = true
	}
	for _, c := range columns {
		if taken[c.name] {
			chosen = append(chosen, c)
		}
	}
	return chosen, names
}

func styleIf(cond bool, s style) style {
	if cond {
		return s
	}
	return plain
}

func waiting(a *observer.Actor) int {
	if a.Waiting == nil {
		return 0
	}
	return a.Waiting.Count
}

func queue(q observer.Queue) string {
	if q.Limit > 0 {
		return count(q.Length) + "/" + count(q.Limit)
	}
	return count(q.Length)
}

// queueStyle warns of an inbox that is nearly full, and of one that is.
func queueStyle(q observer.Queue) style {
	switch {
	case q.Limit <= 0 || q.Length < q.Limit/5*4:
		return plain
	case q.Length < q.Limit:
		return warn
	}
	return bad
}

func quantile(l observer.Latency, d time.Duration) string {
	if l.Count == 0 {
		return "-"
	}
	return short(d)
}

// shortState has the states that are too long for a column.
var shortState = map[observer.State]string{
	observer.StateRoom:   "wait room",
	observer.StateAnswer: "wait answer",
}

const deadlocked = "deadlock"

// severities are the states, what is worth a look last.
var severities = []observer.State{
	observer.StateIdle, observer.StateBusy, observer.StateRoom, observer.StateAnswer, observer.StateClosed, observer.StateHalted,
	observer.StateAborting, observer.StateRestarting, observer.StateStopped, observer.StateStuck,
}

func stateStyle(state string) style {
	switch observer.State(state) {
	case observer.StateBusy:
		return good
	case observer.StateStuck, deadlocked:
		return bad
	case observer.StateIdle, observer.StateStopped:
		return faint
	default:
		return warn
	}
}
