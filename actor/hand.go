package actor

import "runtime"

// runCrash gives what the process had in hand to OnCrash, and is where it hangs
// if that does: see runBody.
//
//go:noinline
func runCrash(p *process) {
	crash := p.core.held.OnCrash
	if crash == nil {
		return
	}
	p.setCrashing(true)
	for {
		msg, ok := p.seat.nextInHand()
		if !ok {
			break
		}
		p.crash(crash, msg)
	}
	p.setCrashing(false)
	runtime.KeepAlive(p)
}

func (p *process) setCrashing(crashing bool) {
	p.core.mu.Lock()
	defer p.core.mu.Unlock()
	p.life.crashing = crashing
}

// crash gives one message to OnCrash.
func (p *process) crash(onCrash func(any, error), msg any) {
	defer p.core.recordRecovered("OnCrash")
	onCrash(msg, p.err)
}

// empty hands back what is queued before a process begins with an empty inbox.
func (p *process) empty() {
	c := p.core
	n := 0
	defer func() { // also if Undelivered calls Goexit
		if n > 0 {
			c.tellUndelivered(n)
		}
	}()
	for left := c.queue.Len(); left > 0 && !p.fenced(); left-- {
		msg, ticket, ok := c.queue.takeAny()
		if !ok {
			return
		}
		n++
		c.handOver(msg, ticket)
	}
}

// fenced reports whether the process was aborted.
func (p *process) fenced() bool {
	p.core.mu.Lock()
	defer p.core.mu.Unlock()
	return !p.abortedAt().IsZero()
}
