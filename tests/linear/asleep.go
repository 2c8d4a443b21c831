package linear

import (
	"fmt"
	"time"

	"tinyactor/internal/sched"
)

// asleepTime is how long a client may seem to sleep for nothing: it may be awake,
// and wait for a processor.
const asleepTime = 10 * time.Second

// asleep looks, when nobody seems to do anything any more, for a client that
// waits though there is no reason to. An operation that comes too late is still
// linearizable, so nothing else would notice.
func (h *history) asleep() string {
	long := h.at.asleep
	if h.stuck.Load() {
		long /= 100 // somebody has slept, and that is enough to end a run
	}
	var who string
	for start := time.Now(); time.Since(start) < long; sched.Yield() {
		if who = h.dozing(); who == "" {
			return ""
		}
	}
	h.stuck.Store(true)
	return who
}

// dozing names a client that is in an operation that it should be able to end.
func (h *history) dozing() string {
	n := h.at.box.Len()
	if h.at.box.Closed() {
		return ""
	}
	for c := range h.clients {
		kind := Kind(h.waits[c].Load())
		if kind == Push && n < h.policy.Limit || kind.receives() && n > 0 {
			return fmt.Sprintf("client %d sleeps in %v though there are %d messages of %d", c, kind, n, h.policy.Limit)
		}
	}
	return ""
}
