package actor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// The model of an actor that FuzzS3Sequences compares with: a slice for the
// queue, one for the senders that wait, and flags. Where the laws leave open
// which process gets a message or a halt, the model looks at which one did, and
// checks that it is one that may.

// fuzzKinds are the actors that sequences are tried on.
var fuzzKinds = []struct {
	name         string
	n            int // processes
	limit, start int
	capacity     actor.Capacity
}{
	{"one unbounded", 1, 0, 0, actor.Unbounded()},
	{"one bounded", 1, 2, 0, actor.Bounded(2)},
	{"one with backpressure", 1, 0, 2, actor.Backpressure(2, time.Millisecond, 1)},
	{"three bounded", 3, 3, 0, actor.Bounded(3)},
	{"two unbounded", 2, 0, 0, actor.Unbounded()},
	{"three with backpressure", 3, 0, 1, actor.Backpressure(1, time.Millisecond, 2)},
}

var errFuzz = errors.New("fuzz")

// fuzzMsg is a message: its number, and where the answer goes if it is asked.
type fuzzMsg struct {
	id int
	actor.Reply[int]
}

// fuzzSend is a Send or an Ask.
type fuzzSend struct {
	id     int
	ask    bool
	cancel context.CancelFunc

	// Of its goroutine.
	done  bool
	value int
	err   error

	// The model.
	over   bool
	due    time.Time // when backpressure lets it in
	holder *fuzzProc // an ask: who received it
	reply  actor.Reply[int]
}

// fuzzProc is a process, which does what it is told.
type fuzzProc struct {
	run     *fuzzRun
	index   int
	do      chan func(context.Context, *actor.Inbox[fuzzMsg]) (end bool, err error)
	halting <-chan struct{}
	ready   <-chan struct{} // once it has asked for it
	cancel  context.CancelFunc

	// Of its goroutine.
	started, gone, done bool
	msgs                []fuzzMsg
	err                 error

	// The model.
	live, halted, told, waiting bool

	max      int // of the receive that waits
	wait     time.Duration
	gathered []int
	due      time.Time
}

type fuzzRun struct {
	t *testing.T
	// The sequence holds mu all the time but in settle. What other goroutines
	// write for it, they write under mu.
	mu   sync.Mutex
	log  []string
	pool *actor.Pool[fuzzMsg, int]
	addr *actor.Address[fuzzMsg]
	back list[any] // what Undelivered got

	// The model.
	limit, start                   int
	closed, halted, aborted, ended bool
	queue                          []int
	waiting                        []*fuzzSend // for room
	delayed                        *fuzzSend
	sends                          []*fuzzSend
	procs                          []*fuzzProc
	exits                          []fuzzExit
	steps                          int
	accepted, received, leftovers  []int
}

// fuzzExit is an exit that must come; those of one step may come in any order.
type fuzzExit struct {
	step, index int
	err         error
}

type fuzzQuiet struct{}

func (fuzzQuiet) Observe(actor.Event) {}
func (fuzzQuiet) LogsPanics() bool    { return true }

func newFuzzRun(t *testing.T, kind byte) *fuzzRun {
	k := fuzzKinds[int(kind)%len(fuzzKinds)]
	r := &fuzzRun{t: t, limit: k.limit, start: k.start}
	r.mu.Lock()
	r.note("actor: %s", k.name)
	owner := actor.WithObserver(context.Background(), fuzzQuiet{})
	cfg := actor.Config{Name: "fuzz", Capacity: k.capacity, Undelivered: r.back.add}
	for range k.n {
		r.newProc()
	}
	body := func(ctx context.Context, in *actor.Inbox[fuzzMsg]) (int, error) {
		return r.procs[in.Index()].body(ctx, in)
	}
	if k.n == 1 {
		var child *actor.Child[fuzzMsg, int]
		child, r.addr = actor.SpawnValue(owner, cfg, body)
		r.pool = child.Pool()
	} else {
		r.pool, r.addr = actor.SpawnPool(owner, cfg, k.n, body)
	}
	r.settle(0)
	return r
}

// settle waits until d has passed and nothing happens any more.
func (r *fuzzRun) settle(d time.Duration) {
	r.mu.Unlock()
	time.Sleep(d)
	synctest.Wait()
	r.mu.Lock()
}

// set writes what the sequence reads.
func (r *fuzzRun) set(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

func (r *fuzzRun) newProc() *fuzzProc {
	p := &fuzzProc{run: r, index: len(r.procs), live: true}
	p.do = make(chan func(context.Context, *actor.Inbox[fuzzMsg]) (bool, error))
	r.procs = append(r.procs, p)
	return p
}

// body does what it is told, and may be unwound by it.
func (p *fuzzProc) body(ctx context.Context, in *actor.Inbox[fuzzMsg]) (int, error) {
	p.run.set(func() { p.started, p.halting = true, in.Halting() })
	defer p.run.set(func() { p.gone = true })
	for f := range p.do {
		if end, err := f(ctx, in); end {
			return p.index, err
		}
	}
	return p.index, nil
}

func (r *fuzzRun) note(format string, args ...any) {
	r.log = append(r.log, fmt.Sprintf(format, args...))
}

// fail reports the first difference, with all steps before it.
func (r *fuzzRun) fail(format string, args ...any) {
	r.t.Helper()
	if r.t.Failed() {
		return
	}
	for _, l := range r.log {
		r.t.Log(l)
	}
	r.t.Errorf(format, args...)
}

// liveProcs returns the processes that live; idle, those that do not wait.
func (r *fuzzRun) liveProcs() (live, idle []*fuzzProc) {
	for _, p := range r.procs {
		if p.live {
			live = append(live, p)
			if !p.waiting {
				idle = append(idle, p)
			}
		}
	}
	return live, idle
}

// waiters returns the processes that wait in a receive.
func (r *fuzzRun) waiters() (ps []*fuzzProc) {
	for _, p := range r.procs {
		if p.waiting {
			ps = append(ps, p)
		}
	}
	return ps
}

func (r *fuzzRun) full() bool    { return r.limit > 0 && len(r.queue) >= r.limit }
func (r *fuzzRun) crowded() bool { return r.full() || r.start > 0 && len(r.queue) >= r.start }

// accept is a message that enters: a process that waits has got it, or it is queued.
func (r *fuzzRun) accept(id int) {
	r.accepted = append(r.accepted, id)
	r.place(id)
}

func (r *fuzzRun) place(id int) {
	ws := r.waiters()
	if len(ws) == 0 {
		r.queue = append(r.queue, id)
		return
	}
	if p := ws[0]; p.wait > 0 { // it is alone: see recv
		p.gathered = append(p.gathered, id)
		if len(p.gathered) == 1 {
			p.due = time.Now().Add(p.wait)
		}
		if len(p.gathered) == p.max {
			r.receives(p, p.gathered)
		}
		return
	}
	for _, p := range ws {
		if p.done && p.err == nil && len(p.msgs) == 1 && p.msgs[0].id == id {
			r.receives(p, []int{id})
			return
		}
	}
	r.fail("message %d went to nobody although %d processes waited", id, len(ws))
}

// take is a message that leaves the queue, which lets in who waits for room.
func (r *fuzzRun) take() int {
	id := r.queue[0]
	r.queue = r.queue[1:]
	for len(r.waiting) > 0 && !r.full() {
		s := r.waiting[0]
		r.waiting = r.waiting[1:]
		r.accepted = append(r.accepted, s.id)
		r.queue = append(r.queue, s.id)
		r.accepts(s)
	}
	return id
}

// undelay lets the delayed sender in if its time is over, or a receive has
// brought the queue back to its mark.
func (r *fuzzRun) undelay(received bool) {
	if s := r.delayed; s != nil && (received && len(r.queue) <= r.start || !time.Now().Before(s.due)) {
		r.delayed = nil
		r.accept(s.id)
		r.accepts(s)
	}
}

// accepts is a Send that returns nil, or an Ask that goes on to wait.
func (r *fuzzRun) accepts(s *fuzzSend) {
	if !s.ask {
		r.sendEnds(s, nil)
	}
}

// sendEnds checks that a send has ended, with the error that it must have.
func (r *fuzzRun) sendEnds(s *fuzzSend, want error) {
	s.over = true
	switch {
	case !s.done:
		r.fail("send %d has not ended, want %v", s.id, want)
	case !errors.Is(s.err, want) || want == nil && s.err != nil:
		r.fail("send %d: %v, want %v", s.id, s.err, want)
	case want == actor.ErrNoReply && errors.Is(s.err, actor.ErrClosed):
		r.fail("send %d: %v matches ErrClosed", s.id, s.err)
	}
}

// receives checks that a receive has returned ids.
func (r *fuzzRun) receives(p *fuzzProc, ids []int) {
	var got []int
	for _, m := range p.msgs {
		got = append(got, m.id)
		if s := r.sends[m.id]; s.ask {
			s.holder, s.reply = p, m.Reply
		}
	}
	if !p.done || p.err != nil || !slices.Equal(got, ids) {
		r.fail("process %d received %v, %v (returned: %v), want %v", p.index, got, p.err, p.done, ids)
	}
	r.received = append(r.received, ids...)
	p.waiting, p.gathered = false, nil
}

// refused checks that a receive has returned an error.
func (r *fuzzRun) refused(p *fuzzProc, want error) {
	if !p.done || !errors.Is(p.err, want) {
		r.fail("process %d: receive: %v (returned: %v), want %v", p.index, p.err, p.done, want)
	}
	p.waiting = false
}

// stopsWaiting is the end of a wait that was not for a message: what was
// gathered comes first, and the next receive tells.
func (r *fuzzRun) stopsWaiting(p *fuzzProc, why error) {
	if len(p.gathered) > 0 {
		r.receives(p, p.gathered)
		return
	}
	r.refused(p, why)
	p.told = p.told || why == actor.ErrHalted
}

// close is what a close does, in itself or as part of something else.
func (r *fuzzRun) close() {
	if r.closed {
		return
	}
	r.closed = true
	for _, s := range r.waiting {
		r.sendEnds(s, actor.ErrClosed)
	}
	if r.delayed != nil {
		r.sendEnds(r.delayed, actor.ErrClosed)
	}
	r.waiting, r.delayed = nil, nil
}

// exit is the end of a process.
func (r *fuzzRun) exit(p *fuzzProc, err error) {
	p.live, p.waiting = false, false
	if !p.gone {
		r.fail("process %d has not ended", p.index)
	}
	r.exits = append(r.exits, fuzzExit{r.steps, p.index, err})
	for _, s := range r.sends {
		if s.holder == p && !s.over {
			r.sendEnds(s, actor.ErrNoReply)
		}
	}
	if live, _ := r.liveProcs(); len(live) > 0 {
		return
	}
	r.close()
	for _, id := range r.queue {
		if s := r.sends[id]; !s.over {
			r.sendEnds(s, actor.ErrNoReply)
		}
	}
	r.leftovers, r.queue, r.ended = r.queue, nil, true
}

// check compares everything that can be seen between two steps.
func (r *fuzzRun) check() {
	live, _ := r.liveProcs()
	if n := r.addr.Len(); n != len(r.queue) {
		r.fail("Len is %d, want %d: %v", n, len(r.queue), r.queue)
	}
	if n := r.pool.Processes(); n != len(live) {
		r.fail("Processes is %d, want %d", n, len(live))
	}
	if c := r.addr.Closed(); c != r.closed {
		r.fail("Closed is %v, want %v", c, r.closed)
	}
	if d := fuzzClosed(r.addr.Done()); d != r.ended {
		r.fail("Done is closed: %v, want %v", d, r.ended)
	}
	for _, s := range r.sends {
		if s.done != s.over {
			r.fail("send %d has ended: %v, want %v (%v)", s.id, s.done, s.over, s.err)
		}
	}
	for _, p := range r.procs {
		if p.gone == p.live {
			r.fail("process %d has ended: %v, want %v", p.index, p.gone, !p.live)
		}
		if !p.live {
			continue
		}
		if p.waiting && p.done {
			r.fail("process %d does not wait any more: %v, %v", p.index, p.msgs, p.err)
		}
		if h := fuzzClosed(p.halting); h != (p.halted || r.aborted) {
			r.fail("process %d: Halting is closed: %v, want %v", p.index, h, !h)
		}
		if p.ready != nil && !p.waiting && len(p.ready) == 0 && !fuzzClosed(p.ready) &&
			(len(r.queue) > 0 || p.halted && !p.told || r.closed) {
			r.fail("process %d: Ready has no token although there is something to receive", p.index)
		}
	}
}

func fuzzClosed(c <-chan struct{}) bool {
	select {
	case _, ok := <-c:
		return !ok
	default:
		return false
	}
}

// finish ends everything and compares what can be seen at the end.
func (r *fuzzRun) finish() {
	if r.t.Failed() {
		return
	}
	r.halt()
	for !r.ended && !r.t.Failed() {
		_, idle := r.liveProcs()
		if len(idle) == 0 {
			r.fail("a process waits although the actor is halted")
			return
		}
		r.end(idle[0], 0)
	}
	r.check()
	exits, _ := r.pool.Wait(context.Background())
	if len(exits) != len(r.exits) {
		r.fail("exits: %v, want %v", exits, r.exits)
		return
	}
	for i, e := range exits {
		// The exits of one step come in any order.
		k := slices.IndexFunc(r.exits, func(x fuzzExit) bool { return x.index == e.Index })
		want := r.exits[k]
		if r.exits[i].step != want.step || !errors.Is(e.Err, want.err) || want.err == nil && e.Err != nil {
			r.fail("exit %d: %+v, want %+v; all: %v", i, e, want, r.exits)
		}
	}
	var back []int
	for _, m := range r.back.get() {
		back = append(back, m.(fuzzMsg).id)
	}
	if !slices.Equal(back, r.leftovers) {
		r.fail("Undelivered got %v, want %v", back, r.leftovers)
	}
	all := append(r.received, back...)
	slices.Sort(all)
	slices.Sort(r.accepted)
	if !slices.Equal(all, r.accepted) {
		r.fail("accepted %v, received or undelivered %v", r.accepted, all)
	}
}

// cleanUp lets the bubble end also after a failure.
func (r *fuzzRun) cleanUp() {
	r.pool.Abort()
	for _, s := range r.sends {
		s.cancel()
	}
	for _, p := range r.procs {
		close(p.do)
	}
	r.mu.Unlock()
}
