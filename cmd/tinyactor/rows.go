package main

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"tinyactor/observer"
)

// look is a snapshot with what is looked up in it often.
type look struct {
	*observer.Snapshot
	byID   map[uint64]int // index in Actors
	cycles map[uint64]bool
}

func newLook(snap *observer.Snapshot) *look {
	l := &look{Snapshot: snap, byID: make(map[uint64]int, len(snap.Actors)), cycles: map[uint64]bool{}}
	for i := range snap.Actors {
		l.byID[snap.Actors[i].ID] = i
	}
	for _, d := range snap.Deadlocks {
		for _, id := range d.Actors {
			l.cycles[id] = true
		}
	}
	return l
}

// actor returns the one with that id, or nil.
func (l *look) actor(id uint64) *observer.Actor {
	if i, ok := l.byID[id]; ok {
		return &l.Actors[i]
	}
	return nil
}

// path names the actor with that id.
func (l *look) path(id uint64) string {
	if id == 0 {
		return "outside"
	}
	if a := l.actor(id); a != nil {
		return safe(a.Path)
	}
	return "#" + strconv.FormatUint(id, 10)
}

// state is the actor's state as the table shows it.
func (l *look) state(a *observer.Actor) string {
	if l.cycles[a.ID] && a.State != observer.StateStuck {
		return deadlocked
	}
	if s, ok := shortState[a.State]; ok {
		return s
	}
	return clip(safe(string(a.State)), 11)
}

func (l *look) severity(a *observer.Actor) int {
	if l.cycles[a.ID] {
		return len(severities)
	}
	return slices.Index(severities, a.State)
}

// since is how long ago that was, by the clock of the snapshot; 0 for never.
func (l *look) since(t *time.Time) time.Duration {
	if t == nil || t.IsZero() {
		return 0
	}
	return l.Time.Sub(*t)
}

// age writes how long ago that was.
func (l *look) age(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "-"
	}
	return short(l.since(t))
}

// arrangement says which actors are shown, and in which order.
type arrangement struct {
	flat    bool   // a list of paths instead of a tree of names
	order   string // of the list, or of siblings: see orders
	reverse bool
	folded  map[uint64]bool
	query   string // only what contains it, and in a tree what leads there
	limit   int    // at most so many; 0: all
}

// row is an actor in the table.
type row struct {
	*observer.Actor
	depth  int
	parent bool // it has children in the tree
	folded bool // which are not shown
}

// label is what stands in the first column.
func (r row) label(flat bool, w int) string {
	if flat {
		return clipLeft(safe(r.Path), w)
	}
	name := safe(r.Name)
	if name == "" {
		name = "#" + strconv.FormatUint(r.ID, 10)
	}
	return clip(name, w)
}

// rows returns the actors as they are arranged.
func (l *look) rows(a arrangement) []row {
	var rows []row
	if a.flat {
		rows = l.list(a)
	} else {
		rows = l.tree(a)
	}
	if a.limit > 0 && len(rows) > a.limit {
		rows = rows[:a.limit]
	}
	return rows
}

// list returns the rows without the tree.
func (l *look) list(a arrangement) []row {
	var chosen []int
	for i := range l.Actors {
		if a.matches(l, &l.Actors[i]) {
			chosen = append(chosen, i)
		}
	}
	a.sort(l, chosen)
	rows := make([]row, len(chosen))
	for n, i := range chosen {
		rows[n] = row{Actor: &l.Actors[i]}
	}
	return rows
}

// tree returns the rows of the tree. It does not rely on the parents making one:
// whoever is not below a root is shown as one.
func (l *look) tree(a arrangement) []row {
	children := map[uint64][]int{}
	var roots []int
	for i := range l.Actors {
		if parent := l.Actors[i].Parent; l.actor(parent) != nil {
			children[parent] = append(children[parent], i)
		} else {
			roots = append(roots, i)
		}
	}
	kept := l.kept(a)
	var rows []row
	reached := make([]bool, len(l.Actors))
	var walk func(siblings []int, depth int, shown bool)
	walk = func(siblings []int, depth int, shown bool) {
		a.sort(l, siblings)
		for _, i := range siblings {
			if reached[i] {
				continue
			}
			reached[i] = true
			actor := &l.Actors[i]
			below := children[actor.ID]
			folded := a.folded[actor.ID] && len(below) > 0 && a.query == ""
			if shown && kept[i] {
				rows = append(rows, row{Actor: actor, depth: depth, parent: len(below) > 0, folded: folded})
			}
			walk(below, depth+1, shown && !folded)
		}
	}
	walk(roots, 0, true)
	for i := range l.Actors {
		if !reached[i] {
			walk([]int{i}, 0, true)
		}
	}
	return rows
}

// kept says for each actor whether the tree shows it: it matches, or leads to one that does.
func (l *look) kept(a arrangement) []bool {
	kept := make([]bool, len(l.Actors))
	for i := range l.Actors {
		if !a.matches(l, &l.Actors[i]) {
			continue
		}
		for up := i; !kept[up]; {
			kept[up] = true
			parent, ok := l.byID[l.Actors[up].Parent]
			if !ok {
				break
			}
			up = parent
		}
	}
	return kept
}

// matches says whether the actor contains what is searched for.
func (a arrangement) matches(l *look, actor *observer.Actor) bool {
	if a.query == "" {
		return true
	}
	query := strings.ToLower(a.query)
	for _, text := range []string{actor.Path, actor.Message, string(actor.State), l.state(actor), string(actor.Kind)} {
		if strings.Contains(strings.ToLower(text), query) {
			return true
		}
	}
	return false
}

// sort sorts indices; those that compare equal stay in the order of their ids.
func (a arrangement) sort(l *look, indices []int) {
	compare := comparison(a.order)
	if compare == nil {
		if a.reverse {
			slices.Reverse(indices)
		}
		return
	}
	slices.SortStableFunc(indices, func(i, j int) int {
		if a.reverse {
			return compare(l, &l.Actors[j], &l.Actors[i])
		}
		return compare(l, &l.Actors[i], &l.Actors[j])
	})
}
