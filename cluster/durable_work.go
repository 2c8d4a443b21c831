package cluster

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tinyactor/actor"
)

const (
	// maxAhead is how many messages at most a Spawn has fetched and not begun.
	maxAhead = 512
	// pullFor is for how long the servers keep a wish for messages. A node that
	// freezes is handed some for so long.
	pullFor = 5 * time.Second
	// keyedAhead is for how many messages of a partition one wish asks. They come
	// one by one.
	keyedAhead = 32
	// mostSilent is how often at least a message may be handed out and not handled:
	// nodes that stop give back what they have fetched.
	mostSilent = 6
	// stale is how long a message may wait for a worker before fewer are fetched.
	stale = 100 * time.Millisecond
)

// Spawn starts an actor that handles the messages of the inbox, on this node, in
// so many goroutines; any number of nodes may. handle is called with each message:
//
//   - It returns nil: the message is done with, and removed.
//   - It returns an error, panics, or ends its goroutine: the message is handed out
//     again, here or elsewhere, after DurableConfig.Backoff; or set aside if that
//     was its last attempt.
//
// Its ctx is the actor's, whose end means abort; see [Attempt] and [MessageID] for
// what else is in it. cfg is the actor's; its Capacity and Undelivered are not used.
//
// The word that a message is done with is sent and not waited for. If it is lost,
// or the message's AckWait is over before it comes, the message is handled again:
// let its effect depend on its ID.
//
// Messages are fetched ahead, up to 512, as long as the workers are faster than
// that; the first few at a time, and again so after one that another node has not
// done with, so that a message that ends its node takes few others with it. Each
// counts as handed out then. One that was handed out 2*DurableConfig.Attempts
// times, but at least six, without a word of what became of it, as nodes died with
// it, is set aside and not handled; so is one that does not decode, at once.
//
// The actor ends when it is halted or closed, or its node is closed or drained: it
// finishes what is in hand, and gives back what it has fetched. When it is aborted,
// the rest is handed out again after AckWait. It ends with an error if the inbox is
// removed, or the servers do not allow the node to fetch its messages, or to say
// what became of them. Spawn does not wait. It panics if workers is less than 1, or
// handle is nil.
func (d *Durable[M]) Spawn(owner context.Context, cfg actor.Config, workers int, handle func(ctx context.Context, msg M) error) *actor.Child[actor.None, actor.None] {
	if workers < 1 {
		panic(fmt.Sprintf("cluster: %q: Spawn with %d workers", d.name, workers))
	}
	if handle == nil {
		panic(fmt.Sprintf("cluster: %q: Spawn without a function", d.name))
	}
	cfg.Capacity, cfg.Undelivered = actor.Capacity{}, func(any) {}
	child, _ := actor.Spawn(owner, cfg, func(ctx context.Context, in *actor.Inbox[actor.None]) error {
		w := &crew{ctx: ctx, durable: d.durable, workers: workers, queue: make(chan *handed, 2*maxAhead+2*workers+d.cfg.Partitions), failed: make(chan error, 1), held: make(map[uint64]*handed), reconnects: d.node.nc.Stats().Reconnects}
		w.take = func(ctx context.Context, data []byte) error {
			msg, err := d.decode(data)
			if err != nil {
				return &hopeless{err}
			}
			return handle(ctx, msg)
		}
		return w.run(in)
	})
	return child
}

// decode is the opposite of encode.
func (d *Durable[M]) decode(data []byte) (m M, err error) {
	r := reader{rest: data}
	v := r.byte()
	if r.bad || v != storedVersion {
		return m, fmt.Errorf("%w: stored by version %d, and this program reads version %d", ErrMismatch, v, storedVersion)
	}
	typ, codec := r.string(), r.string()
	switch {
	case r.bad:
		return m, fmt.Errorf("%w: %d bytes that are no message", ErrMismatch, len(data))
	case typ != d.shape.name:
		return m, fmt.Errorf("%w: a stored %s, where a %s is taken", ErrMismatch, typ, d.shape.name)
	case codec != d.node.cfg.Codec.Name():
		return m, fmt.Errorf("%w: stored with codec %s, and read with %s", ErrMismatch, codec, d.node.cfg.Codec.Name())
	}
	p, variant, err := d.shape.decode(d.node.cfg.Codec, r.rest)
	if err != nil {
		return m, err
	}
	m, ok := reflect.TypeAssert[M](p.Elem())
	if !ok {
		return m, fmt.Errorf("%w: a %v is no %v", ErrMismatch, variant.typ, d.shape.declared)
	}
	return m, nil
}

// hopeless is the error of a message that no attempt helps.
type hopeless struct{ error }

func (e *hopeless) Unwrap() error { return e.error }

// handling is the context of a message in hand.
type handling struct {
	context.Context //nolint:containedctx // it is one
	attempt         int
	handed          *handed
}

type handlingKey struct{}

func (h *handling) Value(key any) any {
	if key == (handlingKey{}) {
		return h
	}
	return h.Context.Value(key)
}

// Attempt returns how often the message of a durable inbox whose handler has ctx
// was handed out, this time included: 1 at first. 0: ctx is no such.
func Attempt(ctx context.Context) int {
	if h, ok := ctx.Value(handlingKey{}).(*handling); ok {
		return h.attempt
	}
	return 0
}

// MessageID returns the ID of the message of a durable inbox whose handler has ctx:
// its own if it has one, or a hash of that if it has more than 100 bytes or others
// than printable ASCII; else one that no other message has. It is the same in each
// attempt, also after Retry: an effect that is applied together with it, and not
// again for the same, happens once. "": ctx is no such.
func MessageID(ctx context.Context) string {
	if h, ok := ctx.Value(handlingKey{}).(*handling); ok {
		return shownID(h.handed.id())
	}
	return ""
}

// handed is a message that was handed to this node.
type handed struct {
	msg     *nats.Msg
	from    *source
	seq     uint64 // in the stream
	attempt int
	came    time.Time
	heard   time.Time // when the server last heard that it is here. crew.mu
}

// id returns the ID under which the message was stored at first.
func (h *handed) id() string {
	if ids := h.msg.Header[nats.MsgIdHdr]; len(ids) > 0 {
		return firstID(ids[0])
	}
	return ""
}

// source is a consumer of the stream.
type source struct {
	crew     *crew
	next     string // the subject of wishes
	sub      *nats.Subscription
	consumer string
	in       string // where what is handed out comes to, but for the number of the wish
	closed   chan struct{}

	// Guarded by crew.mu.
	limit  int       // how many may be here or asked for
	asked  int       // for how many the servers have a wish
	here   int       // how many are here
	number uint64    // of the last wish
	sent   time.Time // when it left
	left   int       // how many have to come until it is fulfilled
	shrunk time.Time // when the limit was last made smaller
	after  time.Time // no wish before
	silent bool      // nobody has taken the last wish
}

// wish is a request for messages.
type wish struct {
	subject, reply string
	body           []byte
}

// crew is what one Spawn runs.
type crew struct {
	*durable
	workers int
	take    func(ctx context.Context, data []byte) error
	sources []*source
	queue   chan *handed
	ctx     context.Context //nolint:containedctx // the actor's
	failed  chan error      // capacity 1
	hands   sync.WaitGroup

	mu         sync.Mutex
	held       map[uint64]*handed // by their numbers in the stream
	halting    bool
	looking    bool   // whether the consumers are there
	reconnects uint64 // of the connection, when the wishes were last known to be there
}

// run is the body of the actor.
func (w *crew) run(in *actor.Inbox[actor.None]) (err error) {
	in.Address() // so that the inbox does not close because nobody has one
	if err := w.node.enter(w); err != nil {
		return named(w.name, err)
	}
	defer w.node.leave(w)
	defer w.stop() // also if an abort ends this goroutine
	before := w.node.nc.LastError()
	err = w.begin(in.Halting())
	for range w.workers {
		w.hands.Go(w.work)
	}
	select {
	case <-in.Halting(): // perhaps err is because of that
	default:
		if err != nil {
			return named(w.name, err)
		}
	}
	tick := time.NewTicker(w.pace())
	defer tick.Stop()
	for {
		if denied := w.denied(before, "$JS.API.CONSUMER.MSG.NEXT.", "$JS.ACK."); denied != nil {
			return named(w.name, denied)
		}
		select {
		case <-w.ctx.Done():
			return w.ctx.Err()
		case <-in.Ready():
			if _, err := in.TryRecv(); err != nil && !errors.Is(err, actor.ErrEmpty) {
				return err
			}
		case <-w.node.leaving:
			return named(w.name, ErrNodeClosed)
		case err := <-w.failed:
			return named(w.name, err)
		case now := <-tick.C:
			w.look(now)
		}
	}
}

// pace is how often a crew looks after what it holds.
func (w *crew) pace() time.Duration { return min(w.cfg.AckWait/10, 200*time.Millisecond) }

// begin makes the consumers, if they are not there, and asks for messages.
func (w *crew) begin(halting <-chan struct{}) error {
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	w.hands.Go(func() {
		select {
		case <-halting:
			cancel()
		case <-ctx.Done():
		}
	})
	for i := range w.cfg.Partitions {
		s := &source{crew: w, closed: make(chan struct{}), limit: w.workers, in: w.node.nc.NewInbox() + "."}
		cfg := jetstream.ConsumerConfig{
			Durable: "work", AckPolicy: jetstream.AckExplicitPolicy, AckWait: w.cfg.AckWait,
			MaxDeliver: -1, MaxAckPending: 1 << 16, MaxWaiting: 1 << 12,
		}
		if w.keyed {
			cfg.Durable, cfg.FilterSubject = fmt.Sprint("key-", i), w.node.subj.stored(w.name, strconv.Itoa(i))
			cfg.MaxAckPending = 1 // one at a time: this keeps the order, whatever happens
			s.limit = keyedAhead
		}
		s.consumer = cfg.Durable
		err := w.retry(ctx, func(ctx context.Context) error {
			_, err := w.js.CreateConsumer(ctx, w.stream, cfg)
			return err
		})
		if errors.Is(err, jetstream.ErrConsumerExists) {
			err = fmt.Errorf("%w: consumer %s of stream %s has other settings", ErrMismatch, cfg.Durable, w.stream)
		}
		if err != nil {
			return err
		}
		s.next = "$JS.API.CONSUMER.MSG.NEXT." + w.stream + "." + cfg.Durable
		if s.sub, err = w.node.nc.Subscribe(s.in+"*", s.receive); err != nil {
			return err
		}
		s.sub.SetClosedHandler(func(string) { close(s.closed) })
		w.sources = append(w.sources, s)
		if err := s.sub.SetPendingLimits(-1, -1); err != nil { // bounded by what is asked for
			return err
		}
	}
	w.look(time.Now())
	return nil
}

// stop ends a crew: what is in hand is finished, what is fetched is given back.
// After an abort it is left to be handed out again.
func (w *crew) stop() {
	w.mu.Lock()
	w.halting = true
	close(w.queue)
	w.mu.Unlock()
	for _, s := range w.sources {
		s.sub.Drain() //nolint:errcheck // the connection is closed, then
	}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		w.hands.Wait()
	}()
	tick := time.NewTicker(w.pace())
	defer tick.Stop()
	for more := true; more; {
		select {
		case <-finished:
			more = false
		case now := <-tick.C:
			w.look(now)
		}
	}
	patience, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, s := range w.sources { // what comes until then is given back
		select {
		case <-s.closed:
		case <-patience.Done():
		}
	}
	w.node.nc.FlushTimeout(time.Second) //nolint:errcheck // what is lost of it is handed out again
}

// giveBack has the server hand out a message at once that was not begun.
func (w *crew) giveBack(h *handed) {
	if w.ctx.Err() != nil {
		w.drop(h, nil)
		return
	}
	w.drop(h, sayNak)
}

// say tells the server about a message. If that is lost, it is handed out again.
func (w *crew) say(h *handed, what []byte) {
	w.node.nc.Publish(h.msg.Reply, what) //nolint:errcheck // see above
}

// What there is to say.
var sayAck, sayNak, sayWorking = []byte("+ACK"), []byte("-NAK"), []byte("+WPI")

func sayLater(pause time.Duration) []byte { return fmt.Appendf(nil, `-NAK {"delay":%d}`, pause) }

// drop forgets a message, then tells the server what there is to say, if anything,
// and asks for more. In this order, as the message may come back at once.
func (w *crew) drop(h *handed, what []byte) {
	w.mu.Lock()
	delete(w.held, h.seq)
	h.from.here--
	lapsed := w.lapsed(h)
	wish := h.from.wish()
	w.mu.Unlock()
	if what != nil && !lapsed {
		w.say(h, what)
	}
	w.ask(wish)
}

// lapsed reports whether a message with an order may be in another node's hands,
// as this one has slept: what is said of it now would have the server hand out the
// next one meanwhile. mu is held.
func (w *crew) lapsed(h *handed) bool {
	return w.keyed && slept(h.heard, time.Now(), w.cfg.AckWait*9/10)
}

// wish returns a request for as many messages as there is room for, or nil if
// half of that is here or under way. crew.mu is held.
func (s *source) wish() *wish {
	if s.crew.halting || s.here+s.asked > s.limit/2 {
		return nil
	}
	now := time.Now()
	if now.Before(s.after) {
		return nil
	}
	n := s.limit - s.here - s.asked
	s.asked += n
	s.number++
	s.sent, s.left = now, s.asked
	body := fmt.Appendf(nil, `{"batch":%d,"expires":%d}`, n, pullFor)
	return &wish{s.next, s.in + strconv.FormatUint(s.number, 36), body}
}

func (w *crew) ask(wish *wish) {
	if wish != nil {
		w.node.nc.PublishRequest(wish.subject, wish.reply, wish.body) //nolint:errcheck // look asks again
	}
}

// receive handles what a consumer sends: a message, or what has become of a wish.
func (s *source) receive(m *nats.Msg) {
	w := s.crew
	if m.Reply == "" {
		s.status(m)
		return
	}
	attempt, seq, ok := place(m.Reply)
	if !ok {
		w.node.count.malformed.Add(1)
		return
	}
	now := time.Now()
	h := &handed{msg: m, from: s, seq: seq, attempt: attempt, came: now, heard: now}
	if h.attempt > 1 {
		w.node.count.redelivered.Add(1)
	}
	w.mu.Lock()
	s.asked = max(0, s.asked-1)
	s.silent = false
	if old := w.held[h.seq]; old != nil { // it is here: the server has not heard that in time
		old.heard = now
		w.mu.Unlock()
		return
	}
	w.held[h.seq] = h
	s.here++
	s.left--
	switch {
	case w.keyed:
	case h.attempt > 1: // perhaps it ends its node: then not with many others
		s.limit = w.workers
	case s.left == 0 && now.Sub(s.sent) < stale && now.Sub(s.shrunk) > pullFor:
		s.limit = min(2*s.limit, max(maxAhead, w.workers))
	}
	wish := s.wish()
	taken := !w.halting
	if taken {
		select {
		case w.queue <- h:
		default: // more has come than was asked for
			taken = false
		}
	}
	w.mu.Unlock()
	w.ask(wish)
	if !taken {
		w.giveBack(h)
	}
}

// place reads from the subject for acknowledgements how often a message was
// handed out, and its number in the stream:
//
//	$JS.ACK.<stream>.<consumer>.<times>.<number>.<three more>
//	$JS.ACK.<domain>.<account>.<stream>.<consumer>.<times>.<number>.<three or more>
func place(reply string) (times int, number uint64, ok bool) {
	rest, ok := strings.CutPrefix(reply, "$JS.ACK.")
	parts := strings.Count(rest, ".") + 1
	if !ok || parts < 7 || parts == 8 {
		return 0, 0, false
	}
	skip := 2
	if parts > 7 {
		skip = 4
	}
	for range skip {
		_, rest, _ = strings.Cut(rest, ".")
	}
	first, rest, _ := strings.Cut(rest, ".")
	second, _, _ := strings.Cut(rest, ".")
	times, err1 := strconv.Atoi(first)
	number, err2 := strconv.ParseUint(second, 10, 64)
	return times, number, err1 == nil && err2 == nil
}

// status handles the end of a wish.
func (s *source) status(m *nats.Msg) {
	w := s.crew
	code, what := m.Header.Get("Status"), m.Header.Get("Description")
	if code == "100" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	left, err := strconv.Atoi(m.Header.Get("Nats-Pending-Messages"))
	if err != nil {
		left = s.asked
	}
	s.asked = max(0, s.asked-left)
	switch code {
	case "404", "408": // it has expired: whatever comes next need not come in great numbers
		if left > 0 && !w.keyed {
			s.limit = w.workers
		}
	case "503":
		s.silent = true
		fallthrough
	default:
		if what == "Consumer Deleted" {
			s.silent = true
		}
		s.after = time.Now().Add(refusedAgain)
	}
}

// look tells the servers that what is here is here, and asks for more where a
// wish has been lost.
func (w *crew) look(now time.Time) {
	var wishes []*wish
	var working []*handed
	w.mu.Lock()
	for _, h := range w.held {
		if now.Sub(h.heard) > w.cfg.AckWait/5 && !w.lapsed(h) {
			h.heard = now
			working = append(working, h)
		}
	}
	silent := false
	n := w.node.nc.Stats().Reconnects
	for _, s := range w.sources {
		if n != w.reconnects || s.asked > 0 && now.Sub(s.sent) > pullFor+time.Second {
			s.asked = 0 // the servers forget wishes with their connection
		}
		silent = silent || s.silent
		wishes = append(wishes, s.wish())
	}
	w.reconnects = n
	silent = silent && !w.looking && !w.halting
	w.looking = w.looking || silent
	w.mu.Unlock()
	for _, h := range working {
		w.say(h, sayWorking)
	}
	for _, wish := range wishes {
		w.ask(wish)
	}
	if silent {
		w.hands.Go(w.search)
	}
}

// search ends the crew if its stream or a consumer is there no more.
func (w *crew) search() {
	ctx, cancel := context.WithTimeout(w.ctx, 2*time.Second)
	defer cancel()
	var err error
	for _, s := range w.sources {
		_, e := w.js.Consumer(ctx, w.stream, s.consumer)
		if errors.Is(e, jetstream.ErrStreamNotFound) || errors.Is(e, jetstream.ErrConsumerNotFound) {
			err = fmt.Errorf("cluster: the durable inbox was removed: %w", e)
		}
	}
	w.mu.Lock()
	w.looking = false
	w.mu.Unlock()
	if err != nil {
		select {
		case w.failed <- err:
		default:
		}
	}
}

// work is one worker.
func (w *crew) work() {
	var h *handed
	defer func() {
		if h != nil { // the handler has ended the goroutine
			w.unhandled(h, actor.ErrGoexit)
			w.hands.Go(w.work)
		}
	}()
	for h = range w.queue {
		if w.leaving() {
			w.giveBack(h)
		} else if err := w.handle(h); err == nil {
			w.node.count.handled.Add(1)
			w.drop(h, sayAck)
		} else {
			w.unhandled(h, err)
		}
		h = nil
	}
}

// leaving reports whether nothing more is to be begun.
func (w *crew) leaving() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.halting
}

// late has fewer messages fetched if this one has waited for long: another node
// may have nothing to do.
func (w *crew) late(h *handed) {
	now := time.Now()
	if now.Sub(h.came) < stale {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := h.from; !w.keyed && s.shrunk.Before(h.came) {
		s.shrunk = now
		s.limit = max(w.workers, s.limit/2)
	}
}

// handle calls the handler.
func (w *crew) handle(h *handed) (err error) {
	if h.attempt > max(2*w.cfg.Attempts, mostSilent) {
		return &hopeless{fmt.Errorf("handed out %d times, and nothing was heard of it", h.attempt-1)}
	}
	w.late(h)
	defer func() {
		if v := recover(); v != nil {
			err = &actor.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return w.take(&handling{w.ctx, h.attempt, h}, h.msg.Data)
}

// unhandled is the end of an attempt that has failed.
func (w *crew) unhandled(h *handed, why error) {
	_, never := errors.AsType[*hopeless](why)
	var what []byte
	switch {
	case w.ctx.Err() != nil && !never: // aborted: it is handed out again
	case never || h.attempt >= w.cfg.Attempts:
		what = w.setAside(h, why)
	default:
		w.node.count.failed.Add(1)
		pause := w.backoff(h.attempt)
		w.node.cfg.Logger.Warn("cluster: a message failed", "name", w.name, "node", w.node.id, "id", h.id(), "attempt", h.attempt, "again", pause, "err", why)
		what = sayLater(pause)
	}
	w.drop(h, what)
}

// backoff is how long a message waits after so many attempts.
func (w *crew) backoff(attempts int) time.Duration {
	pause := w.cfg.Backoff
	for range attempts - 1 {
		pause = min(2*pause, max(time.Minute, w.cfg.Backoff))
	}
	return pause
}

// enter notes that a node handles messages, so that Drain waits for that.
func (n *Node) enter(w *crew) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.draining {
		return ErrNodeClosed
	}
	n.crews[w] = struct{}{}
	return nil
}

func (n *Node) leave(w *crew) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.crews, w)
}
