package main

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gdamore/tcell/v3"
	"github.com/gdamore/tcell/v3/vt"
)

// watched is a screen on an emulated terminal, which tells when it has changed.
type watched struct {
	tcell.Screen
	term  vt.MockTerm
	shown chan struct{} // a token after each Show
}

func newScreen(t *testing.T) *watched {
	t.Helper()
	term := vt.NewMockTerm(vt.MockOptSize{X: 80, Y: 24}, vt.MockOptColors(256))
	screen, err := tcell.NewTerminfoScreenFromTty(term)
	if err != nil {
		t.Fatal(err)
	}
	return &watched{screen, term, make(chan struct{}, 1)}
}

func (w *watched) Show() {
	w.Screen.Show()
	select {
	case w.shown <- struct{}{}:
	default:
	}
}

// text is what the emulated terminal shows.
func (w *watched) text() string {
	size, _ := w.term.WindowSize()
	var b strings.Builder
	for y := range size.Height {
		for x := range size.Width {
			b.WriteString(cmp.Or(w.term.GetCell(vt.Coord{X: vt.Col(x), Y: vt.Row(y)}).C, " "))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// until waits until the screen shows something, or no longer does.
func (w *watched) until(t *testing.T, shows bool, text string) {
	t.Helper()
	tooLong := time.After(30 * time.Second)
	for {
		select {
		case <-w.shown:
			if strings.Contains(w.text(), text) == shows {
				return
			}
		case <-tooLong:
			t.Fatalf("%q on the screen: not %v in time:\n%s", text, shows, w.text())
		}
	}
}

// start shows the view live; stop has to come to an end without an error.
func start(t *testing.T, screen *watched, address string) (stop func(), ended <-chan error) {
	t.Helper()
	src, err := newSource(address, nil)
	if err != nil {
		t.Fatal(err)
	}
	snap, err := src.snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v := &view{address: address, now: time.Now()}
	v.take(snap)
	ctx, cancel := context.WithCancel(t.Context())
	end := make(chan error, 1)
	go func() { end <- live(ctx, screen, src, v, 10*time.Millisecond) }()
	t.Cleanup(cancel)
	return cancel, end
}

func wait(t *testing.T, ended <-chan error) {
	t.Helper()
	select {
	case err := <-ended:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it does not end")
	}
}

// TestLive shows a program that changes, goes away and comes back.
func TestLive(t *testing.T) {
	var queue, down atomic.Int64
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if down.Load() > 0 {
			http.Error(w, "", http.StatusServiceUnavailable)
			return
		}
		s := sample()
		s.Actors[0].Queue.Length = int(queue.Load())
		snapshots(s)(w, r)
	})
	screen := newScreen(t)
	_, ended := start(t, screen, address)

	screen.until(t, true, "▾ service")
	queue.Store(7777)
	screen.until(t, true, "7777")
	down.Store(1)
	screen.until(t, true, "DISCONNECTED for ")
	screen.until(t, true, "(503 Service Unavailable): try again later")
	down.Store(0)
	screen.until(t, false, "DISCONNECTED")

	screen.term.KeyTap(vt.KeyEnter)
	screen.until(t, true, "── service ──")
	screen.term.KeyTap(vt.KeyEnter)
	screen.until(t, false, "── service ──")
	screen.term.KeyTap(vt.KeySlash)
	screen.term.KeyTap(vt.KeyM)
	screen.term.KeyTap(vt.KeyA)
	screen.term.KeyTap(vt.KeyI)
	screen.until(t, true, "/mai ")
	screen.until(t, false, "legacy")
	screen.term.KeyTap(vt.KeyEsc)
	screen.until(t, true, "legacy")
	screen.term.KeyTap(vt.KeyDown)
	screen.until(t, true, "2/10")
	screen.term.SetSize(vt.Coord{X: 120, Y: 10})
	screen.until(t, true, "IN QUEUE")
	if text := screen.text(); strings.Contains(text, "accepted") || !strings.Contains(text, "heap 12MiB  go 1.26.8") {
		t.Errorf("after it has another size it is\n%s", text)
	}
	screen.term.KeyTap(vt.KeyQ)
	wait(t, ended)
}

// TestInterrupted: the end of the context ends the view, also while the server hangs.
func TestInterrupted(t *testing.T) {
	var looks atomic.Int64
	hangs := make(chan struct{})
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if looks.Add(1) == 2 {
			close(hangs)
		}
		if looks.Load() > 1 {
			<-r.Context().Done()
			return
		}
		snapshots(sample())(w, r)
	})
	screen := newScreen(t)
	stop, ended := start(t, screen, address)
	screen.until(t, true, "▾ service")
	<-hangs
	stop()
	wait(t, ended)
}

// TestColours: there are some, but not with NO_COLOR.
func TestColours(t *testing.T) {
	for _, without := range []string{"", "1"} {
		t.Run("NO_COLOR="+without, func(t *testing.T) {
			t.Setenv("NO_COLOR", without)
			t.Setenv("TERM", "xterm-256color")
			screen := newScreen(t)
			stop, ended := start(t, screen, serve(t, snapshots(sample())))
			screen.until(t, true, "stuck")
			coloured := 0
			plain := screen.term.GetCell(vt.Coord{X: 79, Y: 22}).S
			for y := range vt.Row(24) {
				for x := range vt.Col(80) {
					if s := screen.term.GetCell(vt.Coord{X: x, Y: y}).S; s.Fg() != plain.Fg() || s.Bg() != plain.Bg() {
						coloured++
					}
				}
			}
			if (coloured > 0) != (without == "") {
				t.Errorf("%d coloured cells", coloured)
			}
			stop()
			wait(t, ended)
		})
	}
}

func TestKeyNames(t *testing.T) {
	for _, c := range []struct {
		ev   *tcell.EventKey
		want string
	}{
		{tcell.NewEventKey(tcell.KeyRune, "q", tcell.ModNone), "q"},
		{tcell.NewEventKey(tcell.KeyRune, "日", tcell.ModNone), "日"},
		{tcell.NewEventKey(tcell.KeyRune, " ", tcell.ModNone), "space"},
		{tcell.NewEventKey(tcell.KeyRune, "q", tcell.ModAlt), ""},
		{tcell.NewEventKey(tcell.KeyCtrlC, "", tcell.ModCtrl), "ctrl-c"},
		{tcell.NewEventKey(tcell.KeyPgUp, "", tcell.ModNone), "pgup"},
		{tcell.NewEventKey(tcell.KeyBackspace, "", tcell.ModNone), "backspace"},
		{tcell.NewEventKey(tcell.KeyF1, "", tcell.ModNone), ""},
	} {
		if got := keyName(c.ev); got != c.want {
			t.Errorf("%s: %q, want %q", c.ev.Name(), got, c.want)
		}
	}
}
