package main

import (
	"slices"
	"time"

	"tinyactor/observer"
)

// pane is what stands below the table.
type pane uint8

const (
	noPane pane = iota
	detailPane
	eventPane
)

// view is all that determines what is on the screen. What it shows is a
// function of it (see render), and keys, snapshots and failures change it.
type view struct {
	arrangement
	address string
	now     time.Time
	every   time.Duration // from one answer to the next question
	w, h    int

	look   *look
	rows   []row
	found  int // how many match the query: without those that only lead there
	paused bool
	fault  string    // why there is no newer snapshot
	since  time.Time // when the last one came

	selected uint64 // the id of the actor that keys act on
	cursor   int    // its row
	top      int    // the first row on the screen

	pane     pane
	paneTop  int
	paneKeys bool // arrows scroll the pane
	typing   bool // keys are letters of the query
	help     bool
	quit     bool
}

// take is given a new snapshot.
func (v *view) take(snap *observer.Snapshot) {
	v.fault, v.since = "", v.now
	if !v.paused || v.look == nil {
		v.look = newLook(snap)
	}
	// In a list that is sorted anew each second it is the place that counts.
	v.settle(!v.flat || v.order == byName || v.pane == detailPane)
}

// fail is given the reason why there is none.
func (v *view) fail(err error) {
	v.fault = safe(err.Error())
	v.settle(true) // there is less room
}

// resize is given the size of the screen.
func (v *view) resize(w, h int) {
	v.w, v.h = max(w, 0), max(h, 0)
	v.settle(true)
}

// settle arranges the rows. The cursor follows its actor, if that is there and
// is to be followed, or stays at its row.
func (v *view) settle(follow bool) {
	if v.look == nil {
		return
	}
	v.rows = v.look.rows(v.arrangement)
	v.found = 0
	for _, r := range v.rows {
		if v.matches(v.look, r.Actor) {
			v.found++
		}
	}
	if i := slices.IndexFunc(v.rows, func(r row) bool { return r.ID == v.selected }); follow && i >= 0 {
		v.cursor = i
	}
	v.move(0)
}

// move moves the cursor by n rows, and the window with it.
func (v *view) move(n int) {
	v.cursor = max(0, min(v.cursor+n, len(v.rows)-1))
	if len(v.rows) == 0 {
		v.top = 0
		return
	}
	if id := v.rows[v.cursor].ID; id != v.selected {
		v.selected, v.paneTop = id, 0
	}
	page := v.page()
	v.top = max(v.cursor-page+1, min(v.top, v.cursor))
	v.top = max(0, min(v.top, len(v.rows)-page))
	v.scroll(0)
}

// scroll moves the text in the pane.
func (v *view) scroll(n int) {
	_, size := v.body()
	v.paneTop = max(0, min(v.paneTop+n, len(v.paneLines())-size))
}

// actor returns the selected one, or nil.
func (v *view) actor() *observer.Actor {
	if len(v.rows) == 0 {
		return nil
	}
	return v.rows[v.cursor].Actor
}

// key acts on a key: a character, or the name of a key that is none.
func (v *view) key(k string) {
	switch {
	case k == "ctrl-c":
		v.quit = true
	case v.help:
		v.help = false
	case v.typing:
		v.letter(k)
	case v.pane != noPane && (v.paneKeys || v.page() == 0) && v.keyInPane(k):
	case v.keyOnRow(k):
	default:
		v.command(k)
	}
	v.settle(true)
}

// letter is a key in the query.
func (v *view) letter(k string) {
	switch {
	case k == "enter":
		v.typing = false
	case k == "esc":
		v.typing, v.query = false, ""
	case k == "backspace":
		if v.query == "" {
			v.typing = false
			return
		}
		letters := []rune(v.query)
		v.query = string(letters[:len(letters)-1])
	case k == "up":
		v.move(-1)
	case k == "down":
		v.move(+1)
	case k == "space":
		v.query += " "
	case len([]rune(k)) == 1:
		v.query += k
	}
}

// keyInPane moves the text in the pane.
func (v *view) keyInPane(k string) bool {
	_, size := v.body()
	switch k {
	case "up", "k":
		v.scroll(-1)
	case "down", "j":
		v.scroll(+1)
	case "pgup":
		v.scroll(-size)
	case "pgdn":
		v.scroll(+size)
	case "home", "g":
		v.scroll(-v.paneTop)
	case "end", "G":
		v.scroll(+len(v.paneLines()))
	default:
		return false
	}
	return true
}

// keyOnRow moves the cursor and folds the tree.
func (v *view) keyOnRow(k string) bool {
	switch k {
	case "up", "k":
		v.move(-1)
	case "down", "j":
		v.move(+1)
	case "pgup":
		v.move(-max(1, v.page()))
	case "pgdn":
		v.move(+max(1, v.page()))
	case "home", "g":
		v.move(-len(v.rows))
	case "end", "G":
		v.move(+len(v.rows))
	case "left", "h":
		v.left()
	case "right", "l":
		v.right()
	case "space":
		if len(v.rows) > 0 {
			r := v.rows[v.cursor]
			v.fold(r.ID, r.parent && !r.folded)
		}
	case "-":
		if !v.flat {
			for i := range v.look.Actors {
				v.fold(v.look.Actors[i].Parent, true)
			}
			v.toRoot()
		}
	case "+", "=":
		clear(v.folded)
	default:
		return false
	}
	return true
}

// left folds what is below the cursor, or goes to the parent.
func (v *view) left() {
	if v.flat || len(v.rows) == 0 {
		return
	}
	r := v.rows[v.cursor]
	if r.parent && !r.folded && v.query == "" {
		v.fold(r.ID, true)
		return
	}
	for i := v.cursor - 1; i >= 0; i-- {
		if v.rows[i].depth < r.depth {
			v.move(i - v.cursor)
			return
		}
	}
}

// right shows what is folded below the cursor, or goes there.
func (v *view) right() {
	if v.flat || len(v.rows) == 0 {
		return
	}
	r := v.rows[v.cursor]
	if r.folded {
		v.fold(r.ID, false)
	} else if next := v.cursor + 1; next < len(v.rows) && v.rows[next].depth > r.depth {
		v.move(+1)
	}
}

func (v *view) fold(id uint64, folded bool) {
	if !folded {
		delete(v.folded, id)
		return
	}
	if v.folded == nil {
		v.folded = map[uint64]bool{}
	}
	v.folded[id] = true
}

// toRoot selects the root above the cursor, for when all below it is folded.
func (v *view) toRoot() {
	for i := v.cursor; i >= 0 && i < len(v.rows); i-- {
		if v.rows[i].depth == 0 {
			v.move(i - v.cursor)
			return
		}
	}
}

// command is any other key.
func (v *view) command(k string) {
	switch k {
	case "q":
		v.quit = true
	case "?":
		v.help = true
	case "p":
		v.paused = !v.paused
	case "/":
		v.typing = true
	case "t":
		v.flat = !v.flat
	case "r":
		v.reverse = !v.reverse
		v.toTop()
	case "s":
		v.orderBy(+1)
	case "S":
		v.orderBy(-1)
	case "enter", "d":
		v.toggle(detailPane)
	case "e":
		v.toggle(eventPane)
	case "tab":
		v.paneKeys = v.pane != noPane && !v.paneKeys
	case "esc":
		if v.pane != noPane {
			v.toggle(v.pane)
		} else {
			v.query = ""
		}
	}
}

// orderBy takes the next order, or the one before. To be in order of one column
// is to be a list; after the last, the tree comes back.
func (v *view) orderBy(step int) {
	all := append([]string{""}, orders()...)
	i := (slices.Index(all, v.order) + step + len(all)) % len(all)
	v.order, v.reverse, v.flat = all[i], false, i > 0
	v.toTop()
}

// toTop selects what will be the first row.
func (v *view) toTop() { v.selected, v.cursor, v.top = 0, 0, 0 }

func (v *view) toggle(p pane) {
	if v.pane == p {
		p = noPane
	}
	v.pane, v.paneTop, v.paneKeys = p, 0, false
}
