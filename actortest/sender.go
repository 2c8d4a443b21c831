package actortest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tinyactor/actor"
)

// Message is what TestSender sends. From and N tell one from every other that is
// sent to the same actor. Some are the question of an [actor.Ask]: a Sender that
// does not pass messages on as they are passes answers back to the Reply.
type Message struct {
	actor.Reply[int]
	From, N int
}

// TestSender checks that a Sender does what [actor.Sender] promises:
//
//   - What a goroutine sends is received in that order.
//   - A message whose Send or TrySend returned nil is received once or, when the
//     actor ends before, handed to Config.Undelivered once; one whose Send
//     returned an error, never.
//   - TrySend does not wait. It returns [actor.ErrFull] where Send would wait: if
//     the actor's inbox is full, or has backpressure. Otherwise it accepts.
//   - Send waits, until there is room or its context ends, whose error it then
//     returns.
//   - Once the actor is closed, both return [actor.ErrClosed], and so does a
//     Send that waited.
//   - An [actor.Ask] through it gets the answer, and ends with [actor.ErrNoReply]
//     when the process that received the question ends, or the actor does and
//     none received it.
//
// So nil means accepted by the actor, not by some buffer on the way. Errors may
// wrap those named.
//
// newSender returns a Sender whose messages reach to. It is called for each of
// some ten checks, with an actor that is gone when the next begins. What is wrong
// is reported with t.Errorf; the checks that follow are made all the same. A call
// that does not return is given up after ten seconds. TestSender waits until all
// is done; it makes no subtests, so that it can be called in a synctest bubble.
func TestSender(t testing.TB, newSender func(to *actor.Address[Message]) actor.Sender[Message]) {
	t.Helper()
	for _, c := range senderChecks {
		s := &senderCheck{newSender: newSender, ctx: context.WithoutCancel(t.Context())}
		c.check(s)
		s.finish()
		for _, problem := range s.problems {
			t.Errorf("actortest: TestSender: %s: %s", c.name, problem)
		}
	}
}

// senderCheck is one check: an actor, the Sender to it, and the account.
type senderCheck struct {
	newSender func(*actor.Address[Message]) actor.Sender[Message]
	ctx       context.Context // never ends

	sender actor.Sender[Message]
	child  *actor.Child[Message, actor.None]
	start  chan struct{} // closed: the actor begins to receive
	open   func()        // closes start

	mu          sync.Mutex
	problems    []string
	outcome     map[key]outcome // of what was sent
	received    []key
	undelivered []key
}

// key is a Message without its Reply.
type key struct{ from, n int }

func (k key) String() string { return fmt.Sprintf("%d.%d", k.from, k.n) }

// outcome is what a send said.
type outcome uint8

const (
	unknown  outcome = iota // a question, or a send that has not returned
	accepted                // nil
	refused                 // an error
)

// spawn starts the actor, and makes the Sender. The actor receives nothing
// before open is called. It gives every message to handle, which may be nil.
func (s *senderCheck) spawn(capacity actor.Capacity, handle func(Message) error) {
	s.outcome = make(map[key]outcome)
	s.start = make(chan struct{})
	s.open = sync.OnceFunc(func() { close(s.start) })
	cfg := actor.Config{
		Name:     "actortest.TestSender",
		Capacity: capacity,
		Undelivered: func(msg any) {
			m := msg.(Message)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.undelivered = append(s.undelivered, key{m.From, m.N})
		},
	}
	child, addr := actor.Spawn(s.ctx, cfg, func(ctx context.Context, in *actor.Inbox[Message]) error {
		select {
		case <-s.start:
		case <-in.Halting():
		}
		return in.Serve(ctx, func(_ context.Context, m Message) error {
			s.mu.Lock()
			s.received = append(s.received, key{m.From, m.N})
			s.mu.Unlock()
			if handle == nil {
				return nil
			}
			return handle(m)
		})
	})
	s.child = child
	s.sender = s.newSender(addr)
}

// problem notes something that is wrong, once.
func (s *senderCheck) problem(format string, args ...any) {
	p := fmt.Sprintf(format, args...)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.problems, p) {
		s.problems = append(s.problems, p)
	}
}

// account calls send, which sends m, and notes the outcome.
func (s *senderCheck) account(m Message, send func() error) error {
	s.note(m, unknown)
	err := send()
	if err == nil {
		s.note(m, accepted)
	} else {
		s.note(m, refused)
	}
	return err
}

func (s *senderCheck) note(m Message, o outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outcome[key{m.From, m.N}] = o
}

// errNoReturn stands for the error of a call that has not returned.
var errNoReturn = errors.New("it has not returned")

// begin calls f on a goroutine of its own. What it returns waits for f's error.
func (s *senderCheck) begin(what string, f func() error) (end func() error) {
	result := make(chan error, 1)
	go func() { result <- f() }()
	return func() error {
		over := time.NewTimer(patience)
		defer over.Stop()
		select {
		case err := <-result:
			return err
		case <-over.C:
			s.problem("%s has not returned within %v", what, patience)
			return errNoReturn
		}
	}
}

// expect waits for the error of a call and notes it if that is not the wanted one.
func (s *senderCheck) expect(want error, what string, f func() error) {
	s.expectEnd(want, what, s.begin(what, f))
}

func (s *senderCheck) expectEnd(want error, what string, end func() error) {
	if err := end(); err != errNoReturn && !errors.Is(err, want) {
		s.problem("%s returns %v, want %v", what, quote(err), quote(want))
	}
}

func quote(err error) string {
	if err == nil {
		return "nil"
	}
	return strconv.Quote(err.Error())
}

// send returns a call of Send with message n.
func (s *senderCheck) send(ctx context.Context, n int) func() error {
	m := Message{N: n}
	return func() error {
		return s.account(m, func() error { return s.sender.Send(ctx, m) })
	}
}

// trySend returns a call of TrySend with message n.
func (s *senderCheck) trySend(n int) func() error {
	m := Message{N: n}
	return func() error {
		return s.account(m, func() error { return s.sender.TrySend(m) })
	}
}

// ask returns a call of Ask with message n. Its context ends before anybody
// gives up waiting for the call.
func (s *senderCheck) ask(n int, value *atomic.Int64) func() error {
	return func() error {
		ctx, cancel := context.WithTimeout(s.ctx, patience/2)
		defer cancel()
		return s.askWith(ctx, n, value)
	}
}

func (s *senderCheck) askWith(ctx context.Context, n int, value *atomic.Int64) error {
	s.note(Message{N: n}, unknown)
	v, err := actor.Ask(ctx, s.sender, func(r actor.Reply[int]) Message {
		return Message{Reply: r, N: n}
	})
	if value != nil {
		value.Store(int64(v))
	}
	return err
}

// settle gives a call that has begun the time to come to where it waits. In a
// bubble that is certain. Outside it is only likely, so what the call returns
// must not depend on it.
func (s *senderCheck) settle() {
	if quiet() {
		return
	}
	for range 100 {
		runtime.Gosched()
	}
}

// several has n goroutines send up to count messages each, until send returns an
// error, and waits for them.
func (s *senderCheck) several(n, count int, want error, send func(m Message) error) {
	ends := make([]func() error, n)
	for from := range n {
		ends[from] = s.begin("one of several senders", func() error {
			for i := range count {
				if err := send(Message{From: from, N: i}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for _, end := range ends {
		s.expectEnd(want, "one of several senders", end)
	}
}

// finish has the actor receive what is left, ends it, and checks the account.
func (s *senderCheck) finish() {
	s.open()
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	if _, err := s.child.Drain(ctx); err != nil {
		s.problem("the actor did not end well: %v", err)
	}
	s.mu.Lock()
	got := slices.Concat(s.received, s.undelivered)
	outcome := maps.Clone(s.outcome)
	s.mu.Unlock()

	s.checkOrder(got)
	count := make(map[key]int)
	for _, k := range got {
		count[k]++
	}
	var lost, slipped, twice, invented []key
	for k, o := range outcome {
		n := count[k]
		switch {
		case o == accepted && n == 0:
			lost = append(lost, k)
		case o == refused && n > 0:
			slipped = append(slipped, k)
		case n > 1:
			twice = append(twice, k)
		}
		delete(count, k)
	}
	for k := range count {
		invented = append(invented, k)
	}
	s.blame("accepted, but never came to the actor", lost)
	s.blame("came to the actor, but the Sender had returned an error", slipped)
	s.blame("came to the actor more than once", twice)
	s.blame("came to the actor, but nobody had sent it", invented)
}

// checkOrder notes the first message that came after one that was sent later.
func (s *senderCheck) checkOrder(got []key) {
	latest := make(map[int]key)
	for _, k := range got {
		if l, ok := latest[k.from]; ok && l.n > k.n {
			s.problem("the actor got %v after %v, which was sent later", k, l)
			return
		}
		latest[k.from] = k
	}
}

// blame notes messages for which something is wrong.
func (s *senderCheck) blame(what string, keys []key) {
	if len(keys) == 0 {
		return
	}
	slices.SortFunc(keys, func(a, b key) int { return cmp.Or(a.from-b.from, a.n-b.n) })
	const most = 20
	more := ""
	if len(keys) > most {
		more = fmt.Sprintf(" and %d more", len(keys)-most)
		keys = keys[:most]
	}
	s.problem("%s: %v%s", what, keys, more)
}
