package main

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"tinyactor/observer"
)

// scrambled is the sample with some actors gone, others moved, and words and
// numbers as nobody would send them.
func scrambled(r *rand.Rand) *observer.Snapshot {
	s := sample()
	words := []string{"", "\x00", "\n\n", "\u0301", "\x1b[H", strings.Repeat("w", 300), strings.Repeat("広", 50), "a b c"}
	word := func() string { return words[r.IntN(len(words))] }
	kept := s.Actors[:0]
	for _, a := range s.Actors {
		switch r.IntN(4) {
		case 0:
			continue
		case 1:
			a.Parent = uint64(r.IntN(12))
		case 2:
			a.Name, a.Path, a.Message, a.Strategy, a.Queue.Capacity = word(), word(), word(), word(), word()
			a.State, a.Kind = observer.State(word()), observer.Kind(word())
		case 3:
			a.Queue.Length, a.Queue.Limit, a.Restarts.Total = int(r.Uint64()), int(r.Uint64()), int(r.Uint64())
			a.Handling.P95, a.Rate.Received, a.Accepted = time.Duration(r.Int64()-1<<62), r.NormFloat64()*1e200, r.Uint64()
			a.HandSince = &time.Time{}
		}
		kept = append(kept, a)
	}
	s.Actors = kept
	if r.IntN(2) == 0 {
		s.Program.Name, s.Program.Host, s.Program.Go, s.Time = word(), word(), word(), time.Time{}
		for range r.IntN(9) {
			s.Deadlocks = append(s.Deadlocks, observer.Deadlock{Text: word(), Actors: []uint64{99}})
			s.Events = append(s.Events, observer.Event{Kind: word(), Path: word(), Reason: word(), ID: 7})
			s.Waits = append(s.Waits, observer.Wait{From: uint64(r.IntN(12)), To: 77, For: word()})
		}
	}
	return s
}

// at is the path of the selected actor.
func at(v *view) string {
	if a := v.actor(); a != nil {
		return a.Path
	}
	return ""
}

func TestKeys(t *testing.T) {
	for _, c := range []struct {
		keys, want string
		rows       string
	}{
		{"", "service", ""},
		{"down down", "service/http", ""},
		{"j j k", "service/workers", ""},
		{"up", "service", ""},
		{"pgdn", "#9/", ""},
		{"end home", "service", ""},
		{"G g", "service", ""},
		{"G k", "#9", ""},
		{"left", "service", "service+ #9 .日本語…"},
		{"left right", "service", "service .workers .http .stores ..store-a ..store-b .mailer .legacy #9 .日本語…"},
		{"right right", "service/workers", ""}, // which has none below it
		{"down left", "service", ""},
		{"down down down right", "service/stores/store-a", ""},
		{"down down down left", "service/stores", "service .workers .http .stores+ .mailer .legacy #9 .日本語…"},
		{"down down down down left left", "service/stores", "service .workers .http .stores+ .mailer .legacy #9 .日本語…"},
		{"space", "service", "service+ #9 .日本語…"},
		{"space space l", "service/workers", ""},
		{"down space", "service/workers", "service .workers .http .stores ..store-a ..store-b .mailer .legacy #9 .日本語…"},
		{"down down down down -", "service", "service+ #9+"},
		{"- +", "service", "service .workers .http .stores ..store-a ..store-b .mailer .legacy #9 .日本語…"},
		{"- right down down down right", "service/stores", "service .workers .http .stores ..store-a ..store-b .mailer .legacy #9+"},
		{"/ s t o r e - a", "service", "service .stores ..store-a"},
		{"/ s t o r e - a enter down down", "service/stores/store-a", "service .stores ..store-a"},
		{"/ s t o r e - a enter esc", "service", "service .workers .http .stores ..store-a ..store-b .mailer .legacy #9 .日本語…"},
		{"/ m a x backspace i l enter down", "service/mailer", "service .mailer"},
		{"/ backspace down", "service/workers", ""},
		{"/ q esc down", "service/workers", ""},
		{"/ d y n a m i c space s u p enter down", "service/stores", "service .stores"},
		{"t / m a i n . g e t enter down", "service/stores/store-b", "store-a store-b"},
		{"s s s s", "service/workers", ""},
		{"down down S", "service/legacy", "legacy #9 日本語… stores"}, // by kind
		{"s r", "service/workers", "workers store-b store-a"},      // by path, from its end
		{"s t down", "#9/", "#9 .日本語… service"},                    // siblings by name
		{"enter down", "service/workers", ""},
		{"enter tab down", "service", ""}, // the pane has it
		{"enter tab tab down", "service/workers", ""},
		{"tab down", "service/workers", ""}, // there is no pane
		{"? down down", "service/workers", ""},
		{"p down", "service/workers", ""},
	} {
		v := newView(80, 24)
		press(v, strings.Fields(c.keys)...)
		if got := at(v); !strings.HasPrefix(got, c.want) || c.want == "service" && got != c.want {
			t.Errorf("%s: at %s, want %s", c.keys, got, c.want)
		}
		if got := picture(v.rows); !strings.HasPrefix(got, c.rows) {
			t.Errorf("%s:\nhas  %s\nwant %s", c.keys, got, c.rows)
		}
		if v.quit {
			t.Errorf("%s: quits", c.keys)
		}
	}
}

func TestQuit(t *testing.T) {
	for keys, want := range map[string]bool{"q": true, "ctrl-c": true, "/ q": false, "/ ctrl-c": true, "? q": false, "? ctrl-c": true, "enter q": true} {
		v := newView(80, 24)
		press(v, strings.Fields(keys)...)
		if v.quit != want {
			t.Errorf("%s: quit is %v", keys, v.quit)
		}
	}
}

// TestOrderKeys: s goes through all orders and comes back to the tree.
func TestOrderKeys(t *testing.T) {
	v := newView(80, 24)
	for _, order := range orders() {
		v.key("s")
		if v.order != order || !v.flat {
			t.Errorf("it is %q, flat %v; want %q", v.order, v.flat, order)
		}
	}
	v.key("s")
	if v.order != "" || v.flat {
		t.Errorf("in the end it is %q", v.order)
	}
	v.key("S")
	if v.order != "kind" {
		t.Errorf("before that it is %q", v.order)
	}
}

// TestFollow: the cursor follows its actor through a tree, and stays at its place
// in a list that is sorted by something that changes.
func TestFollow(t *testing.T) {
	without := func(s *observer.Snapshot, id uint64) *observer.Snapshot {
		for i := range s.Actors {
			if s.Actors[i].ID == id {
				s.Actors = append(s.Actors[:i], s.Actors[i+1:]...)
				break
			}
		}
		return s
	}
	v := newView(80, 24)
	press(v, "down", "down", "down")
	v.take(without(sample(), 2))
	if at(v) != "service/stores" {
		t.Errorf("after one above is gone it is at %s", at(v))
	}
	v.take(without(sample(), 4))
	if at(v) != "service/http" { // which has its row now
		t.Errorf("after it is gone it is at %s", at(v))
	}

	v = newView(80, 24)
	press(v, "s", "s", "s", "s") // by queue
	s := sample()
	s.Actors[2].Queue.Length = 5000
	v.take(s)
	if at(v) != "service/http" {
		t.Errorf("in a list by queue it is at %s", at(v))
	}
	press(v, "enter") // of this one
	v.take(sample())
	if at(v) != "service/http" {
		t.Errorf("with its details open it is at %s", at(v))
	}
}

func TestPause(t *testing.T) {
	v := newView(80, 24)
	v.key("p")
	later := sample()
	later.Time = noon.Add(time.Second)
	v.take(later)
	if !v.look.Time.Equal(noon) {
		t.Error("the picture does not stand still")
	}
	v.key("p")
	v.take(later)
	if v.look.Time.Equal(noon) {
		t.Error("the picture does not go on")
	}
}

// TestFault: how old the picture is counts from the last answer, not from when it
// was certain that none comes.
func TestFault(t *testing.T) {
	v := newView(80, 24)
	v.now = noon.Add(10 * time.Second)
	v.fail(errors.New("first \x1b"))
	v.now = noon.Add(12 * time.Second)
	v.fail(errors.New("second"))
	if got := text(v); !strings.Contains(got, "\nDISCONNECTED for 12s: second\n") {
		t.Errorf("it shows\n%s", got)
	}
	v.take(sample())
	if got := text(v); v.fault != "" || strings.Contains(got, "DISCONNECTED") || strings.Contains(got, "no answer") {
		t.Errorf("after an answer it shows\n%s", got)
	}
}

// TestSilence: while an answer is late, the screen says that what it shows is old.
func TestSilence(t *testing.T) {
	v := newView(40, 10)
	v.every = 10 * time.Second
	for late, want := range map[time.Duration]string{
		12 * time.Second: "1/10  q quit",
		13 * time.Second: "1/10  no answer for 13s",
	} {
		v.now = noon.Add(late)
		if got := text(v); !strings.Contains(got, "\n"+want) {
			t.Errorf("after %v it shows\n%s", late, got)
		}
	}
	v.fail(errors.New("no"))
	if got := text(v); strings.Contains(got, "no answer") {
		t.Errorf("when it is disconnected it shows\n%s", got)
	}
}
