package mailbox

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// eachProcs calls f with 1, 2, 4 and 8 processors, and while they change.
func eachProcs(t *testing.T, f func(t *testing.T)) {
	for _, n := range []int{1, 2, 4, 8, 0} {
		name := fmt.Sprint(n)
		if n == 0 {
			name = "changing"
		}
		t.Run(name, func(t *testing.T) {
			hangs := time.AfterFunc(30*time.Second, func() { panic("a message or a wakeup is lost") })
			defer hangs.Stop()
			before := runtime.GOMAXPROCS(n)
			defer runtime.GOMAXPROCS(before)
			if n == 0 {
				var wg sync.WaitGroup
				var stop atomic.Bool
				defer wg.Wait()
				defer stop.Store(true)
				wg.Go(func() {
					for i := 0; !stop.Load(); i++ {
						runtime.GOMAXPROCS(1 << (i % 4))
						for range 200 {
							runtime.Gosched()
						}
					}
				})
			}
			f(t)
		})
	}
}

// ping is a message that says when it has been received.
type ping struct {
	from, number int
	received     atomic.Int32
	all          *sync.WaitGroup
}

// pings is a round of senders and receivers at one queue.
type pings struct {
	t     *testing.T
	q     Queue[*ping]
	alone bool // one receiver, from the beginning to the end
	last  [4]int
}

// got is what a receiver does with a message.
func (p *pings) got(m *ping) {
	if n := m.received.Add(1); n != 1 {
		p.t.Errorf("message %d of sender %d is received %d times", m.number, m.from, n)
		return
	}
	if p.alone {
		if last := p.last[m.from]; m.number != last+1 {
			p.t.Errorf("message %d of sender %d comes after %d", m.number, m.from, last)
		}
		p.last[m.from] = m.number
	}
	m.all.Done()
}

// send sends some messages and waits until they are received, again and again.
func (p *pings) send(from, bursts int, rnd *rand.Rand) {
	never := make(chan struct{})
	for number := 0; bursts > 0; bursts-- {
		var all sync.WaitGroup
		ms := make([]*ping, 1+rnd.IntN(2)*rnd.IntN(40))
		all.Add(len(ms))
		for i := range ms {
			number++
			ms[i] = &ping{from: from, number: number, all: &all}
		}
		for len(ms) > 0 {
			n, s := 0, OK
			switch rnd.IntN(6) {
			case 0, 1:
				s = p.q.Put(ms[0])
			case 2:
				s = p.q.Offer(ms[0], ms[0])
			case 3:
				s = p.q.Force(ms[0])
			case 4:
				s = p.q.Push(never, ms[0], nil)
			case 5:
				n, s = p.q.OfferAll(ms)
			}
			if s == OK && n == 0 {
				n = 1
			}
			ms = ms[n:]
			if s == Full {
				s = p.q.Push(nil, ms[0], nil)
				ms = ms[1:]
			}
			if s != OK {
				p.t.Errorf("sending is %v", s)
				return
			}
		}
		all.Wait()
	}
}

// receive receives in one way, with one receiver after the other, until the
// queue is closed.
func (p *pings) receive(way int, rnd *rand.Rand) {
	for {
		r := new(Receiver[*ping])
		p.q.Join(r)
		most := 1 + rnd.IntN(30)
		if p.alone {
			most = -1
		}
		s := p.some(r, way, most, rnd)
		p.q.Leave(r)
		if s == Closed {
			return
		}
		if s != OK {
			p.t.Errorf("receiving is %v", s)
		}
	}
}

// some receives most messages, or all if most is negative.
func (p *pings) some(r *Receiver[*ping], way, most int, rnd *rand.Rand) (s Status) {
	never, dst := make(chan struct{}), make([]*ping, 5)
	for most != 0 {
		n, one := 1, dst[:1]
		switch way {
		case 0:
			dst[0], s = r.Recv(nil)
		case 1:
			dst[0], s = r.Recv(never)
		case 2:
			done := make(chan struct{})
			go func() { runtime.Gosched(); close(done) }()
			dst[0], s = r.Recv(done)
		case 3:
			n, s = r.RecvBatch(nil, dst, time.Duration(rnd.IntN(2))*time.Microsecond)
			one = dst
		case 4:
			<-r.Ready()
			dst[0], s = r.TryRecv()
		case 5:
			if dst[0], s = r.TryRecv(); s == Empty {
				dst[0], s = r.Recv(nil)
			}
		}
		switch s {
		case OK:
			for _, m := range one[:n] {
				p.got(m)
				most--
			}
			most = max(most, -1)
		case Canceled, Empty:
		default:
			return s
		}
	}
	return OK
}

// watch takes the lock all the time, for nothing.
func (p *pings) watch(over *atomic.Bool) {
	limit := p.q.Policy().Limit
	for i := 0; !over.Load(); i++ {
		if n := p.q.Len(); limit > 0 && n > limit {
			p.t.Errorf("Len is %d, the bound %d", n, limit)
		}
		if i%16 == 0 {
			runtime.Gosched()
		}
	}
}

// No message and no wakeup is lost between senders that wait until theirs are
// received and receivers that wait by the lock's state alone, in the line, with
// Ready, or come and go. Whoever misses something sleeps for ever here.
func TestR4StressWaitsByTheState(t *testing.T) {
	policies := []Policy{{}, {}, {Limit: 1}, {Limit: 9}, {Start: 3, Base: 60 * time.Microsecond, Factor: 1}}
	eachProcs(t, func(t *testing.T) {
		first, rounds := rand.Uint64(), uint64(0)
		for end := time.Now().Add(100 * time.Millisecond); rounds == 0 || time.Now().Before(end) && !t.Failed(); rounds++ {
			rnd := rand.New(rand.NewPCG(first, rounds))
			p := &pings{t: t}
			p.q.Init(policies[rnd.IntN(len(policies))])
			var receivers, senders sync.WaitGroup
			n := 1 + rnd.IntN(2)*rnd.IntN(4)
			p.alone = n == 1 && rnd.IntN(2) == 0
			for range n {
				way, own := rnd.IntN(6), rand.New(rand.NewPCG(rnd.Uint64(), 1))
				receivers.Go(func() { p.receive(way, own) })
			}
			for from := range 1 + rnd.IntN(len(p.last)) {
				own := rand.New(rand.NewPCG(rnd.Uint64(), 2))
				senders.Go(func() { p.send(from, 20, own) })
			}
			var over atomic.Bool
			var watchers sync.WaitGroup
			for range rnd.IntN(3) {
				watchers.Go(func() { p.watch(&over) })
			}
			senders.Wait()
			over.Store(true)
			watchers.Wait()
			if n := p.q.Len(); n != 0 {
				t.Errorf("Len is %d, but all are received", n)
			}
			p.q.Close()
			receivers.Wait()
		}
		t.Logf("%d rounds, seed %d", rounds, first)
	})
}
