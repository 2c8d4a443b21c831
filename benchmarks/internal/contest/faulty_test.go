package contest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A fault is what a mailbox does wrong with one message: deliver gives it to the
// receiver, now or never or twice or late.
type fault func(b *faultyBox, m Msg)

var faults = []struct {
	name string
	do   fault
}{
	{"lose", func(*faultyBox, Msg) {}},
	{"duplicate", func(b *faultyBox, m Msg) { b.c <- m; b.c <- m }},
	{"change", func(b *faultyBox, m Msg) { m.V ^= 1 << 20; b.c <- m }},
	{"delay", func(b *faultyBox, m Msg) { b.late.Store(&m) }},
}

// faulty is a contestant that is wrong about its at-th message, or never if
// there is no fault.
type faulty struct {
	do   fault
	at   int64
	sent atomic.Int64
}

type faultyBox struct {
	*faulty
	c    chan Msg
	late atomic.Pointer[Msg] // comes after the sender's next message
	wg   sync.WaitGroup
}

func (f *faulty) Spawn(_ Options, receivers ...*Receiver) Mailbox {
	b := &faultyBox{faulty: f, c: make(chan Msg, 256)}
	for _, r := range receivers {
		b.wg.Go(func() {
			for m := range b.c {
				r.Take(m)
			}
		})
	}
	return b
}

func (b *faultyBox) Send(m Msg) {
	if b.sent.Add(1) == b.at && b.do != nil {
		b.do(b, m)
		return
	}
	b.c <- m
	if late := b.late.Load(); late != nil && late.sender() == m.sender() {
		b.late.Store(nil)
		b.c <- *late
	}
}

func (b *faultyBox) Feed(m Msg, n int) {
	for i := range int64(n) {
		b.Send(Msg{m.V + i})
	}
}

func (b *faultyBox) Stop() { close(b.c); b.wg.Wait() }

// faultyServer has no answer to a question whose message was lost.
type faultyServer struct {
	*faultyBox
	answers sync.Map // by question, a channel
}

func (f *faulty) Serve(r *Receiver) Server {
	s := &faultyServer{}
	s.faultyBox = f.Spawn(Options{}, handler(func(m Msg) {
		r.Take(m)
		if c, ok := s.answers.Load(m); ok {
			select {
			case c.(chan int64) <- Answer(m):
			default:
			}
		}
	})).(*faultyBox)
	return s
}

func (s *faultyServer) Ask(ctx context.Context, m Msg) (int64, error) {
	c := make(chan int64, 1)
	s.answers.Store(m, c)
	s.Send(m)
	select {
	case a := <-c:
		return a, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// faultySupervisor starts children again that panic.
type faultySupervisor struct {
	*faulty
	boxes []*faultyBox
}

func (f *faulty) Supervise() Supervisor { return &faultySupervisor{faulty: f} }

func (s *faultySupervisor) Add(r *Receiver) Child {
	b := s.Spawn(Options{}, handler(func(m Msg) {
		defer func() { _ = recover() }()
		r.Take(m)
	})).(*faultyBox)
	s.boxes = append(s.boxes, b)
	return b
}

func (s *faultySupervisor) Stop() {
	for _, b := range s.boxes {
		b.Stop()
	}
}

// faultySize is so many operations that the faulty message is among them.
func faultySize(w *Workload) int { return w.round(max(1000, 2*w.Step)) }

// TestFaults checks that no workload has a figure for a mailbox that loses a
// message, gives it out twice, changes it or lets others overtake it.
func TestFaults(t *testing.T) {
	for _, w := range Workloads {
		for _, f := range faults {
			if f.name == "delay" && !overtakes(w) {
				continue
			}
			t.Run(w.Name+"/"+f.name, func(t *testing.T) {
				t.Parallel()
				if values, err := w.Do(&faulty{do: f.do, at: 150}, faultySize(w), time.Millisecond, 100*time.Millisecond); err == nil {
					t.Errorf("it has the values %+v", values)
				} else {
					t.Log(err)
				}
			})
		}
	}
}

// overtakes reports whether a message can overtake another of its sender, and
// be seen to: in the others there are no two at the same time, and what takes
// turns in a pool has no order.
func overtakes(w *Workload) bool {
	switch w.Name {
	case "ping-pong", "ring", "many-to-many", "pool-4", "ask-1", "ask-64", "ask-timeout-1", "ask-timeout-64",
		"spawn", "children", "idle-100k", "idle-1m":
		return false
	}
	return true
}

// TestNoFault checks that it is the faults that are found.
func TestNoFault(t *testing.T) {
	for _, w := range Workloads {
		t.Run(w.Name, func(t *testing.T) {
			values, err := w.Do(&faulty{}, faultySize(w), time.Millisecond, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if values[0].Row != w.Name {
				t.Errorf("its first row is called %q", values[0].Row)
			}
		})
	}
}
