package main

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// testDemo is a demo that is over, and what its service should have left.
// Post 1 is of the flood. Of the text a, post 2 was counted, and 3 has failed
// because of its second piece; b was posted once.
func testDemo(t *testing.T) (*demo, books) {
	t.Helper()
	a := source{name: "a", want: map[string]int{"x": 1, "y": 2}}
	b := source{name: "b", want: map[string]int{"y": 3}}
	d := &demo{flood: source{name: "flood", want: map[string]int{"f": 1}}, files: []source{a, b}, seen: newRecord()}
	d.snapshot = filepath.Join(t.TempDir(), "snapshot")
	d.seen.admit("flood", 1, admission{turn: 10, pieces: 1})
	d.seen.admit("a", 2, admission{turn: 11, pieces: 2, counted: true})
	d.seen.admit("a", 3, admission{turn: 12, pieces: 2, failed: 2})
	d.seen.admit("b", 4, admission{turn: 13, pieces: 1})
	d.seen.crash("worker", pieceID{Text: "a", Post: 3, Piece: 2, Pieces: 2})
	d.seen.crashed["store"] = 2
	d.seen.crashTask()
	d.seen.figures(stats{Restarts: map[string]int{"workers": 1, "store": 2, "snapshot": 1}})
	d.seen.refuse()
	d.seen.stop()
	left := books{
		account: account{accepted: 6, processed: 5, crashed: 1},
		posts:   map[string]int{"flood": 1, "a": 2, "b": 4},
		texts: map[string]map[string]int{
			"flood": {"f": 1, mark(10): 1},
			"a":     {"x": 1, "y": 2, mark(11): 1},
			"b":     {"y": 3, mark(13): 1},
		},
		total: map[string]int{"f": 1, "x": 1, "y": 5, mark(10): 1, mark(11): 1, mark(13): 1},
	}
	if err := writeSnapshot(d.snapshot, asJSON, left.total); err != nil {
		t.Fatal(err)
	}
	return d, left
}

// The demo is a test only if it finds what is wrong.
func TestDemoFinds(t *testing.T) {
	for name, spoil := range map[string]func(*demo, *books){
		"":                 func(*demo, *books) {},
		"lost piece":       func(_ *demo, b *books) { b.account.processed-- },
		"handed back":      func(_ *demo, b *books) { b.account.processed--; b.account.handedBack++ },
		"piece too many":   func(_ *demo, b *books) { b.account.accepted++; b.account.processed++ },
		"crash too many":   func(_ *demo, b *books) { b.account.processed--; b.account.crashed++ },
		"crash too few":    func(_ *demo, b *books) { b.account.processed++; b.account.crashed-- },
		"word too many":    func(_ *demo, b *books) { b.texts["a"]["x"]++ },
		"lost text":        func(_ *demo, b *books) { delete(b.texts, "b") },
		"text too many":    func(_ *demo, b *books) { b.texts["c"] = nil },
		"lost word":        func(_ *demo, b *books) { delete(b.total, "x") },
		"word in total":    func(_ *demo, b *books) { b.total["z"] = 1 },
		"counted doubly":   func(_ *demo, b *books) { b.total["y"] += 2 },
		"other text":       func(_ *demo, b *books) { b.texts["a"], b.texts["b"] = b.texts["b"], b.texts["a"] },
		"nothing counted":  func(_ *demo, b *books) { *b = books{} },
		"half counted":     func(_ *demo, b *books) { b.texts["a"][mark(12)] = 1 },
		"failed counted":   func(_ *demo, b *books) { b.posts["a"] = 3 },
		"earlier gone":     func(_ *demo, b *books) { b.posts["a"], b.texts["a"] = 0, nil },
		"no crash":         func(d *demo, b *books) { d.seen.crashes = nil; b.account.crashed--; b.account.processed++ },
		"crashed twice":    func(d *demo, _ *books) { d.seen.crash("worker", pieceID{Text: "a", Post: 3, Piece: 2, Pieces: 2}) },
		"counted crashed":  func(d *demo, _ *books) { d.seen.admit("a", 3, admission{turn: 12, pieces: 2, counted: true}) },
		"failed otherwise": func(d *demo, _ *books) { d.seen.admit("a", 3, admission{turn: 12, pieces: 2, failed: 1}) },
		"crashed no post":  func(d *demo, _ *books) { delete(d.seen.posts["a"], 3) },
		"never admitted":   func(d *demo, b *books) { delete(d.seen.posts, "b") },
		"no refusal":       func(d *demo, _ *books) { d.seen.refused = 0 },
		"no store crash":   func(d *demo, _ *books) { delete(d.seen.crashed, "store"); delete(d.seen.restarts, "store") },
		"no task crash":    func(d *demo, _ *books) { delete(d.seen.crashed, "snapshot"); delete(d.seen.restarts, "snapshot") },
		"no restart":       func(d *demo, _ *books) { d.seen.restarts["store"] = 1 },
		"restarts at will": func(d *demo, _ *books) { d.seen.restarts["workers"] = 2 },
		"no stop":          func(d *demo, _ *books) { d.seen.stops = 0 },
		"other format":     func(d *demo, _ *books) { d.seen.use(asCSV) },
		"no snapshot":      func(d *demo, _ *books) { os.Remove(d.snapshot) },
		"old snapshot": func(d *demo, b *books) {
			old := maps.Clone(b.total)
			old["x"]++
			if err := writeSnapshot(d.snapshot, asJSON, old); err != nil {
				panic(err)
			}
		},
	} {
		d, left := testDemo(t)
		spoil(d, &left)
		if err := d.check(left); (err != nil) != (name != "") {
			t.Errorf("%q: the demo says %v", name, err)
		}
	}
}
