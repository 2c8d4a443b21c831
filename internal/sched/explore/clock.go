package explore

import (
	"slices"
	"time"
)

// epoch is when each run begins.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Now is the time on the run's clock. It goes on when an alarm goes off.
func (r *Run) Now() time.Time { return epoch.Add(r.clock) }

// Alarm is something that happens later.
type Alarm struct {
	r  *Run
	at time.Duration
	f  func()
}

// Alarm has f called when d has passed: it must not wait.
func (r *Run) Alarm(d time.Duration, f func()) *Alarm {
	a := &Alarm{r: r, f: f}
	a.Reset(d)
	return a
}

// Reset sets when the alarm goes off and reports whether it had been set.
func (a *Alarm) Reset(d time.Duration) bool {
	was := a.Stop()
	a.at = a.r.clock + max(d, 0)
	if a.at < a.r.clock {
		a.at = 1<<63 - 1
	}
	i, _ := slices.BinarySearchFunc(a.r.alarms, a.at, func(o *Alarm, at time.Duration) int {
		if o.at <= at {
			return -1
		}
		return 1
	})
	a.r.alarms = slices.Insert(a.r.alarms, i, a)
	return was
}

// Stop makes the alarm not go off and reports whether it was set.
func (a *Alarm) Stop() bool {
	i := slices.Index(a.r.alarms, a)
	if i >= 0 {
		a.r.alarms = slices.Delete(a.r.alarms, i, i+1)
	}
	return i >= 0
}

// ring lets the next alarm go off, and reports whether there is one.
func (r *Run) ring() bool {
	if len(r.alarms) == 0 {
		return false
	}
	a := r.alarms[0]
	r.alarms = slices.Delete(r.alarms, 0, 1)
	r.clock = a.at
	if r.traced {
		r.trace = append(r.trace, "the clock: "+r.clock.String()+" have passed")
	}
	a.f()
	r.version++
	return true
}

// watch is something that happens when a condition becomes true.
type watch struct {
	when func() bool
	f    func()
}

// When calls f on a thread of its own once when says so, unless stop is called
// before; that reports whether it was.
func (r *Run) When(when func() bool, f func()) (stop func() bool) {
	w := &watch{when, f}
	r.watches = append(r.watches, w)
	return func() bool {
		r.Step("stop watching", nil)
		r.look() // what has become true before this counts
		i := slices.Index(r.watches, w)
		if i >= 0 {
			r.watches = slices.Delete(r.watches, i, i+1)
		}
		return i >= 0
	}
}

// look starts the threads of those watches whose condition has become true.
func (r *Run) look() {
	for i := 0; i < len(r.watches); i++ {
		if w := r.watches[i]; w.when() {
			r.watches = slices.Delete(r.watches, i, i+1)
			i--
			r.Go("watcher", w.f)
		}
	}
}

// Object is what the garbage collector would find one day. Here the program says
// when.
type Object struct {
	gone bool
	ends []func()
}

// Object returns what is known of the object behind a pointer.
func (r *Run) Object(p any) *Object {
	o := r.objects[p]
	if o == nil {
		o = new(Object)
		if r.objects == nil {
			r.objects = make(map[any]*Object)
		}
		r.objects[p] = o
	}
	return o
}

// AtEnd has f called when the object has been collected.
func (o *Object) AtEnd(f func()) { o.ends = append(o.ends, f) }

// Gone reports whether the object has been collected.
func (o *Object) Gone() bool { return o.gone }

// Collect says that nobody can reach the object any more, if that is still so
// when it comes to it: weak pointers to it are empty from now on, and its
// cleanups run on the calling thread.
func (r *Run) Collect(p any, unreachable func() bool) {
	o := r.Object(p)
	r.Step("collect", nil)
	if !unreachable() {
		return
	}
	o.gone = true
	r.version++
	for _, f := range o.ends {
		f()
	}
}
