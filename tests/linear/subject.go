package linear

import (
	"time"

	"tinyactor/internal/mailbox"
)

// queue is what is checked: a mailbox, or one with a planted fault.
type queue interface {
	Put(m msg) mailbox.Status
	Offer(m msg, ticket any) mailbox.Status
	Force(m msg) mailbox.Status
	OfferAll(ms []msg) (int, mailbox.Status)
	Push(done <-chan struct{}, m msg, ticket any) mailbox.Status
	Take() (msg, any, bool)
	Tickets() []any
	Len() int
	Closed() bool
	Close() bool
	Halt() bool
	HaltSome(n int) int
	Abort()
	Join(r *mailbox.Receiver[msg])
	Leave(r *mailbox.Receiver[msg])
}

// seat is a receiver of it.
type seat interface {
	Recv(done <-chan struct{}) (msg, mailbox.Status)
	TryRecv() (msg, mailbox.Status)
	RecvBatch(done <-chan struct{}, dst []msg, d time.Duration) (int, mailbox.Status)
	Held() []mailbox.Held
	Halt()
}

// subject is a mailbox with its receivers. The fields that are interfaces are
// what the clients use.
type subject struct {
	box       mailbox.Queue[msg]
	receivers [mostSeats]mailbox.Receiver[msg]
	queue     queue
	seats     [mostSeats]seat
	asleep    time.Duration // how long a client may seem to sleep for nothing
}

// Fault makes something wrong with a subject.
type Fault struct {
	Name  string
	plant func(*subject)
}

// newSubject returns a mailbox at the start of p.
func newSubject(p *plan, f *Fault) *subject {
	s := &subject{asleep: asleepTime}
	s.box.Init(p.policy)
	s.queue = &s.box
	for i := range s.receivers {
		s.seats[i] = &s.receivers[i]
	}
	if f != nil {
		f.plant(s)
	}
	for i := range s.receivers {
		if p.start.joined>>i&1 != 0 {
			s.queue.Join(&s.receivers[i])
		}
	}
	for _, m := range p.start.queue[:p.start.n] {
		s.queue.Force(m)
	}
	return s
}
