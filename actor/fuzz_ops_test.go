package actor_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"time"

	"tinyactor/actor"
)

// fuzzOps are the operations of a sequence. Each does one thing to the actor,
// waits until everything has settled, and does the same to the model.
var fuzzOps = []func(r *fuzzRun, arg int){
	0: func(r *fuzzRun, _ int) { r.send("Send", false) },
	1: func(r *fuzzRun, _ int) { r.sendNoWait("TrySend", r.addr.TrySend, r.crowded()) },
	2: func(r *fuzzRun, _ int) { r.sendNoWait("SendNow", r.addr.SendNow, r.full()) },
	3: func(r *fuzzRun, _ int) { r.send("Ask", true) },
	4: func(r *fuzzRun, arg int) { r.sendAll(1 + arg%4) },
	5: func(r *fuzzRun, arg int) { r.recv(arg, "Recv", 1, -1) },
	6: func(r *fuzzRun, arg int) { r.tryRecv(arg) },
	7: func(r *fuzzRun, arg int) {
		r.recv(arg>>4, "RecvBatch", 2+arg%2, time.Duration(arg>>1%8)*time.Millisecond+time.Millisecond/2)
	},
	8:  func(r *fuzzRun, arg int) { r.recv(arg>>2, "RecvBatch", 1+arg%4, 0) },
	9:  func(r *fuzzRun, _ int) { r.closeOp() },
	10: func(r *fuzzRun, _ int) { r.halt() },
	11: func(r *fuzzRun, arg int) { r.haltSome(arg % 4) },
	12: func(r *fuzzRun, _ int) { r.abort() },
	13: func(r *fuzzRun, arg int) { r.exitOp(arg) },
	14: func(r *fuzzRun, _ int) { r.spawn() },
	15: func(r *fuzzRun, arg int) { r.cancelSend(arg) },
	16: func(r *fuzzRun, arg int) { r.cancelRecv(arg) },
	17: func(r *fuzzRun, arg int) { r.pass(time.Duration(1+arg%4) * time.Millisecond) },
	18: func(r *fuzzRun, arg int) { r.answer(arg) },
	19: func(r *fuzzRun, arg int) { r.askReady(arg) },
}

// fuzzDice says how often each comes: the rare ones end the actor.
var fuzzDice = func() (dice []int) {
	for op := range fuzzOps {
		often := 6
		switch op {
		case 9, 10, 12:
			often = 1
		case 11, 13, 14, 2, 19:
			often = 3
		case 0, 3, 5:
			often = 14
		}
		for range often {
			dice = append(dice, op)
		}
	}
	return dice
}()

// step does one operation. Numbers below the number of operations stand for
// themselves, so that the corpus can be read.
func (r *fuzzRun) step(op byte, arg int) {
	r.steps++
	n := int(op)
	if n >= len(fuzzOps) {
		n = fuzzDice[n%len(fuzzDice)]
	}
	fuzzOps[n](r, arg)
}

// newSend makes the next message, which nobody has sent yet.
func (r *fuzzRun) newSend() *fuzzSend {
	s := &fuzzSend{id: len(r.sends), cancel: func() {}}
	r.sends = append(r.sends, s)
	return s
}

func (r *fuzzRun) send(what string, ask bool) {
	if r.delayed != nil {
		return // with two of them it would be open who is first
	}
	s := r.newSend()
	s.ask = ask
	r.note("%s %d", what, s.id)
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go func() {
		var value int
		var err error
		if ask {
			value, err = actor.Ask(ctx, r.addr, func(rep actor.Reply[int]) fuzzMsg { return fuzzMsg{s.id, rep} })
		} else {
			err = r.addr.Send(ctx, fuzzMsg{id: s.id})
		}
		r.set(func() { s.value, s.err, s.done = value, err, true })
	}()
	r.settle(0)
	switch {
	case r.closed:
		r.sendEnds(s, actor.ErrClosed)
	case r.full():
		r.waiting = append(r.waiting, s)
	case r.crowded():
		r.delayed = s
		s.due = time.Now().Add(r.delay())
	default:
		r.accept(s.id)
		r.accepts(s)
	}
}

// delay is what law S6 says, with the two policies in fuzzKinds.
func (r *fuzzRun) delay() time.Duration {
	over := len(r.queue) - r.start
	d := time.Duration(over+1) * time.Millisecond
	if r.start == 1 { // the exponential one
		d = time.Millisecond << min(over, 10)
	}
	return min(d, 10*time.Millisecond)
}

func (r *fuzzRun) sendNoWait(what string, send func(fuzzMsg) error, full bool) {
	s := r.newSend()
	r.note("%s %d", what, s.id)
	s.err, s.done = send(fuzzMsg{id: s.id}), true
	r.settle(0)
	switch {
	case r.closed:
		r.sendEnds(s, actor.ErrClosed)
	case full:
		r.sendEnds(s, actor.ErrFull)
	default:
		r.accept(s.id)
		r.accepts(s)
	}
}

// sendAll sends k messages with a ctx that has ended, so that it does not wait.
func (r *fuzzRun) sendAll(k int) {
	if slices.ContainsFunc(r.waiters(), func(p *fuzzProc) bool { return p.max > 1 }) {
		return // it would be open which of them the batch gets
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var all []*fuzzSend
	var msgs []fuzzMsg
	for range k {
		s := r.newSend()
		s.done = true
		all, msgs = append(all, s), append(msgs, fuzzMsg{id: s.id})
	}
	r.note("SendAll %d to %d", all[0].id, all[k-1].id)
	n, err := r.addr.SendAll(ctx, msgs)
	r.settle(0)
	var want error
	in := 0
	for _, s := range all {
		switch {
		case want == nil && r.closed:
			want = actor.ErrClosed
		case want == nil && r.crowded():
			want = context.Canceled
		}
		s.err = want
		if want == nil {
			in++
			r.accept(s.id)
		}
		r.sendEnds(s, want)
	}
	if n != in || !errors.Is(err, want) || want == nil && err != nil {
		r.fail("SendAll: %d, %v, want %d, %v", n, err, in, want)
	}
}

// pick chooses an idle process.
func (r *fuzzRun) pick(arg int) *fuzzProc {
	_, idle := r.liveProcs()
	if len(idle) == 0 {
		return nil
	}
	return idle[arg%len(idle)]
}

// recv makes a process receive: a batch of at most max if wait is not negative.
func (r *fuzzRun) recv(arg int, what string, max int, wait time.Duration) {
	p := r.pick(arg)
	if live, _ := r.liveProcs(); p == nil || wait > 0 && len(live) > 1 {
		return // what a batch has gathered can be seen only if it is alone
	}
	if len(r.waiters()) > 0 && r.waiters()[0].wait > 0 {
		return
	}
	r.note("process %d: %s max %d wait %v", p.index, what, max, wait)
	r.receive(p, func(ctx context.Context, in *actor.Inbox[fuzzMsg]) ([]fuzzMsg, error) {
		if wait < 0 {
			m, err := in.Recv(ctx)
			return []fuzzMsg{m}, err
		}
		dst := make([]fuzzMsg, max)
		n, err := in.RecvBatch(ctx, dst, wait)
		return dst[:n], err
	})
	p.max, p.wait = max, wait
	if r.told(p) {
		return
	}
	if len(r.queue) == 0 {
		if r.closed {
			r.refused(p, actor.ErrClosed)
		} else {
			p.waiting = true
		}
		return
	}
	// Room that a batch makes may be filled before it has ended: it may or may
	// not take that, too.
	least, most := min(max, len(r.queue)), min(max, len(r.queue)+len(r.waiting))
	n := len(p.msgs)
	if wait > 0 && most < max && !r.closed {
		n = most
		p.due, p.waiting = time.Now().Add(wait), true
	} else if wait > 0 {
		n = most
	}
	if n < least || n > most {
		r.fail("process %d: a receive of %d, want %d to %d", p.index, n, least, most)
		return
	}
	var ids []int
	for range n {
		ids = append(ids, r.take())
	}
	if p.waiting {
		p.gathered = ids
	} else {
		r.receives(p, ids)
	}
	r.undelay(true)
}

func (r *fuzzRun) tryRecv(arg int) {
	p := r.pick(arg)
	if p == nil {
		return
	}
	r.note("process %d: TryRecv", p.index)
	if p.ready != nil && !r.closed { // who takes a token receives
		select {
		case <-p.ready:
		default:
		}
	}
	r.receive(p, func(_ context.Context, in *actor.Inbox[fuzzMsg]) ([]fuzzMsg, error) {
		m, err := in.TryRecv()
		return []fuzzMsg{m}, err
	})
	switch {
	case r.told(p):
	case len(r.queue) > 0:
		r.receives(p, []int{r.take()})
		r.undelay(true)
	case r.closed:
		r.refused(p, actor.ErrClosed)
	default:
		r.refused(p, actor.ErrEmpty)
	}
}

// receive makes a process call f with a context that can be cancelled.
func (r *fuzzRun) receive(p *fuzzProc, f func(context.Context, *actor.Inbox[fuzzMsg]) ([]fuzzMsg, error)) {
	p.msgs, p.err, p.done = nil, nil, false
	p.do <- func(ctx context.Context, in *actor.Inbox[fuzzMsg]) (bool, error) {
		if p.index%2 == 0 { // the others wait with their own
			own, cancel := context.WithCancel(ctx)
			defer cancel()
			p.run.set(func() { p.cancel = cancel })
			ctx = own
		}
		msgs, err := f(ctx, in)
		p.run.set(func() { p.msgs, p.err, p.done = msgs, err, true })
		return false, nil
	}
	r.settle(0)
}

// told is what a receive says before it looks at the queue.
func (r *fuzzRun) told(p *fuzzProc) bool {
	switch {
	case r.aborted:
		r.exit(p, actor.ErrAborted)
	case p.halted && !p.told:
		p.told = true
		r.refused(p, actor.ErrHalted)
	default:
		return false
	}
	return true
}

func (r *fuzzRun) closeOp() {
	r.note("Close")
	first := r.pool.Close()
	r.settle(0)
	if first == r.closed {
		r.fail("Close: %v, want %v", first, !r.closed)
	}
	r.close()
	for _, p := range r.waiters() {
		r.stopsWaiting(p, actor.ErrClosed)
	}
}

func (r *fuzzRun) halt() {
	r.note("Halt")
	r.addr.Halt()
	r.settle(0)
	r.close()
	for _, p := range r.procs {
		if !p.live {
			continue
		}
		p.halted = true
		if p.waiting && p.told {
			r.stopsWaiting(p, actor.ErrClosed)
		} else if p.waiting {
			r.stopsWaiting(p, actor.ErrHalted)
		}
	}
	r.halted = true
}

func (r *fuzzRun) haltSome(n int) {
	r.note("HaltSome(%d)", n)
	r.pool.HaltSome(n)
	r.settle(0)
	unmarked, waiting, marked, woken := 0, 0, 0, 0
	for _, p := range r.procs {
		if !p.live || p.halted {
			continue
		}
		unmarked++
		if p.waiting {
			waiting++
		}
		if r.aborted {
			p.halted = unmarked <= n // Halting tells no more; all is over at the next receive
			continue
		}
		if !fuzzClosed(p.halting) {
			continue
		}
		p.halted = true
		marked++
		if p.waiting {
			woken++
			r.stopsWaiting(p, actor.ErrHalted)
		}
	}
	if want := min(n, unmarked); !r.aborted && (marked != want || woken != min(n, waiting)) {
		r.fail("HaltSome(%d) of %d, %d of them waiting, marked %d, %d of them waiting", n, unmarked, waiting, marked, woken)
	}
}

func (r *fuzzRun) abort() {
	r.note("Abort")
	first := r.pool.Abort()
	r.settle(0)
	if want := !r.aborted && !r.ended; first != want {
		r.fail("Abort: %v, want %v", first, want)
	}
	if !first {
		return
	}
	r.aborted = true
	r.close()
	for _, p := range r.waiters() {
		r.queue = append(p.gathered, r.queue...)
		r.exit(p, actor.ErrAborted)
	}
}

// exitOp ends a process in one of the ways.
func (r *fuzzRun) exitOp(arg int) {
	if p := r.pick(arg); p != nil {
		r.end(p, arg>>2%6)
	}
}

func (r *fuzzRun) end(p *fuzzProc, how int) {
	r.note("process %d: exit %d", p.index, how)
	want := []error{nil, errFuzz, nil, nil, errFuzz, actor.ErrGoexit}[how]
	p.do <- func(context.Context, *actor.Inbox[fuzzMsg]) (bool, error) {
		switch how {
		case 2:
			return true, actor.ErrHalted
		case 3:
			return true, actor.ErrClosed
		case 4:
			panic(errFuzz)
		case 5:
			runtime.Goexit()
		}
		return true, want
	}
	r.settle(0)
	if r.aborted && want != nil {
		want = actor.ErrAborted // joined with the body's own
	}
	r.exit(p, want)
}

func (r *fuzzRun) spawn() {
	if ws := r.waiters(); len(r.procs) > 8 || len(ws) > 0 && ws[0].wait > 0 {
		return
	}
	p := r.newProc()
	r.note("Spawn process %d", p.index)
	err := r.pool.Spawn(p.body)
	r.settle(0)
	if r.ended {
		if !errors.Is(err, actor.ErrClosed) || p.started {
			r.fail("Spawn after the end: %v, started: %v", err, p.started)
		}
		r.procs = r.procs[:p.index]
		return
	}
	if err != nil || !p.started {
		r.fail("Spawn: %v, started: %v", err, p.started)
	}
	p.halted = r.halted
}

// cancelSend ends the ctx of a send or ask that has not ended.
func (r *fuzzRun) cancelSend(arg int) {
	var open []*fuzzSend
	for _, s := range r.sends {
		if !s.over {
			open = append(open, s)
		}
	}
	if len(open) == 0 {
		return
	}
	s := open[arg%len(open)]
	r.note("cancel send %d", s.id)
	s.cancel()
	r.settle(0)
	r.sendEnds(s, context.Canceled)
	r.waiting = slices.DeleteFunc(r.waiting, func(w *fuzzSend) bool { return w == s })
	if r.delayed == s {
		r.delayed = nil
	}
}

// cancelRecv ends the ctx of a receive that waits.
func (r *fuzzRun) cancelRecv(arg int) {
	ws := slices.DeleteFunc(r.waiters(), func(p *fuzzProc) bool { return p.index%2 == 1 })
	if len(ws) == 0 {
		return
	}
	p := ws[arg%len(ws)]
	r.note("process %d: cancel the receive", p.index)
	p.cancel()
	r.settle(0)
	r.stopsWaiting(p, context.Canceled)
}

// pass lets time go by, from one event to the next.
func (r *fuzzRun) pass(d time.Duration) {
	r.note("%v pass", d)
	for end := time.Now().Add(d); time.Now().Before(end) && !r.t.Failed(); {
		next := end
		if r.delayed != nil && r.delayed.due.Before(next) {
			next = r.delayed.due
		}
		for _, p := range r.waiters() {
			if len(p.gathered) > 0 && p.due.Before(next) {
				next = p.due
			}
		}
		r.settle(time.Until(next))
		r.undelay(false)
		for _, p := range r.waiters() {
			if len(p.gathered) > 0 && !time.Now().Before(p.due) {
				r.receives(p, p.gathered)
			}
		}
	}
}

// answer answers an ask that somebody has received, perhaps again or too late.
func (r *fuzzRun) answer(arg int) {
	var held []*fuzzSend
	for _, s := range r.sends {
		if s.holder != nil {
			held = append(held, s)
		}
	}
	if len(held) == 0 {
		return
	}
	s := held[arg%len(held)]
	r.note("answer %d", s.id)
	ok := s.reply.Answer(s.id*10, nil)
	r.settle(0)
	if ok == s.over {
		r.fail("Answer %d: %v, want %v", s.id, ok, !s.over)
	}
	if ok {
		r.sendEnds(s, nil)
		if s.value != s.id*10 {
			r.fail("ask %d: %d, want %d", s.id, s.value, s.id*10)
		}
	}
}

// askReady makes a process ask for its Ready channel.
func (r *fuzzRun) askReady(arg int) {
	p := r.pick(arg)
	if p == nil {
		return
	}
	r.note("process %d: Ready", p.index)
	before := p.ready
	p.do <- func(_ context.Context, in *actor.Inbox[fuzzMsg]) (bool, error) {
		p.run.set(func() { p.ready = in.Ready() })
		return false, nil
	}
	r.settle(0)
	if before != nil && before != p.ready {
		r.fail("process %d: Ready is not the same channel", p.index)
	}
}
