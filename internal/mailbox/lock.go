package mailbox

import "tinyactor/internal/sched"

// The states of a lock. Three of them are free: the lock of a queue at which
// nothing is going on says so, and then its only receiver can begin to wait by
// changing nothing but this word.
const (
	calm    uint32 = iota // free: the queue is empty, and its only receiver has nothing to look at
	held                  // somebody has it
	awaited               // free: calm, and the receiver waits
	free                  // free: whoever takes it must look
)

// The pauses between two tries for a lock, in turns of an empty loop of about a
// third of a nanosecond, and how often a loser lets others run before it queues.
const (
	firstPause = 768  // about 256 ns
	lastPause  = 6144 // about 2 µs
	mostYields = 4
)

// lock is a spin lock for sections of some ten instructions in which nothing
// waits. Who does not get it stays away for some hundred nanoseconds, twice as
// long each time, then lets other goroutines run before each further try, and
// then takes its turn among the losers, so that only one of them goes on trying.
//
// The pause is what makes it fast: meanwhile the cache line stays with the
// processor that has it, whose goroutines lock many times at the price of one
// transfer. A mutex would park the losers, and a fair lock would make the line
// travel at every turn; both cost three to eight times as much. The rest is for
// a holder whose thread is preempted, and for one processor: the yields let it
// run, and losers that queue do not keep the system from running it.
type lock struct {
	state sched.Uint32
	turn  sched.Mutex // among the losers; never taken by who has the lock
}

// take takes the lock and returns which of the free states it was in.
func (l *lock) take() uint32 {
	w := l.state.Swap(held)
	if w == held {
		w = l.contend()
	}
	return w
}

func (l *lock) contend() uint32 {
	for pause := firstPause; pause <= lastPause; pause *= 2 {
		sched.Pause(pause)
		if w := l.retry(); w != held {
			return w
		}
	}
	for range mostYields {
		sched.Spin()
		if w := l.retry(); w != held {
			return w
		}
	}
	l.turn.Lock()
	w := l.retry()
	for w == held {
		sched.Spin()
		w = l.retry()
	}
	l.turn.Unlock()
	return w
}

// retry takes the lock if it looks free, and returns the state it was in.
func (l *lock) retry() uint32 {
	if l.state.Load() == held {
		return held
	}
	return l.state.Swap(held)
}

// lock takes the queue's lock. A receiver that waits by the lock's state alone is
// put into the line of those that wait, so that nobody who has the lock needs to
// know about that.
func (q *Queue[M]) lock() { q.taken(q.mu.take()) }

// taken is the rest of taking the lock, which was in state w.
func (q *Queue[M]) taken(w uint32) {
	if w == awaited { // step 3: whoever has the lock finds all waiters in idle
		q.idle.join(&q.seats.first.of.place)
		q.quota = 0
	}
}

// tryLock takes the lock if it is free.
func (q *Queue[M]) tryLock() bool {
	w := q.mu.state.Swap(held)
	if w != held {
		q.taken(w)
	}
	return w != held
}

// unlock lets go of the queue's lock.
func (q *Queue[M]) unlock() {
	if q.n == 0 && q.isCalm() {
		q.mu.state.Store(calm)
	} else {
		q.mu.state.Store(free)
	}
}

// isCalm reports whether an empty queue has one receiver, for which there is
// nothing to look at, and nobody else who waits or watches.
func (q *Queue[M]) isCalm() bool {
	p := q.seats.first
	return !q.closed && p != nil && p == q.seats.last && q.holder == nil &&
		q.idle.first == nil && q.senders.first == nil &&
		(!p.of.halted || p.of.told) && !p.of.isAborted() && !q.probe.pending()
}
