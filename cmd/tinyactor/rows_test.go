package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tinyactor/observer"
)

// picture writes rows as a line: indented by dots, + where something is folded.
func picture(rows []row) string {
	var words []string
	for _, r := range rows {
		word := strings.Repeat(".", r.depth) + r.label(false, 7)
		if r.folded {
			word += "+"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func TestRows(t *testing.T) {
	for _, c := range []struct {
		name string
		arrangement
		want string
	}{
		{"tree", arrangement{}, "service .workers .http .stores ..store-a ..store-b .mailer .legacy #9 .日本語…"},
		{"reversed", arrangement{reverse: true}, "#9 .日本語… service .legacy .mailer .stores ..store-b ..store-a .http .workers"},
		{"siblings by name", arrangement{order: "name"}, "#9 .日本語… service .http .legacy .mailer .stores ..store-a ..store-b .workers"},
		{"folded", arrangement{folded: map[uint64]bool{4: true, 9: true, 3: true}}, "service .workers .http .stores+ .mailer .legacy #9+"},
		{"searched", arrangement{query: "STORE-"}, "service .stores ..store-a ..store-b"},
		{"searched and folded", arrangement{query: "store-b", folded: map[uint64]bool{1: true}}, "service .stores ..store-b"},
		{"searched by type", arrangement{query: "main.mail", flat: true}, "mailer"},
		{"searched by state", arrangement{query: "deadlock", flat: true}, "store-a store-b"},
		{"searched in vain", arrangement{query: "x y z"}, ""},
		{"list", arrangement{flat: true, limit: 3}, "service workers http"},
		{"tree's beginning", arrangement{limit: 3}, "service .workers .http"},
		{"by queue", arrangement{flat: true, order: "queue", limit: 3}, "workers http store-a"},
		{"by queue, reversed", arrangement{flat: true, order: "queue", reverse: true, limit: 3}, "service stores mailer"},
		{"by state", arrangement{flat: true, order: "state", limit: 4}, "store-a store-b legacy mailer"},
		{"by age", arrangement{flat: true, order: "inhand", limit: 3}, "legacy store-a store-b"},
		{"by restarts", arrangement{flat: true, order: "restarts", limit: 1}, "mailer"},
		{"by waiting", arrangement{flat: true, order: "waiting", limit: 2}, "workers store-a"},
	} {
		if got := picture(newLook(sample()).rows(c.arrangement)); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestOrders: each order is one, and its reverse the other way around.
func TestOrders(t *testing.T) {
	l := newLook(sample())
	for _, order := range orders() {
		compare := comparison(order)
		for i := range l.Actors {
			for j := range l.Actors {
				a, b := &l.Actors[i], &l.Actors[j]
				if ab, ba := compare(l, a, b), compare(l, b, a); ab > 0 != (ba < 0) {
					t.Errorf("%s: %s and %s compare as %d and %d", order, a.Path, b.Path, ab, ba)
				}
			}
		}
		rows := l.rows(arrangement{flat: true, order: order})
		if !slices.IsSortedFunc(rows, func(a, b row) int { return compare(l, a.Actor, b.Actor) }) {
			t.Errorf("%s is not sorted", order)
		}
	}
}

// TestNoTree: parents come from the network, and need not make a tree.
func TestNoTree(t *testing.T) {
	for _, c := range []struct {
		parents map[uint64]uint64
		want    string
	}{
		{map[uint64]uint64{1: 1}, "1"},
		{map[uint64]uint64{1: 2, 2: 1}, "1 .2"},
		{map[uint64]uint64{1: 2, 2: 3, 3: 1, 4: 3}, "1 .3 ..2 ..4"},
		{map[uint64]uint64{5: 99}, "5"},
		{map[uint64]uint64{2: 1, 1: 0}, "1 .2"},
	} {
		s := &observer.Snapshot{}
		for id := range uint64(10) {
			if parent, ok := c.parents[id]; ok {
				s.Actors = append(s.Actors, observer.Actor{ID: id, Parent: parent, Name: fmt.Sprint(id)})
			}
		}
		if got := picture(newLook(s).rows(arrangement{})); got != c.want {
			t.Errorf("%v: %s, want %s", c.parents, got, c.want)
		}
		if got := picture(newLook(s).rows(arrangement{query: "5"})); got != "" && got != "5" {
			t.Errorf("%v, searched: %s", c.parents, got)
		}
	}
	twice := &observer.Snapshot{Actors: []observer.Actor{{ID: 1, Name: "a"}, {ID: 1, Name: "b"}, {ID: 2, Parent: 1, Name: "c"}}}
	if got := picture(newLook(twice).rows(arrangement{})); got != "a .c b" {
		t.Errorf("one id twice: %s", got)
	}
}

// TestManyRows: 10,000 actors are arranged much faster than they are looked at.
func TestManyRows(t *testing.T) {
	l := newLook(large(10_000))
	start := time.Now()
	for _, a := range []arrangement{{}, {order: "queue"}, {flat: true, order: "name"}, {query: "xxx"}} {
		if n := len(l.rows(a)); n < 1000 {
			t.Errorf("%+v: %d rows", a, n)
		}
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestFit(t *testing.T) {
	names := func(w int, order string) string {
		chosen, room := fit(w, order)
		words := []string{fmt.Sprint(room)}
		for _, c := range chosen {
			words = append(words, c.name)
			w -= c.width + 1
		}
		if w != room {
			t.Errorf("%v leave %d", words, w)
		}
		return strings.Join(words, " ")
	}
	for _, c := range []struct {
		w     int
		order string
		want  string
	}{
		{20, "", "20"},
		{40, "", "18 state queue"},
		{20, "queue", "10 queue"},
		{80, "", "26 state busy queue rate handling restarts"},
		{80, "kind", "32 state queue rate handling kind"},
		{100, "", "30 state busy queue rate handling inhand waiting restarts"},
		{200, "", "97 state busy queue high rate inqueue handling inhand waiting undelivered restarts kind"},
		{0, "", "0"},
	} {
		if got := names(c.w, c.order); got != c.want {
			t.Errorf("%d, %q: %s, want %s", c.w, c.order, got, c.want)
		}
	}
}
