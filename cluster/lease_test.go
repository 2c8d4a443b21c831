package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tinyactor/actor"
)

// store is a KV bucket as it behaves while servers come and go: answers get lost,
// writes arrive late, who is read from has not heard the latest, and at times
// nobody answers.
type store struct {
	t       *testing.T
	mu      sync.Mutex
	away    bool
	healthy bool          // nothing of the sort
	deaf    int           // of the reads of a key, how many are not answered at first
	slow    time.Duration // how long a write takes
	seq     uint64
	entries map[string][]stored
	asked   map[string]int
	ended   map[string]bool // sessions
	taken   int             // leases of sessions that were ended
	late    sync.WaitGroup
}

type stored struct {
	seq  uint64
	data []byte
}

// write writes, and checks what leases promise: nobody gets what a session has
// that is not over, and what is over stays so.
func (s *store) write(subject string, revision uint64, data []byte) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.entries[subject]
	var last stored
	if len(all) > 0 {
		last = all[len(all)-1]
	}
	if s.away {
		return 0, context.DeadlineExceeded
	}
	if last.seq != revision {
		return 0, &jetstream.APIError{ErrorCode: jetstream.JSErrCodeStreamWrongLastSequence}
	}
	var before, after record
	if last.data != nil {
		if err := json.Unmarshal(last.data, &before); err != nil {
			s.t.Error(err)
		}
	}
	if err := json.Unmarshal(data, &after); err != nil {
		s.t.Error(err)
	}
	switch {
	case after.State == sessionEnded:
		s.ended[after.Session] = true
	case after.State == sessionLives && s.ended[after.Session]:
		s.t.Errorf("session %s lives again", after.Session)
	case after.State == leaseHeld && before.State == leaseHeld && before.Session != after.Session:
		if s.taken++; !s.ended[before.Session] {
			s.t.Errorf("%s: %s is given what %s has, which is not over", subject, after.Session, before.Session)
		}
	}
	s.seq++
	s.entries[subject] = append(all, stored{s.seq, data})
	return s.seq, nil
}

// writes is the store as a jetstream.JetStream.
type writes struct {
	jetstream.JetStream
	*store
}

func (s writes) PublishMsg(_ context.Context, m *nats.Msg, _ ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	revision, err := strconv.ParseUint(m.Header.Get(jetstream.ExpectedLastSubjSeqHeader), 10, 64)
	if err != nil {
		return nil, err
	}
	time.Sleep(s.slow)
	chance := rand.IntN(20)
	if s.healthy {
		chance = -1
	}
	switch chance {
	case 0: // it is lost
		return nil, context.DeadlineExceeded
	case 1: // it comes late
		s.late.Go(func() {
			time.Sleep(time.Duration(rand.IntN(5000)) * time.Millisecond)
			s.write(m.Subject, revision, m.Data) // nobody hears of it
		})
		return nil, context.DeadlineExceeded
	}
	seq, err := s.write(m.Subject, revision, m.Data)
	if err == nil && chance == 2 { // the answer is lost
		err = context.DeadlineExceeded
	}
	return &jetstream.PubAck{Sequence: seq}, err
}

// reads is the store as a jetstream.Stream.
type reads struct {
	jetstream.Stream
	*store
}

func (s reads) GetLastMsgForSubject(ctx context.Context, subject string) (*jetstream.RawStreamMsg, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked[subject]++; s.asked[subject] <= s.deaf { // it has asked a replica that is frozen
		s.mu.Unlock()
		<-ctx.Done()
		s.mu.Lock()
		return nil, ctx.Err()
	}
	all := s.entries[subject]
	n := len(all)
	if !s.healthy && n > 0 && rand.IntN(4) == 0 { // a replica that is behind
		n -= 1 + rand.IntN(min(2, n))
	}
	if n == 0 {
		return nil, jetstream.ErrMsgNotFound
	}
	return &jetstream.RawStreamMsg{Sequence: all[n-1].seq, Data: all[n-1].data}, nil
}

// newStore returns one that is empty.
func newStore(t *testing.T) *store {
	return &store{t: t, entries: make(map[string][]stored), asked: make(map[string]int), ended: make(map[string]bool)}
}

// testNode returns a node that has no connection, but a bucket.
func testNode(s *store, id string) *Node {
	cfg := Config{Beat: 500 * time.Millisecond, Lost: 2 * time.Second, Lease: 15 * time.Second, Logger: slog.New(slog.DiscardHandler)}
	n := &Node{id: id, cfg: cfg, subj: subjects{"test"}, stop: make(chan struct{}), peers: make(map[string]*peer)}
	n.leases.begin(n)
	n.absences.listen(time.Now())
	n.leases.open = func(context.Context) (*bucket, error) {
		return &bucket{
			js: writes{store: s}, stream: reads{store: s}, name: n.subj.bucket(),
			pace: cfg.Beat / 2, patience: cfg.Lost / 2, keep: time.Hour,
		}, nil
	}
	return n
}

// hear sets whom a node hears.
func (n *Node) hear(ids ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for id := range n.peers {
		n.absences.note(id, time.Now())
	}
	clear(n.peers)
	for _, id := range ids {
		n.peers[id] = &peer{version: version}
	}
}

// Three nodes want one lease. They take each other for dead when it is not so, the
// store fails in all its ways, and yet nobody has the lease for longer than
// Config.Lease while another one does, no number comes twice, and it goes on.
func TestLeaseFaults(t *testing.T) {
	t.Parallel()
	for range 5 {
		synctest.Test(t, testLeaseFaults)
	}
}

func testLeaseFaults(t *testing.T) {
	s := newStore(t)
	ids := []string{"a", "b", "c"}
	var nodes []*Node
	for _, id := range ids {
		n := testNode(s, id)
		n.hear(ids...)
		nodes = append(nodes, n)
	}
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
	defer stop()
	var all sync.WaitGroup
	all.Go(func() { // what happens to them
		for ctx.Err() == nil {
			time.Sleep(time.Duration(rand.IntN(5000)) * time.Millisecond)
			n := nodes[rand.IntN(len(nodes))]
			switch rand.IntN(5) {
			case 0:
				n.hear(n.id, ids[rand.IntN(len(ids))])
			case 1:
				n.hear(n.id)
			case 2:
				s.mu.Lock()
				s.away = !s.away && rand.IntN(2) == 0
				s.mu.Unlock()
			default:
				n.hear(ids...)
			}
		}
		s.mu.Lock()
		s.away = false
		s.mu.Unlock()
	})
	var mu sync.Mutex
	holding := map[string]time.Time{} // since when
	largest := map[string]uint64{}
	fences := map[uint64]bool{}
	var longest time.Duration
	for _, n := range nodes {
		all.Go(func() {
			for ctx.Err() == nil {
				try, cancel := context.WithTimeout(ctx, time.Duration(1+rand.IntN(8000))*time.Millisecond)
				ses, err := n.session(try)
				var fence uint64
				if err == nil {
					fence, err = ses.acquire(try, "it")
				}
				cancel()
				if err != nil {
					if _, held := errors.AsType[*heldError](err); !held && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrLeaseLost) {
						t.Error(err)
					}
					time.Sleep(time.Duration(rand.IntN(2000)) * time.Millisecond)
					continue
				}
				mu.Lock()
				if fence <= largest[n.id] || fences[fence] {
					t.Errorf("%s got number %d after %d", n.id, fence, largest[n.id])
				}
				largest[n.id], fences[fence] = fence, true
				holding[n.id] = time.Now()
				mu.Unlock()
				select {
				case <-ses.done():
				case <-time.After(time.Duration(rand.IntN(30000)) * time.Millisecond):
				}
				mu.Lock()
				begun := holding[n.id]
				delete(holding, n.id)
				for _, other := range holding {
					if other.After(begun) {
						longest = max(longest, time.Since(other))
					}
				}
				mu.Unlock()
				<-ses.release("it", fence)
			}
		})
	}
	all.Wait()
	for _, n := range nodes {
		leave(t, n)
	}
	s.late.Wait()
	t.Logf("%d terms, %d taken from sessions that were ended; two at a time for at most %v", len(fences), s.taken, longest)
	if len(fences) < 10 || s.taken == 0 {
		t.Error("too little has happened")
	}
	if lease := nodes[0].cfg.Lease + nodes[0].cfg.Beat; longest > lease {
		t.Errorf("two had the lease for %v", longest)
	}
}

// leave ends what a node of testNode has begun.
func leave(t *testing.T, n *Node) {
	n.leases.leave(context.WithoutCancel(t.Context()), false) // also in a Cleanup
	n.leases.close()
	close(n.stop)
	n.stopped.Wait()
}

// twoSessions returns those of two nodes, a and b, that hear each other.
func twoSessions(t *testing.T, s *store) (sessions []*session) {
	for _, id := range []string{"a", "b"} {
		n := testNode(s, id)
		n.hear("a", "b")
		ses, err := n.session(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, ses)
		t.Cleanup(func() { leave(t, n) })
	}
	return sessions
}

// Who does not wait for the outcome of an acquisition does not get the lease, and
// others do; whoever has one does not get it twice.
func TestLeaseAbandoned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		s.healthy = true
		sessions := twoSessions(t, s)
		s.slow = 100 * time.Millisecond
		ctx, cancel := context.WithTimeout(t.Context(), s.slow/2)
		defer cancel()
		if fence, err := sessions[0].acquire(ctx, "it"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("acquired with number %d, %v", fence, err)
		}
		time.Sleep(3 * s.slow)
		fence, err := sessions[1].acquire(t.Context(), "it")
		if err != nil {
			t.Errorf("what was abandoned is not free: %v", err)
		}
		for i, ses := range sessions {
			if _, err := ses.acquire(t.Context(), "it"); err == nil || sessions[1].lost() != nil {
				t.Errorf("session %d gets it as well", i)
			} else if held, ok := errors.AsType[*heldError](err); !ok || held.node != "b" {
				t.Errorf("session %d: %v", i, err)
			}
		}
		<-sessions[1].release("it", fence)
		if after, err := sessions[0].acquire(t.Context(), "it"); err != nil || after <= fence {
			t.Errorf("after its release: number %d after %d, %v", after, fence, err)
		}
	})
}

// The lease of a node that froze goes to another one in time, though the replica
// that froze with it is asked for the records, time and again: the others have them.
func TestLeaseFrozenReplica(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		s.healthy = true
		sessions := twoSessions(t, s)
		if _, err := sessions[0].acquire(t.Context(), "it"); err != nil {
			t.Fatal(err)
		}
		b := sessions[1]
		b.node.hear("b")
		time.Sleep(b.node.cfg.Beat)
		clear(s.asked)
		s.deaf = 4
		begun := time.Now()
		if _, err := b.acquire(t.Context(), "it"); err != nil {
			t.Error(err)
		}
		cfg := &b.node.cfg
		if took := time.Since(begun); took > 5*time.Second-cfg.Lost-cfg.Beat {
			t.Errorf("it takes %v, after the %v in which the node was not yet lost: more than 5 s", took, cfg.Lost+cfg.Beat)
		}
		sessions[0].end(errors.New("it was frozen"))
		sessions[0].drop("it")
	})
}

// A hint is for those who wait for that lease, one about a session for all.
func TestLeaseHints(t *testing.T) {
	t.Parallel()
	l := &testNode(nil, "a").leases
	told := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	it, other := l.freed("it"), l.freed("other")
	l.hinted(leasePrefix + "it")
	if !told(it) || told(other) {
		t.Errorf("a hint about a lease tells: %v, and others: %v", told(it), told(other))
	}
	it = l.freed("it")
	l.hinted(sessionPrefix + "b.1")
	if !told(it) || !told(other) {
		t.Errorf("a hint about a session tells: %v, %v", told(it), told(other))
	}
}

// When a session must not be relied on any more.
func TestSessionCheck(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, c := range []struct {
		what           string
		renewed        time.Duration // how long ago
		trying, ticked time.Duration
		known, heard   int // at the last renewal, and now
		since          int // between them
		over, sure     bool
	}{
		{what: "healthy", renewed: 3 * time.Second, known: 3, heard: 3, sure: true},
		{what: "the store is away", renewed: 14 * time.Second, trying: 11 * time.Second, known: 3, heard: 2, sure: true},
		{what: "for too long", renewed: 15 * time.Second, trying: 12 * time.Second, known: 3, heard: 3, over: true},
		{what: "cut off", renewed: 4 * time.Second, trying: time.Second, known: 3, heard: 1, over: true},
		{what: "cut off with half of them", renewed: 4 * time.Second, trying: time.Second, known: 4, heard: 2, sure: true},
		{what: "alone, and cut off", renewed: 4 * time.Second, trying: time.Second, known: 1, heard: 0, sure: true},
		{what: "the others have left", renewed: 2 * time.Second, known: 3, heard: 1, sure: true},
		{what: "cut off from those heard since", renewed: 4 * time.Second, trying: time.Second, known: 1, since: 3, heard: 1, over: true},
		{what: "frozen", renewed: 4 * time.Second, ticked: 3 * time.Second, known: 3, heard: 3},
	} {
		n := testNode(nil, "a")
		s := &session{node: n, renewed: now.Add(-c.renewed), ticked: now.Add(-c.ticked), known: c.known, kick: make(chan struct{}, 1)}
		s.over, s.lose = context.WithCancelCause(t.Context())
		names := []string{"a", "b", "c"}
		if c.since > 0 {
			n.hear(names[:c.since]...)
			if err := s.check(now); err != nil {
				t.Errorf("%s: over before: %v", c.what, err)
			}
		}
		n.hear(names[:c.heard]...)
		if c.trying > 0 {
			s.trying = now.Add(-c.trying)
		}
		err := s.check(now)
		if (err != nil) != c.over {
			t.Errorf("%s: over is %v", c.what, err)
		}
		if err != nil {
			s.end(err)
		}
		if s.sure() != c.sure {
			t.Errorf("%s: sure is %v", c.what, !c.sure)
		}
		if c.ticked > 0 && s.check(now.Add(n.cfg.Lost)) == nil {
			t.Errorf("%s: it goes on without knowing what has happened", c.what)
		}
	}
}

// When others may have what a node held.
func TestAbsent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := testNode(nil, "a")
		n.hear("a", "b")
		check := func(what, id string, want bool) {
			t.Helper()
			if n.absent(id) != want {
				t.Errorf("%s: absent is %v", what, !want)
			}
		}
		time.Sleep(n.cfg.Lost)
		check("it is heard", "b", false)
		check("perhaps it has not been heard yet", "c", false)
		time.Sleep(n.cfg.Beat)
		check("it was never heard", "c", true)
		n.hear("a")
		check("it has just been lost", "b", false)
		if n.news(time.Now()) {
			t.Error("it is said to be absent at once")
		}
		time.Sleep(n.cfg.Beat)
		check("it is lost", "b", true)
		if !n.news(time.Now()) || n.news(time.Now()) {
			t.Error("that it is absent is not said once")
		}
		n.doubt()
		check("this node may have been cut off", "b", false)
		time.Sleep(n.cfg.Lost)
		check("it is not sure yet", "b", false)
		time.Sleep(n.cfg.Beat)
		check("it is lost, also now that this node was not cut off", "b", true)
		if !n.news(time.Now()) {
			t.Error("that it is absent after all is not said")
		}
		n.hear()
		check("this node does not hear itself", "b", false)
		n.hear("a")
		n.absences.listen(time.Now())
		check("this node was deaf until now", "b", false)
		time.Sleep(n.cfg.Lost + n.cfg.Beat)
		check("and it has not heard it since", "b", true)
	})
}

// Two nodes that reach the store and do not hear each other do not take turns in
// ending the sessions of each other: who has lost one knows that the other lives.
func TestLeaseUnheard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		s.healthy = true
		var nodes []*Node
		for _, id := range []string{"a", "b"} {
			n := testNode(s, id)
			n.hear(id)
			nodes = append(nodes, n)
			defer leave(t, n)
		}
		holds := map[*Node]*session{}
		for range 600 { // half a second each
			for _, n := range nodes {
				if ses := holds[n]; ses != nil && ses.lost() == nil {
					continue
				}
				if ses := holds[n]; ses != nil {
					ses.drop("it")
					delete(holds, n)
				}
				ses, err := n.session(t.Context())
				if err == nil {
					_, err = ses.acquire(t.Context(), "it")
				}
				if err == nil {
					holds[n] = ses
				} else if _, held := errors.AsType[*heldError](err); !held && !errors.Is(err, ErrLeaseLost) {
					t.Fatal(err)
				}
			}
			time.Sleep(500 * time.Millisecond)
		}
		if s.taken != 1 { // by the one that had never heard the holder
			t.Errorf("the lease was taken %d times from a node that lives", s.taken)
		}
		first, second := nodes[0], nodes[1]
		if holds[second] == nil {
			first, second = second, first
		}
		second.hear() // it is deaf, and its records stay as they are
		holds[second].end(errors.New("frozen"))
		begun := time.Now()
		for {
			ses, err := first.session(t.Context())
			if err == nil {
				_, err = ses.acquire(t.Context(), "it")
			}
			if err == nil {
				break
			}
			time.Sleep(first.cfg.Beat)
		}
		if took := time.Since(begun); took > first.cfg.Lease+first.cfg.Lost {
			t.Errorf("when it does not renew any more, it is replaced after %v", took)
		}
		first.hear("a", "b")
		first.hear(first.id)
		time.Sleep(first.cfg.Beat)
		if !first.absent(second.id) {
			t.Error("once it was heard again, it is not lost as others are")
		}
	})
}

// A singleton whose lease is lost before its body has begun does not begin it.
func TestSingletonTooLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		s.healthy = true
		n := testNode(s, "a")
		n.hear("a")
		ses, err := n.session(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		fence, err := ses.acquire(t.Context(), "singleton.it")
		if err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		s.away = true
		s.mu.Unlock()
		ses.mu.Lock()
		ses.doubt = time.Now() // as if it had been frozen
		ses.mu.Unlock()
		c := &candidate[int]{node: n, name: "it", item: "singleton.it", body: func(context.Context, *actor.Inbox[int]) error {
			t.Error("it begins")
			return nil
		}}
		child, _ := actor.Spawn(t.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[actor.None]) error {
			if err, over := c.serve(ctx, in, ses, fence); over || !errors.Is(err, ErrLeaseLost) {
				t.Errorf("over: %v, %v", over, err)
			}
			return nil
		})
		if _, err := child.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		leave(t, n)
	})
}
