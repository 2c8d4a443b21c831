package supervisor

import "time"

// window is when restarts were counted, as far as that is not too long ago.
type window struct {
	times []time.Duration // in order, from first on
	first int
}

// add counts a restart at a time and reports whether that is within the limit.
func (w *window) add(now time.Duration, l Limit) bool {
	for w.first < len(w.times) && w.times[w.first] < now-l.Period {
		w.first++
	}
	if w.first > len(w.times)/2 { // so each is moved once on average
		w.times = w.times[:copy(w.times, w.times[w.first:])]
		w.first = 0
	}
	w.times = append(w.times, now)
	return len(w.times)-w.first <= l.Restarts
}
