package mailbox

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// lineOf returns who stands in the line, and fails if its links disagree.
func lineOf[T comparable](t *testing.T, l *line[T]) []T {
	t.Helper()
	var forth, back []T
	for p := l.first; p != nil; p = p.next {
		if !p.in {
			t.Fatalf("%v stands in the line and does not know", p.of)
		}
		forth = append(forth, p.of)
	}
	for p := l.last; p != nil; p = p.prev {
		back = append(back, p.of)
	}
	slices.Reverse(back)
	if !slices.Equal(forth, back) {
		t.Fatalf("the line is %v forth and %v back", forth, back)
	}
	if l.empty() != (len(forth) == 0) {
		t.Fatalf("empty is %v with %d in the line", l.empty(), len(forth))
	}
	return forth
}

// A line is compared with a slice: first come, first served, and anybody may
// leave from where it stands and join again, at the end.
func TestS4LineIsFirstComeFirstServed(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	places := make([]place[int], 8)
	for i := range places {
		places[i].of = i
	}
	var l line[int]
	var model []int
	for range 5000 {
		i := rnd.IntN(len(places))
		switch at := slices.Index(model, i); {
		case rnd.IntN(4) == 0:
			got, ok := l.take()
			if ok != (len(model) > 0) || ok && got != model[0] {
				t.Fatalf("take is %d, %v; the line was %v", got, ok, model)
			}
			if ok {
				model = model[1:]
			}
		case at >= 0:
			l.leave(&places[i])
			model = slices.Delete(model, at, at+1)
		default:
			l.join(&places[i])
			model = append(model, i)
		}
		if got := lineOf(t, &l); !slices.Equal(got, model) {
			t.Fatalf("the line is %v, want %v", got, model)
		}
		for i, p := range places {
			if in := slices.Contains(model, i); p.in != in || !in && (p.next != nil || p.prev != nil) {
				t.Fatalf("%d: in is %v, want %v; who is out must have no links", i, p.in, in)
			}
		}
	}
}
