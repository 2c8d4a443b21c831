package observer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// feed is what the viewers of a handler share: the looks, and their JSON. It has
// no goroutine. The viewer that is there first when a look is due takes it for all,
// so that nothing has to be started, stopped or waited for.
//
// What it keeps is bounded, whatever the viewers do: the actors as they were at
// the last look, the deltas that led there, as long as they are no more bytes than
// that, and nothing of viewers but their number.
type feed struct {
	source source
	every  time.Duration
	limit  int

	mu      sync.Mutex
	viewers int
	seq     uint64    // the number of the last look
	due     time.Time // when the next one is
	last    Snapshot  // what that look saw, without the actors
	actors  []encoded // the actors of the last look, in the order of their ids
	size    int       // bytes of these
	whole   []byte    // the event that tells of all that; made when a viewer needs it
	deltas  [][]byte  // the events of the last looks, the newest last
	kept    int       // bytes of these
}

// encoded is an actor of a snapshot and its JSON.
type encoded struct {
	actor *Actor
	text  []byte
}

// head is a snapshot without its actors, which are encoded by themselves, or a
// delta without its actors: a snapshot of only those that changed and with only
// the events that are new, and the ids of the actors that are gone.
type head struct {
	Snapshot
	Actors *struct{} `json:"actors,omitempty"` // hides that of Snapshot
	Gone   []uint64  `json:"gone,omitzero"`
}

func newFeed(s source, every time.Duration, limit int) *feed {
	if every <= 0 {
		every = DefaultEvery
	}
	if limit <= 0 {
		limit = DefaultViewers
	}
	return &feed{source: s, every: every, limit: limit}
}

// enter lets a viewer in, who leaves in the end, unless there are too many.
func (f *feed) enter() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.viewers >= f.limit {
		return false
	}
	f.viewers++
	return true
}

// leave forgets everything but the number of the last look with the last viewer.
func (f *feed) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.viewers--; f.viewers == 0 {
		f.due, f.last, f.actors, f.whole, f.deltas = time.Time{}, Snapshot{}, nil, nil, nil
		f.size, f.kept = 0, 0
	}
}

// after returns the events that a viewer lacks who has got everything up to look
// seq, 0 for nothing; the look that it has then; and when it should ask again. The
// events are the deltas since, or everything if that is less.
func (f *feed) after(seq uint64) (events [][]byte, now uint64, due time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !time.Now().Before(f.due) {
		f.look()
	}
	have, behind := uint64(len(f.deltas)), f.seq-seq
	if behind <= have { // not if seq is 0: the first look has no delta
		return slices.Clone(f.deltas[have-behind:]), f.seq, f.due
	}
	if f.whole == nil {
		f.whole = event("snapshot", encode(head{Snapshot: f.last}), f.actors)
	}
	return [][]byte{f.whole}, f.seq, f.due
}

// look looks at the source and makes the delta to the look before, if there is one.
func (f *feed) look() {
	snapshot := f.source.Snapshot()
	actors, changed, gone := update(f.actors, snapshot.Actors)
	if f.actors != nil {
		news := head{Snapshot: snapshot, Gone: gone}
		news.Events = since(f.last.Events, snapshot.Events)
		delta := event("delta", encode(news), changed)
		f.deltas = append(f.deltas, delta)
		f.kept += len(delta)
	}
	f.seq++
	f.due = time.Now().Add(f.every) // so much after a look, however long it takes
	f.last, f.actors, f.whole, f.size = snapshot, actors, nil, 0
	f.last.Actors = nil // they are in actors
	for _, a := range actors {
		f.size += len(a.text)
	}
	for len(f.deltas) > 1 && f.kept > f.size {
		f.kept -= len(f.deltas[0])
		f.deltas = slices.Delete(f.deltas, 0, 1)
	}
}

// update encodes the actors, both lists being in the order of their ids, and says
// which have changed and which are gone. One that is the same in all its fields is
// not encoded again: with many actors, most do nothing for most of the time.
func update(old []encoded, actors []Actor) (now, changed []encoded, gone []uint64) {
	now = make([]encoded, 0, len(actors))
	gone = []uint64{}
	for i := range actors {
		a := &actors[i]
		for len(old) > 0 && old[0].actor.ID < a.ID {
			gone = append(gone, old[0].actor.ID)
			old = old[1:]
		}
		if len(old) == 0 || old[0].actor.ID != a.ID {
			now = append(now, encoded{a, encode(a)})
			changed = append(changed, now[len(now)-1])
			continue
		}
		before := old[0]
		old = old[1:]
		e := encoded{a, before.text}
		if *before.actor != *a { // what they point to may be equal, though
			if text := encode(a); !bytes.Equal(before.text, text) {
				e.text = text
				changed = append(changed, e)
			}
		}
		now = append(now, e)
	}
	for _, e := range old {
		gone = append(gone, e.actor.ID)
	}
	return now, changed, gone
}

// since returns the events that came after the old ones.
func since(old, events []Event) []Event {
	var last uint64
	for _, e := range old {
		last = max(last, e.Seq)
	}
	news := []Event{}
	for _, e := range events {
		if e.Seq > last {
			news = append(news, e)
		}
	}
	return news
}

// event returns a server-sent event: of its data, head is an object that gets the
// actors as its last field. They are put in as they are: encoded once, not again
// for each event.
func event(name string, head []byte, actors []encoded) []byte {
	size := len(name) + len(head) + 64
	for _, a := range actors {
		size += len(a.text) + 1
	}
	text := make([]byte, 0, size)
	text = fmt.Appendf(text, "event: %s\ndata: %s,\"actors\":[", name, bytes.TrimSuffix(head, []byte("}")))
	for i, a := range actors {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, a.text...)
	}
	return append(text, "]}\n\n"...)
}

// encode returns v as JSON, in one line and with <, > and & escaped.
func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // there is nothing in these types that cannot be encoded
	}
	return text
}
