package faults_test

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// run is the body of every process.
func (x *target) run(ctx context.Context, in *actor.Inbox[msg]) error {
	p, how := x.begin(in.Index())
	defer p.finish()
	err := p.live(ctx, in, how)
	p.ends(returned, err)
	return err
}

// begin notes that a process has begun.
func (x *target) begin(index int) (*process, start) {
	w := x.w
	w.mu.Lock()
	defer w.mu.Unlock()
	p := &process{sender: sender{fmt.Sprintf("%s[%d]#%d", x.name, index, x.begun), x}, of: x, index: index, last: make(map[*sender]int)}
	how := startsUp
	if x.begun < len(x.starts) {
		how = x.starts[x.begun]
	}
	x.begun++
	x.alive++
	w.procs = append(w.procs, p)
	return p, how
}

// ends notes how the body is about to end.
func (p *process) ends(how ending, err error) {
	p.of.w.mu.Lock()
	defer p.of.w.mu.Unlock()
	p.end, p.err = how, err
}

// finish notes that the body has ended.
func (p *process) finish() {
	w := p.of.w
	w.mu.Lock()
	defer w.mu.Unlock()
	p.over, p.overAt = true, time.Now()
	p.of.alive--
	if p.end == returned && (p.err == nil || p.err == actor.ErrHalted || p.err == actor.ErrClosed) {
		return
	}
	for _, id := range p.hand {
		w.letters[id].mustCrash++
	}
}

// die panics or ends the goroutine.
func (p *process) die(how ending) {
	p.ends(how, nil)
	p.of.w.happened(how.String())
	if how == inPanic {
		panic(p.who)
	}
	runtime.Goexit()
}

// hang ignores everything.
func (p *process) hang() {
	w := p.of.w
	w.mu.Lock()
	p.hanged = true
	w.happen("ignores abort")
	w.mu.Unlock()
	<-w.release
}

// live comes up, and then receives until it is told to stop.
func (p *process) live(ctx context.Context, in *actor.Inbox[msg], how start) error {
	w := p.of.w
	if how != startsUp {
		w.happened(how.String())
	}
	switch how {
	case startFails:
		return errFault
	case startHangs:
		<-in.Halting()
		return nil
	case startIgnored:
		return supervisor.ErrIgnore
	case startPanics:
		p.die(inPanic)
	default:
	}
	supervisor.Started(ctx)
	w.mu.Lock()
	p.up = true
	w.mu.Unlock()
	w.happened("receive by " + p.of.plan.loop.String())
	switch p.of.plan.loop {
	case byMessages:
		for m := range in.Messages(ctx) {
			w.took(p, m)
			if err := p.handle(ctx, in, m); err != nil {
				return err
			}
			p.letGo()
		}
		return p.told(ctx, in, in.Err())
	case byServe:
		failed := false
		err := in.Serve(ctx, func(ctx context.Context, m msg) error {
			w.took(p, m)
			err := p.handle(ctx, in, m)
			if failed = err != nil; !failed {
				p.letGo()
			}
			return err
		})
		if err != nil || failed {
			return err
		}
		return p.told(ctx, in, in.Err())
	default:
	}
	tick := p.of.plan.idle
	if p.of.plan.loop == byPoll {
		tick = max(tick, ms)
	}
	for {
		p.letGo()
		got, err := p.next(ctx, in, tick)
		switch kind := w.kindOf(err); {
		case err == actor.ErrHalted, kind == closedError:
			return p.told(ctx, in, err)
		case kind == contextError, err == actor.ErrEmpty:
			tick = min(2*tick, time.Minute) // a program would else do nothing but tick
			w.happened("ctx ended a receive")
		}
		for _, m := range got {
			w.took(p, m)
		}
		for _, m := range got {
			if err := p.handle(ctx, in, m); err != nil {
				return err
			}
		}
	}
}

// letGo notes that what was received last is in hand no more.
func (p *process) letGo() {
	p.of.w.mu.Lock()
	defer p.of.w.mu.Unlock()
	p.hand = p.hand[:0]
}

// next receives; idle is how long it waits, or 0. Where the loop waits for
// something else than the inbox, ErrEmpty stands for the end of ctx.
func (p *process) next(ctx context.Context, in *actor.Inbox[msg], idle time.Duration) (got []msg, err error) {
	loop := p.of.plan.loop
	if loop == byReady {
		var late <-chan time.Time
		if idle > 0 {
			late = time.After(idle)
		}
		select {
		case <-in.Ready():
			m, err := in.TryRecv()
			if err != nil && err != actor.ErrEmpty {
				return nil, err
			} else if err == nil {
				got = append(got, m)
			}
			return got, nil
		case <-late:
			return nil, actor.ErrEmpty
		}
	}
	if loop == byPoll {
		m, err := in.TryRecv()
		if err == actor.ErrEmpty {
			time.Sleep(min(idle, 300*ms)) // longer, and it were deaf
			return nil, err
		} else if err == nil {
			got = append(got, m)
		}
		return got, err
	}
	if idle > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, idle)
		defer cancel()
	}
	began := time.Now()
	if loop == byBatch {
		buf := make([]msg, 3)
		n, e := in.RecvBatch(ctx, buf, 2*ms)
		got, err = buf[:n], e
	} else {
		m, e := in.Recv(ctx)
		if err = e; err == nil {
			got = append(got, m)
		}
	}
	if took := time.Since(began); idle > 0 && took > idle {
		p.of.w.wrongly("%s: a receive took %v, and its ctx ended after %v", p.who, took, idle)
	}
	return got, err
}

// told is what a body does when it is told to stop.
func (p *process) told(ctx context.Context, in *actor.Inbox[msg], why error) error {
	w := p.of.w
	if why == actor.ErrHalted {
		w.toldInOrder(p)
		p.of.haltedAlone(p)
	}
	stop := p.of.plan.stop
	if stop != stopsNever {
		w.happened(stop.String())
	}
	switch stop {
	case stopsSlowly:
		time.Sleep(3 * ms)
	case stopsWithError:
		return errFault
	case stopsAfterRest:
		for {
			p.letGo()
			m, err := in.TryRecv()
			if err == why && err == actor.ErrHalted {
				w.wrongly("%s was told twice that it is halted", p.who)
			}
			if err != nil {
				return nil
			}
			w.took(p, m)
			if err := p.handle(ctx, in, m); err != nil {
				return err
			}
		}
	case stopsInPanic:
		p.die(inPanic)
	case stopsAtAbort:
		<-ctx.Done()
	case stopsNever:
		p.hang()
	case stopsAsking:
		if s := supervisor.Of(ctx); s != nil {
			p.callAsChild(ctx, s, 0)
		}
	default:
		return why
	}
	return nil
}

// haltedAlone checks that no more processes of an open actor are halted than
// HaltSome was asked for.
func (x *target) haltedAlone(p *process) {
	if x.worker || x.addr.Closed() {
		return
	}
	w := x.w
	w.mu.Lock()
	defer w.mu.Unlock()
	w.happen("halted alone")
	if x.halted++; x.halted > x.toHalt {
		w.wrong("%s was halted as number %d, and HaltSome was to halt %d", p.who, x.halted, x.toHalt)
	}
}

// handle does what a message asks for. An error ends the body.
func (p *process) handle(ctx context.Context, in *actor.Inbox[msg], m msg) error {
	w, d := p.of.w, m.deed
	w.happened(d.verb.String())
	switch d.verb {
	case work:
		time.Sleep(time.Duration(d.arg) * ms / 2)
	case answer:
		m.Answer(m.id, nil)
	case answerError:
		m.Answer(0, errFault)
	case forward:
		ctx, cancel := context.WithTimeout(ctx, 3*ms)
		defer cancel()
		if d.arg%2 == 0 {
			w.send(ctx, &p.sender, w.target(d.arg), deed{}, 3*ms)
		} else {
			w.trySend(&p.sender, w.target(d.arg), deed{})
		}
	case askOn:
		ctx, cancel := context.WithTimeout(ctx, 3*ms)
		defer cancel()
		w.ask(ctx, &p.sender, w.target(d.arg), deed{verb: answer}, 3*ms, false)
	case spawnChild:
		w.spawnMore(ctx, p, d.arg)
	case callSupervisor:
		if s := supervisor.Of(ctx); s != nil {
			p.callAsChild(ctx, s, d.arg)
		}
	case watchOther:
		w.watch(p.of, w.target(d.arg))
	case closeSelf:
		in.Close()
	case haltSelf:
		in.Address().Halt()
	case fail:
		return errFault
	case panics:
		p.die(inPanic)
	case goexits:
		p.die(inGoexit)
	case returns:
		return actor.ErrHalted
	case hangsToHalt:
		<-in.Halting()
	case hangsToAbort:
		<-ctx.Done()
	case hangs:
		p.hang()
	default:
	}
	return nil
}
