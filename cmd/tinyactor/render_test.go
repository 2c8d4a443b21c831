package main

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	update = flag.Bool("update", false, "write the golden files")
	rounds = flag.Int("rounds", 12, "how many users TestAnything has")
)

// golden compares got with a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what is rendered (go test -update writes it):\n%s", file, got)
	}
}

// drawing writes the screen in a frame, with the row of the cursor in brackets.
func drawing(v *view) string {
	var b strings.Builder
	for _, l := range v.render() {
		edge := [2]string{"|", "|"}
		if len(l) > 0 && l[0].style == bar {
			edge = [2]string{"[", "]"}
		}
		b.WriteString(edge[0] + pad(l.String(), v.w, false) + edge[1] + "\n")
	}
	return b.String()
}

func newView(w, h int) *view {
	v := &view{address: "http://127.0.0.1:8080/debug/actors", now: noon}
	v.resize(w, h)
	v.take(sample())
	return v
}

func press(v *view, keys ...string) {
	for _, k := range keys {
		v.key(k)
	}
}

func TestRender(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {120, 40}, {20, 5}} {
		for _, c := range []struct {
			name string
			keys []string
		}{
			{"tree", nil},
			{"list", []string{"s", "s", "s", "s", "r"}},
			{"details", []string{"G", "k", "k", "k", "enter"}},
			{"scrolled", []string{"G", "k", "k", "k", "enter", "tab", "G"}},
			{"hostile", []string{"G", "enter"}},
			{"events", []string{"e"}},
			{"typing", []string{"/", "s", "t", "o"}},
			{"found", []string{"/", "s", "t", "o", "r", "e", "-", "enter", "down"}},
			{"folded", []string{"-"}},
			{"help", []string{"?"}},
			{"paused", []string{"p"}},
			{"disconnected", []string{"!"}},
		} {
			t.Run(fmt.Sprintf("%s %dx%d", c.name, size[0], size[1]), func(t *testing.T) {
				v := newView(size[0], size[1])
				press(v, c.keys...)
				if c.name == "disconnected" {
					v.fail(errors.New("nobody listens at 127.0.0.1:8080: start the program, or correct the address"))
					v.now = noon.Add(12 * time.Second)
				}
				golden(t, fmt.Sprintf("%s-%dx%d", c.name, size[0], size[1]), drawing(v))
			})
		}
	}
	t.Run("empty", func(t *testing.T) {
		v := newView(80, 8)
		s := sample()
		s.Actors, s.Deadlocks = nil, nil
		v.take(s)
		press(v, "down", "enter", "left", "right", "space", "-", "G", "enter")
		golden(t, "empty-80x8", drawing(v))
	})
	t.Run("limited", func(t *testing.T) {
		v := &view{arrangement: arrangement{flat: true, order: "queue", limit: 3}}
		v.resize(60, 7)
		v.take(sample())
		golden(t, "limited-60x7", drawing(v))
	})
}

// TestLongValues: what is too long for the pane goes on below, beside its name.
func TestLongValues(t *testing.T) {
	v := newView(60, 40)
	s := sample()
	s.Actors[6].Exit.Reason = strings.Repeat("what is long ", 8)
	v.take(s)
	press(v, "/", "m", "a", "i", "l", "e", "r", "enter", "end", "enter")
	want := "" +
		"last exit  process 2, 2.0s ago: what is long what is long\n" +
		"           what is long what is long what is long what is\n" +
		"           long what is long what is long\n"
	if got := text(v); !strings.Contains(got, want) {
		t.Errorf("there is no\n%sin\n%s", want, got)
	}
}

// text is what the screen shows.
func text(v *view) string {
	var b strings.Builder
	for _, l := range v.render() {
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	return b.String()
}

// TestStyles: what is to be seen at once is not plain.
func TestStyles(t *testing.T) {
	v := newView(120, 40)
	press(v, "down", "enter")
	has := func(s style, text string) {
		t.Helper()
		for _, l := range v.render() {
			for _, p := range l {
				if p.style == s && strings.TrimSpace(p.text) == text {
					return
				}
			}
		}
		t.Errorf("%q is not there in style %d", text, s)
	}
	has(bad, "stuck")
	has(bad, "deadlock")
	has(bad, "DEADLOCK")
	has(warn, "390/480") // nearly full
	has(warn, "restarting")
	has(faint, "idle")
	has(bad, "1024")
}

// TestAnything: whatever comes from the network, whatever keys are pressed and
// however small the screen is, the screen is filled, and not beyond its edges,
// with what can be printed.
func TestAnything(t *testing.T) {
	keys := []string{
		"up", "down", "left", "right", "pgup", "pgdn", "home", "end", "enter", "esc", "tab", "backspace", "space",
		"/", "e", "t", "r", "s", "S", "p", "?", "-", "+", "日", "\u202e", "x", "",
	}
	r := rand.New(rand.NewPCG(5, 6))
	for round := range *rounds {
		v := newView(r.IntN(140), r.IntN(45))
		for step := range 60 {
			switch k := keys[r.IntN(len(keys))]; r.IntN(12) {
			case 0:
				v.resize(r.IntN(140), r.IntN(45))
			case 1:
				v.fail(errors.New("hostile \x1b[2J words " + strings.Repeat("長い", r.IntN(40))))
			case 2:
				v.take(scrambled(r))
			default:
				v.key(k)
			}
			lines := v.render()
			if len(lines) != v.h {
				t.Fatalf("round %d, step %d: %d lines of %d", round, step, len(lines), v.h)
			}
			for _, l := range lines {
				if text := l.String(); cells(text) > v.w || strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) {
					t.Fatalf("round %d, step %d: the line %q in %d columns", round, step, text, v.w)
				}
			}
			if len(v.rows) > 0 && v.pane == noPane && v.page() > 0 && (v.cursor < v.top || v.cursor >= v.top+v.page()) {
				t.Fatalf("round %d, step %d: the cursor is in row %d of those from %d, %d on a page", round, step, v.cursor, v.top, v.page())
			}
		}
	}
}
