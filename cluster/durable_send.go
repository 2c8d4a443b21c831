package cluster

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tinyactor/actor"
)

const (
	// maxStoring is how many messages of a node are on their way into one inbox.
	maxStoring = 4096
	// storeAgain is after how long without an answer a message is sent again, at
	// first. A server answers within milliseconds, or had no leader.
	storeAgain = time.Second
	// refusedAgain is after how long when no server keeps the stream at the moment.
	refusedAgain = 250 * time.Millisecond
	// fullAgain is how long the first that waits for room waits before it tries
	// again, at first and at most.
	fullAgain, fullAtMost = 10 * time.Millisecond, 250 * time.Millisecond
)

// storing is a message on its way into the stream. All but what encode sets is
// guarded by its publisher's mu.
type storing struct {
	data      []byte
	id        string
	partition int
	async     any  // the message of an Async
	only      bool // TrySend: do not wait for room

	n       uint64
	reply   string     // where the answer comes to
	done    chan error // capacity 1, if held
	held    bool       // a Send waits for the outcome; else it is for Config.Undelivered
	began   time.Time  // the first copy that may be stored left
	next    time.Time  // when to send it again
	pause   time.Duration
	copies  int   // that have left
	answers int   // that say that it was not stored
	why     error // the last of these
	gaveUp  error // why its sender waits no longer
	probe   bool  // it has waited for room, and tries again
	over    bool
}

// known reports whether it is certain that no copy was stored, or will be.
// publisher.mu is held.
func (p *storing) known() bool { return p.copies == p.answers }

// publisher brings the messages of one node into one stream. Each is sent again
// until a server answers, with the same ID.
type publisher struct {
	durable  *durable
	node     *Node
	subjects []string // what is published to, by partition
	prefix   string   // of the subjects of answers
	ids      string   // of the IDs of messages that have none
	slots    chan struct{}
	wake     chan struct{} // capacity 1: look

	sending sync.Mutex // guards msg, which every message is for as long as it takes to write it
	msg     nats.Msg
	header  []string // in msg

	mu     sync.Mutex
	number uint64
	flying map[uint64]*storing
	queue  []*storing // wait for room, in order
	window int        // how many of the queue may try at once
	trying int        // how many do
	pause  time.Duration
	due    time.Time // the queue may try
	idle   bool      // run sleeps until it is woken
	closed bool
}

// publisherOf returns that of an inbox, made when its node opens it first, or with
// other settings than before.
func publisherOf(d *durable) (*publisher, error) {
	n := d.node
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.draining {
		return nil, ErrNodeClosed
	}
	i := slices.IndexFunc(n.publishers, func(p *publisher) bool {
		return p.durable.stream == d.stream && p.durable.cfg.Partitions == d.cfg.Partitions &&
			p.durable.cfg.Dedup == d.cfg.Dedup && p.durable.cfg.MaxBytes == d.cfg.MaxBytes
	})
	if i >= 0 {
		return n.publishers[i], nil
	}
	return newPublisher(d)
}

// newPublisher makes one. Node.mu is held, and the node is not drained.
func newPublisher(d *durable) (*publisher, error) {
	var unique [9]byte
	rand.Read(unique[:])
	p := &publisher{
		durable: d, node: d.node, prefix: d.node.nc.NewInbox() + ".", ids: "r-" + hex.EncodeToString(unique[:]) + "-",
		slots: make(chan struct{}, maxStoring), wake: make(chan struct{}, 1), flying: make(map[uint64]*storing), window: 1,
	}
	for i := range d.cfg.Partitions {
		p.subjects = append(p.subjects, d.node.subj.stored(d.name, strconv.Itoa(i)))
	}
	p.header = []string{""}
	p.msg.Header = nats.Header{nats.MsgIdHdr: p.header}
	sub, err := p.node.nc.Subscribe(p.prefix+"*", p.answered)
	if err != nil {
		return nil, err
	}
	if err := sub.SetPendingLimits(-1, -1); err != nil { // bounded by slots
		return nil, err
	}
	n := p.node
	n.subs = append(n.subs, sub)
	n.publishers = append(n.publishers, p)
	n.stopped.Go(p.run)
	return p, nil
}

// kept is how many bytes the servers need for a message in a file, which is what
// DurableConfig.MaxBytes counts.
func (p *publisher) kept(s *storing) int64 {
	const beside = 22 + 4 + 8 // its record's head, length of the headers, and checksum
	id := max(len(s.id), len(p.ids)+1)
	return int64(beside + len(p.subjects[s.partition]) + len("NATS/1.0\r\n"+nats.MsgIdHdr+": \r\n\r\n") + id + len(s.data))
}

// send stores a message and waits for that, or if it is asynchronous, until it is
// on its way.
func (p *publisher) send(ctx context.Context, s *storing) error {
	select {
	case p.slots <- struct{}{}:
	default:
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		case <-p.node.stop:
			return ErrNodeClosed
		}
	}
	if err := p.begin(s); err != nil {
		return err
	}
	if !s.held {
		return nil
	}
	select {
	case err := <-s.done:
		return err
	case <-ctx.Done():
		return p.abandon(s, ctx.Err())
	}
}

// try is send that does not wait for room.
func (p *publisher) try(s *storing) error {
	s.only = true
	select {
	case p.slots <- struct{}{}:
	default:
		return actor.ErrFull
	}
	if err := p.begin(s); err != nil {
		return err
	}
	patience := time.NewTimer(p.node.cfg.Lost - p.node.cfg.Beat)
	defer patience.Stop()
	if !s.held {
		return nil
	}
	select {
	case err := <-s.done:
		return err
	case <-patience.C:
		return p.abandon(s, fmt.Errorf("no server has answered within %v", p.node.cfg.Lost))
	}
}

// begin enters a message that has a slot, and sends it unless others wait for room.
func (p *publisher) begin(s *storing) error {
	p.mu.Lock()
	wait := len(p.queue) > 0
	switch {
	case p.closed:
		p.mu.Unlock()
		<-p.slots
		return ErrNodeClosed
	case wait && s.only:
		p.mu.Unlock()
		<-p.slots
		return actor.ErrFull
	}
	p.number++
	s.n = p.number
	s.held = s.async == nil || wait
	number := strconv.FormatUint(s.n, 36)
	if s.id == "" {
		s.id = p.ids + number
	}
	if s.held {
		s.done = make(chan error, 1)
	}
	s.reply = p.prefix + number
	if wait {
		p.queue = append(p.queue, s)
		p.mu.Unlock()
		return nil
	}
	p.leave(s, time.Now())
	p.mu.Unlock()
	p.publish(s)
	return nil
}

// leave notes that a copy of a message leaves. mu is held; publish follows.
func (p *publisher) leave(s *storing, now time.Time) {
	if s.known() {
		s.began = now
	}
	s.copies++
	s.pause = min(max(2*s.pause, storeAgain), 4*storeAgain)
	s.next = now.Add(s.pause)
	p.flying[s.n] = s
	if p.idle {
		p.idle = false
		p.rouse()
	}
}

// rouse has run look at what is due. It does not wait.
func (p *publisher) rouse() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// publish sends a message. If it cannot, that is like a copy that was lost.
func (p *publisher) publish(s *storing) {
	p.sending.Lock()
	defer p.sending.Unlock()
	p.header[0] = s.id
	p.msg.Subject, p.msg.Reply, p.msg.Data = p.subjects[s.partition], s.reply, s.data
	p.node.nc.PublishMsg(&p.msg) //nolint:errcheck // see above
}

// answered handles a server's answer.
func (p *publisher) answered(m *nats.Msg) {
	n, err := strconv.ParseUint(strings.TrimPrefix(m.Subject, p.prefix), 36, 64)
	if err != nil {
		p.node.count.malformed.Add(1)
		return
	}
	err = ackError(m)
	p.mu.Lock()
	s := p.flying[n]
	if s == nil {
		p.late(n, err)
		p.mu.Unlock()
		return
	}
	var more []*storing
	switch full := errors.Is(err, actor.ErrFull); {
	case err == nil:
		p.node.count.stored.Add(1)
		if s.probe {
			p.window = min(p.window+1, maxStoring)
		}
		p.finish(s, nil)
		more = p.admit(time.Now())
	case full && !s.only:
		p.putOff(s)
	case !full && passing(err):
		s.answers++
		s.why = err
		s.next = time.Now().Add(refusedAgain)
		p.settle(s)
	default:
		s.answers++
		if !s.known() {
			err = fmt.Errorf("%w: %w", ErrUnknown, err)
		}
		p.finish(s, err)
	}
	p.mu.Unlock()
	p.publishAll(more)
}

// late handles the answer to an earlier copy of a message that waits for room.
// mu is held.
func (p *publisher) late(n uint64, err error) {
	i := slices.IndexFunc(p.queue, func(s *storing) bool { return s.n == n })
	switch {
	case i < 0: // it is over
	case err == nil:
		p.node.count.stored.Add(1)
		p.finish(p.queue[i], nil)
	default:
		p.queue[i].answers++
		p.settle(p.queue[i])
	}
}

// putOff has a message wait for room that was refused because there was none.
// mu is held.
func (p *publisher) putOff(s *storing) {
	s.answers++
	s.why = actor.ErrFull
	delete(p.flying, s.n)
	if len(p.queue) == 0 {
		p.pause = fullAgain
	}
	if s.probe {
		s.probe = false
		p.trying--
	}
	if now := time.Now(); !now.Before(p.due) {
		p.due = now.Add(p.pause)
		p.pause = min(2*p.pause, fullAtMost)
	}
	p.window = 1
	i := len(p.queue)
	for i > 0 && p.queue[i-1].n > s.n {
		i--
	}
	p.queue = slices.Insert(p.queue, i, s)
	p.settle(s)
}

// admit returns those of the queue that may try again now. mu is held.
func (p *publisher) admit(now time.Time) []*storing {
	if len(p.queue) == 0 || p.trying > 0 || now.Before(p.due) {
		return nil
	}
	k := min(p.window, len(p.queue))
	all := slices.Clone(p.queue[:k])
	p.queue = slices.Delete(p.queue, 0, k)
	p.trying = k
	for _, s := range all {
		s.probe = true
		p.leave(s, now)
	}
	return all
}

// ackError returns what a server says of a message: nil if it is stored.
func ackError(m *nats.Msg) error {
	if len(m.Data) == 0 && m.Header.Get("Status") == "503" {
		return jetstream.ErrNoStreamResponse
	}
	if !bytes.Contains(m.Data, []byte(`"error"`)) && bytes.Contains(m.Data, []byte(`"seq":`)) { // most are
		return nil
	}
	var a struct {
		Error *jetstream.APIError `json:"error"`
		Seq   uint64              `json:"seq"`
	}
	if err := json.Unmarshal(m.Data, &a); err != nil {
		return fmt.Errorf("%w: a server's answer does not decode: %w", ErrMismatch, err)
	}
	switch {
	case a.Error == nil:
		return nil
	case a.Error.ErrorCode == errStoreFailed && strings.HasPrefix(a.Error.Description, "maximum "):
		return actor.ErrFull
	}
	return fmt.Errorf("%w: %w", ErrNotDelivered, a.Error)
}

// finish is the end of a message. mu is held.
func (p *publisher) finish(s *storing, err error) {
	if s.over {
		return
	}
	s.over = true
	delete(p.flying, s.n)
	if i := slices.Index(p.queue, s); i >= 0 {
		p.queue = slices.Delete(p.queue, i, i+1)
	}
	if s.probe {
		p.trying--
	}
	<-p.slots
	if s.held {
		s.done <- err
	} else if err != nil {
		p.node.reports.add(report{p.durable.name, s.async, named(p.durable.name, err)})
	}
}

// abandon is the end of a message whose sender waits no longer, for this reason.
// If a copy is under way, its answer may come soon.
func (p *publisher) abandon(s *storing, why error) error {
	p.mu.Lock()
	s.gaveUp = why
	p.settle(s)
	p.mu.Unlock()
	patience := time.NewTimer(p.node.cfg.Beat)
	defer patience.Stop()
	select {
	case err := <-s.done:
		return err
	case <-patience.C:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finish(s, fmt.Errorf("%w: %w", ErrUnknown, why)) // unless it has its outcome
	return <-s.done
}

// settle ends a message whose sender has given up, once it is certain that it is
// not stored. mu is held.
func (p *publisher) settle(s *storing) {
	if s.gaveUp == nil || !s.known() {
		return
	}
	err := s.gaveUp
	if s.only { // it had no other end than ours
		err = fmt.Errorf("%w: %w", ErrNotDelivered, err)
	}
	if s.why != nil && !errors.Is(s.why, actor.ErrFull) {
		err = fmt.Errorf("%w: %w", err, s.why)
	}
	p.finish(s, err)
}

// run sends again what has no answer, and what waits for room.
func (p *publisher) run() {
	const pace = 50 * time.Millisecond
	timer := time.NewTimer(pace)
	defer timer.Stop()
	for {
		p.mu.Lock()
		p.idle = len(p.flying) == 0 && len(p.queue) == 0
		wait := pace
		if len(p.queue) > 0 {
			wait = max(0, min(wait, time.Until(p.due)))
		}
		idle := p.idle
		p.mu.Unlock()
		var tick <-chan time.Time
		if !idle {
			timer.Reset(wait)
			tick = timer.C
		}
		select {
		case <-p.node.stop:
			p.close()
			return
		case <-p.wake:
		case <-tick:
		}
		p.publishAll(p.look(time.Now()))
	}
}

// look returns what has to be sent again now, and gives up what cannot be sent
// again with the same effect.
func (p *publisher) look(now time.Time) (again []*storing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// Not for longer than the servers know the ID.
	horizon := p.durable.cfg.Dedup - min(p.durable.cfg.Dedup/4, 5*time.Second)
	connected := p.node.nc.IsConnected()
	for _, s := range slices.Clone(p.queue) {
		if !s.known() && slept(s.began, now, horizon) {
			p.finish(s, fmt.Errorf("%w: an answer was lost, and there was no room within %v", ErrUnknown, horizon))
		}
	}
	for _, s := range p.flying {
		if now.Before(s.next) || s.gaveUp != nil {
			continue
		}
		if !s.known() && slept(s.began, now, horizon) {
			p.finish(s, fmt.Errorf("%w: no server has answered within %v", ErrUnknown, horizon))
			continue
		}
		if !connected { // it would leave later, perhaps when its ID is forgotten
			continue
		}
		if denied := p.node.denied(p.subjects[s.partition], nil); denied != nil {
			p.finish(s, fmt.Errorf("%w: %w", ErrUnknown, denied)) // it may have been allowed before
			continue
		}
		p.leave(s, now)
		again = append(again, s)
	}
	slices.SortFunc(again, func(a, b *storing) int { return cmp.Compare(a.n, b.n) })
	return append(again, p.admit(now)...)
}

func (p *publisher) publishAll(all []*storing) {
	for _, s := range all {
		p.publish(s)
	}
}

// close ends what is on its way, when the node does.
func (p *publisher) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, s := range append(slices.Collect(maps.Values(p.flying)), p.queue...) {
		err := ErrNodeClosed
		if !s.known() {
			err = fmt.Errorf("%w: %w", ErrUnknown, err)
		}
		p.finish(s, err)
	}
}

// busy reports whether anything is on its way.
func (p *publisher) busy() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.flying)+len(p.queue) > 0
}
