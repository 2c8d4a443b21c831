package supervisor

import (
	"container/heap"
	"time"
)

// timers are the timers of one supervisor. There is one clock for all of them,
// so that ten thousand children that stop at once cost no timer each.
type timers struct {
	queue alarms
	byKey map[timer]*alarm
}

// alarm is one timer.
type alarm struct {
	timer timer
	at    time.Time
	index int // in alarms
}

// add adds a timer and reports whether it is the next one.
func (t *timers) add(key timer, at time.Time) bool {
	a := &alarm{timer: key, at: at}
	if t.byKey == nil {
		t.byKey = make(map[timer]*alarm)
	}
	t.byKey[key] = a
	heap.Push(&t.queue, a)
	return a.index == 0
}

// cancel forgets a timer, if it has not run out.
func (t *timers) cancel(key timer) {
	if a := t.byKey[key]; a != nil {
		delete(t.byKey, key)
		heap.Remove(&t.queue, a.index)
	}
}

// next returns when the next timer runs out, if there is one.
func (t *timers) next() (at time.Time, ok bool) {
	if len(t.queue) == 0 {
		return at, false
	}
	return t.queue[0].at, true
}

// due takes out a timer that has run out.
func (t *timers) due(now time.Time) (key timer, ok bool) {
	if at, ok := t.next(); !ok || at.After(now) {
		return key, false
	}
	a := heap.Pop(&t.queue).(*alarm)
	delete(t.byKey, a.timer)
	return a.timer, true
}

// alarms is the heap of timers.
type alarms []*alarm

func (h alarms) Len() int           { return len(h) }
func (h alarms) Less(i, j int) bool { return h[i].at.Before(h[j].at) }

func (h alarms) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *alarms) Push(x any) {
	a := x.(*alarm)
	a.index = len(*h)
	*h = append(*h, a)
}

func (h *alarms) Pop() any {
	n := len(*h) - 1
	a := (*h)[n]
	(*h)[n] = nil
	*h = (*h)[:n]
	return a
}
