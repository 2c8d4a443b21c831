package cluster

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// Node is this process in a cluster. It is safe for concurrent use.
type Node struct {
	id   string
	nc   *nats.Conn
	cfg  Config
	subj subjects

	count   counters
	values  context.Context //nolint:containedctx // what the node's own actors are spawned under
	reports reports
	leases  leases
	inlets  sync.Map // *inlet by the number of its link

	stop    chan struct{} // closed by Close
	leaving chan struct{} // closed by Drain, or by Close
	stopped sync.WaitGroup

	mu         sync.Mutex
	absences   absences
	subs       []*nats.Subscription
	peers      map[string]*peer
	routes     map[routeKey]*route
	links      map[uint64]*link // that this node sends on
	exposed    map[string]*exposure
	hidden     map[*exposure]struct{} // exposed no more, and asked something that is not answered
	watches    map[string][]*watch    // by name
	farewells  map[uint64]*farewell   // by exposure, of those that have ended lately
	nextID     uint64                 // of exposures
	publishers []*publisher
	crews      map[*crew]struct{}
	draining   bool
	closed     bool
	done       chan struct{} // closed when Close has done its work
}

// peer is a node as its beats say, this one included.
type peer struct {
	heard    time.Time
	version  byte
	draining bool
	exposes  map[string]exposed
}

// exposed is a name in a beat.
type exposed struct {
	id    uint64
	room  uint64
	keyed bool
}

type routeKey struct {
	name  string
	typ   reflect.Type
	keyed bool
}

// Join makes this process a node of the cluster that nc, the user's connection,
// leads to. nc stays the user's: TLS, credentials and reconnects are its options,
// and it is closed after the node. Join waits for a round trip to the server, 10 s
// at most if ctx has no deadline, and returns what NATS says, as
// nats.ErrPermissionViolation, or what is wrong with cfg. ctx bounds Join alone.
// While the network takes no bytes, nc may hold up all who send for as long as
// nats.FlusherTimeout says, which is a minute if nc was not told otherwise.
func Join(ctx context.Context, nc *nats.Conn, cfg Config) (*Node, error) {
	cfg, err := cfg.orDefaults(nc)
	if err != nil {
		return nil, err
	}
	var unique [6]byte
	rand.Read(unique[:])
	n := &Node{
		id: cfg.Name + "-" + hex.EncodeToString(unique[:]), nc: nc, cfg: cfg, subj: subjects{cfg.Cluster},
		stop: make(chan struct{}), leaving: make(chan struct{}), crews: make(map[*crew]struct{}),
		values: context.WithoutCancel(ctx),
		peers:  make(map[string]*peer), routes: make(map[routeKey]*route),
		links: make(map[uint64]*link), exposed: make(map[string]*exposure), hidden: make(map[*exposure]struct{}),
		done:    make(chan struct{}),
		watches: make(map[string][]*watch), farewells: make(map[uint64]*farewell),
	}
	n.reports.node = n
	n.leases.begin(n)
	n.absences.listen(time.Now())
	before := nc.LastError()
	for _, subject := range []string{n.subj.control(n.id), n.subj.beats()} {
		sub, err := nc.Subscribe(subject, n.control)
		if err != nil {
			n.unsubscribe()
			return nil, fmt.Errorf("cluster: join: %w", err)
		}
		n.subs = append(n.subs, sub)
		// Bounded by what this node has asked: the client would drop answers.
		if err := sub.SetPendingLimits(-1, -1); err != nil {
			n.unsubscribe()
			return nil, fmt.Errorf("cluster: join: %w", err)
		}
	}
	n.beat(beatHello)
	// Once this has come back, the server knows the subscriptions, and has said
	// if it does not allow them, or the beat.
	err = flush(ctx, nc)
	for _, s := range n.subs {
		err = errors.Join(err, n.denied(s.Subject, before))
	}
	if err != nil {
		n.beat(beatBye)
		n.unsubscribe()
		return nil, fmt.Errorf("cluster: join: %w", err)
	}
	n.stopped.Go(n.run)
	return n, nil
}

// flush is nc.FlushWithContext, which insists on a deadline.
func flush(ctx context.Context, nc *nats.Conn) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
	}
	return nc.FlushWithContext(ctx)
}

// ID returns the node's name and what makes it unique.
func (n *Node) ID() string { return n.id }

// Conn returns the connection given to Join.
func (n *Node) Conn() *nats.Conn { return n.nc }

// Peers returns the IDs of the nodes that live as far as this one knows, itself
// included, in alphabetical order.
func (n *Node) Peers() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var ids []string
	for id := range n.peers {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// run is what a node does on its own: it beats, and looks after the others.
func (n *Node) run() {
	pace := min(n.cfg.Beat/5, 100*time.Millisecond)
	tick := time.NewTicker(pace)
	defer tick.Stop()
	looked, beaten := time.Now(), time.Now()
	for {
		select {
		case <-n.stop:
			return
		case <-tick.C:
		}
		now := time.Now()
		var slept time.Duration
		if gap := now.Sub(looked); gap > n.cfg.Lost/2 {
			slept = gap
		}
		looked = now
		if now.Sub(beaten) >= n.cfg.Beat || slept > 0 {
			beaten = now
			n.beat(0)
		}
		n.look(now, slept)
	}
}

// excuse does not count it as a node's silence that this process has slept until now.
// What the node has said meanwhile waits to be read, for which there is a Beat at least;
// what it did not say before counts.
func (p *peer) excuse(slept time.Duration, now time.Time, cfg *Config) {
	p.heard = p.heard.Add(slept)
	if least := now.Add(cfg.Beat - cfg.Lost); p.heard.Before(least) {
		p.heard = least
	}
	if p.heard.After(now) {
		p.heard = now
	}
}

// look gives up nodes that are not heard of, and gives what waits a push. Until now,
// this process has perhaps slept.
func (n *Node) look(now time.Time, slept time.Duration) {
	n.mu.Lock()
	var lost []string
	for id, p := range n.peers {
		if slept > 0 {
			p.excuse(slept, now, &n.cfg)
		}
		if now.Sub(p.heard) > n.cfg.Lost {
			lost = append(lost, id)
			delete(n.peers, id)
			n.missed(id, ErrNodeLost)
			n.absences.note(id, now)
		}
	}
	if slept > 0 {
		n.absences.listen(now)
	}
	news := n.news(now)
	routes, exposures := n.all()
	maps.DeleteFunc(n.hidden, func(e *exposure, _ struct{}) bool { return e.settled() })
	draining := n.draining
	n.mu.Unlock()
	if news {
		n.leases.wake("")
	}
	for _, id := range lost {
		n.cfg.Logger.Warn("cluster: node lost", "node", id, "by", n.id)
		n.gone(id, ErrNodeLost)
	}
	for _, r := range routes {
		r.look(now)
	}
	for _, e := range exposures {
		e.look(draining)
	}
	n.wonder(now)
}

// all returns the routes and exposures there are. n.mu is held.
func (n *Node) all() (routes []*route, exposures []*exposure) {
	for _, r := range n.routes {
		routes = append(routes, r)
	}
	for _, e := range n.exposed {
		exposures = append(exposures, e)
	}
	return routes, exposures
}

// listening returns the exposures that other nodes may still speak of. n.mu is held.
func (n *Node) listening() []*exposure {
	_, exposures := n.all()
	return slices.AppendSeq(exposures, maps.Keys(n.hidden))
}

// gone ends what there is with a node that has gone.
func (n *Node) gone(id string, why error) {
	n.mu.Lock()
	routes, _ := n.all()
	exposures := n.listening()
	n.mu.Unlock()
	for _, r := range routes {
		r.lose(id, why)
	}
	for _, e := range exposures {
		e.forget(id)
	}
}

// Flags of a beat.
const (
	beatHello    byte = 1 << iota // answer, I am new
	beatDraining                  // no new messages, please
	beatBye                       // this is the last
)

// beat tells all nodes, or those given, of this one.
func (n *Node) beat(flags byte, to ...string) {
	n.mu.Lock()
	if n.draining {
		flags |= beatDraining
	}
	_, exposures := n.all()
	n.mu.Unlock()
	exposures = slices.DeleteFunc(exposures, func(e *exposure) bool { return !e.mayTake() })
	b := append(appendString(head(kindBeat), n.id), flags)
	b = appendUint(b, uint64(len(exposures)))
	for _, e := range exposures {
		b = appendUint(appendUint(appendString(b, e.name), e.id), e.room())
		b = appendBool(b, e.host != nil)
	}
	if len(to) == 0 {
		n.publish(n.subj.beats(), b)
	}
	for _, id := range to {
		n.publish(n.subj.control(id), b)
	}
}

// beatSize returns how large a beat may be that has one name more. mu is held.
func (n *Node) beatSize(name string) int {
	const each = 1 + 2*binary.MaxVarintLen64 + 2 // what goes with a name
	size := 2 + 2 + len(n.id) + binary.MaxVarintLen64 + each + len(name)
	for other := range n.exposed {
		size += each + len(other)
	}
	return size
}

// publish sends a frame. What is lost here, as if the network had lost it, is
// found out by numbers and by beats.
func (n *Node) publish(subject string, frame []byte) {
	n.nc.PublishRequest(subject, n.subj.control(n.id), frame) //nolint:errcheck // see above
}

// control handles a frame that came to this node alone, or a beat. It must not
// wait.
func (n *Node) control(m *nats.Msg) {
	r, k, from, ok := n.open(m)
	if !ok {
		return
	}
	switch k {
	case kindBeat:
		n.heard(from, &r)
	case kindOpen:
		n.opened(from, &r)
	case kindWant, kindCancel, kindHeard:
		n.asked(k, from, &r)
	case kindInquiry:
		n.inquired(from, &r)
	case kindForgotten:
		n.forgotten(from, &r)
	case kindState, kindAnswer, kindEnd, kindNone:
		n.told(k, from, &r)
	case kindFarewell:
		n.parted(from, &r)
	case kindWonder:
		n.wondered(from, &r)
	case kindHint:
		n.leases.hinted(r.string())
	default:
		r.fail()
	}
	if r.bad {
		n.count.malformed.Add(1)
	}
}

// open begins to read a frame, and refuses it if it is not of a node, too large
// or of another version.
func (n *Node) open(m *nats.Msg) (r reader, k kind, from string, ok bool) {
	if m.Reply == "" && len(m.Data) == 0 && m.Header.Get("Status") != "" {
		return r, 0, "", false // the server: nobody has listened. The beats tell that too, and surely
	}
	if from, ok = n.subj.controlOf(m.Reply); !ok {
		n.count.forged.Add(1)
		return r, 0, "", false
	}
	r.rest = m.Data
	v := r.byte()
	k = kind(r.byte())
	if len(m.Data) > max(n.cfg.MaxSize, packetSize, 3*maxText)+4<<10 {
		switch {
		case v == version && (k == kindData || k == kindAnswer): // what is in it is refused, and its sender told
		case v == version && (k == kindBeat || k == kindEnd): // as large as what they tell
		default:
			n.count.tooLarge.Add(1)
			return r, 0, "", false
		}
	}
	if v != version {
		n.count.version.Add(1)
		n.foreign(from, v)
		if k == kindOpen { // its head is the same in all versions
			n.end(from, r.link(), 0, endAll, fmt.Errorf("%w: node %s speaks wire version %d, node %s version %d", ErrMismatch, from, v, n.id, version))
		}
		return r, 0, "", false
	}
	return r, k, from, true
}

// foreign notes a node of another version, so that a Send that finds nobody else
// can say so.
func (n *Node) foreign(id string, v byte) {
	n.mu.Lock()
	p := n.peers[id]
	if p == nil {
		p = new(peer)
		n.peers[id] = p
		defer n.cfg.Logger.Warn("cluster: a node speaks another wire version", "node", id, "version", v, "ours", version)
	}
	p.version, p.heard = v, time.Now()
	n.mu.Unlock()
}

// foreigner returns an error that names a node of another version, or nil.
func (n *Node) foreigner() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, p := range n.peers {
		if p.version != version {
			return fmt.Errorf("%w: node %s speaks wire version %d, this one version %d", ErrMismatch, id, p.version, version)
		}
	}
	return nil
}

// heard handles a beat.
func (n *Node) heard(from string, r *reader) {
	if id := r.string(); id != from {
		n.count.forged.Add(1)
		return
	}
	flags := r.byte()
	p := &peer{heard: time.Now(), version: version, draining: flags&beatDraining != 0, exposes: make(map[string]exposed)}
	for range r.uint() {
		name := r.string()
		if r.bad || checkName("name", name) != nil {
			r.fail()
			return
		}
		p.exposes[name] = exposed{r.uint(), r.uint(), r.bool()}
	}
	if r.bad {
		return
	}
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return
	}
	switch {
	case flags&beatBye != 0:
		delete(n.peers, from)
		n.missed(from, ErrNodeClosed)
		n.absences.note(from, p.heard.Add(n.cfg.Lost)) // if it did not end its session, it had a reason
	case from == n.id && n.peers[from] == nil:
		n.absences.listen(p.heard)
		fallthrough
	default:
		n.peers[from] = p
		n.sighted(from, p)
	}
	routes, _ := n.all()
	n.mu.Unlock()
	if flags&beatBye != 0 {
		if from != n.id {
			n.gone(from, ErrNodeClosed)
		}
		return
	}
	for _, r := range routes {
		r.follow(from, p)
	}
	if flags&beatHello != 0 && from != n.id {
		n.beat(0, from)
	}
}

// Drain takes the node out of the cluster gently: other nodes send it nothing
// new and are told what has come; what this node has sent is accounted for; the
// asks that are under way are answered. Before that its singletons and the actors
// with keys work off their inboxes and end, and other nodes take over. Then, or
// when ctx ends, it is closed. The error is ctx's if that came first: what was not
// done then is reported to the senders. It is ErrNodeClosed if the node was closed
// before.
//
// The exposed actors themselves live on: they are their owners'.
func (n *Node) Drain(ctx context.Context) error {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return ErrNodeClosed
	}
	n.depart()
	n.mu.Unlock()
	n.beat(0)
	n.leases.leave(ctx, true)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	var err error
	for n.busy() && err == nil {
		select {
		case <-again.C:
		case <-ctx.Done():
			err = fmt.Errorf("cluster: drain: %w", context.Cause(ctx))
		}
	}
	return errors.Join(err, n.Close())
}

// depart notes that the node leaves. mu is held.
func (n *Node) depart() {
	if !n.draining {
		n.draining = true
		close(n.leaving)
	}
}

// busy reports whether anything is under way to or from this node.
func (n *Node) busy() bool {
	n.mu.Lock()
	routes, _ := n.all()
	exposures := n.listening()
	handling, publishers := len(n.crews) > 0, n.publishers
	n.mu.Unlock()
	if handling || slices.ContainsFunc(publishers, (*publisher).busy) {
		return true
	}
	return slices.ContainsFunc(routes, (*route).busy) || slices.ContainsFunc(exposures, (*exposure).busy)
}

// Close takes the node out of the cluster at once, but that it stops singletons
// and actors with keys in order first: they are halted, and aborted when their
// abort timer runs out. Other nodes take over what has ended. What was sent and not yet
// acknowledged is reported with ErrUnknown; Sends that wait return ErrNodeClosed;
// what other nodes have sent and was not yet accepted is handed back to them. It
// waits until all is reported; so does every other call. It does not close the
// connection.
func (n *Node) Close() error {
	n.mu.Lock()
	n.depart()
	n.mu.Unlock()
	n.leases.leave(context.Background(), false)
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		<-n.done
		return nil
	}
	n.closed = true
	defer close(n.done)
	routes, _ := n.all()
	exposures := n.listening()
	n.unwatch()
	n.mu.Unlock()
	n.leases.close()
	close(n.stop)
	for _, e := range exposures {
		e.withdraw(ErrNodeClosed)
	}
	for _, r := range routes {
		r.close()
	}
	n.stopped.Wait()
	n.beat(beatBye)
	n.unsubscribe()
	n.reports.wait()
	if err := n.nc.FlushTimeout(n.cfg.Lost); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		return fmt.Errorf("cluster: close: %w", err)
	}
	return nil
}

func (n *Node) unsubscribe() {
	for _, s := range n.subs {
		s.Unsubscribe() //nolint:errcheck // the connection is closed, or has never had it
	}
}

// newLink returns the number of a link that nobody can guess.
func newLink() uint64 {
	var b [8]byte
	rand.Read(b[:])
	r := reader{rest: b[:]}
	return r.link()
}

// ending is what the end of a link means for what is not yet settled.
type ending byte

const (
	endUnknown ending = iota // anything
	endKept                  // no later message was accepted or will be; answers may come
	endAll                   // no later message was accepted or will be; no answer comes
)

// end tells a node that a link is over, up to which message it was used, and which
// of these were refused, as far as the node is not known to have heard that.
func (n *Node) end(to string, link, processed uint64, how ending, why error, refused ...uint64) {
	b := append(appendUint(appendLink(head(kindEnd), link), processed), byte(how))
	n.publish(n.subj.control(to), appendUints(appendError(b, why), refused))
}

// hold has Close wait until stopped.Done is called, or returns false if the node
// is closed.
func (n *Node) hold() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.closed {
		n.stopped.Add(1)
	}
	return !n.closed
}
