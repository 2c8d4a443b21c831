package cluster

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"tinyactor/actor"
)

// Remote is where messages for a name can be sent to, from any node: an
// [actor.Sender] with the words of an *actor.Address. It is safe for concurrent
// use, and any number for the same name share what there is behind.
//
// Send returns nil when the actor has accepted the message, and waits while its
// inbox is full; TrySend returns actor.ErrFull then. Both return actor.ErrClosed
// when the actor is closed. actor.Ask works: the answer and its error come back,
// with the asker's deadline and cancellation going there. What differs from an
// Address:
//
//   - A message is delivered at most once, and its outcome can be unknown:
//     ErrUnknown if the other node died or froze, or the connection broke, after
//     the message had left. It comes at the latest when the node is given up,
//     Config.Lost after its last beat. An Ask then ends with actor.ErrNoReply,
//     which also matches ErrUnknown.
//   - Send takes a round trip, and so does TrySend, which waits for that but not
//     for room; the first TrySend also waits until the name is found. For a
//     stream of messages from one goroutine see Async.
//   - There may be nobody: ErrNotFound when no living node exposes the name.
//   - Nobody knows who sends: an actor that sends to its own full inbox by its
//     name waits for itself.
//   - Only what the Codec takes travels: with JSON, exported fields. One
//     actor.Reply per message does, see [Register].
//   - If ctx ends while a message is on its way, it is called back. Send returns
//     ctx's error only if that was in time; if that is not known either, soon,
//     ErrUnknown together with ctx's error. While the network takes no bytes,
//     nats.FlusherTimeout goes before that: see [Join].
//
// # Pools
//
// If several nodes expose the name, each message goes to the one that has most
// room left, as far as is known here. A node that drains, whose actor was closed,
// or that is dead or frozen gets no more; what certainly did not reach an actor
// there is sent to another one. Messages of one goroutine are taken in order by
// each node, not across nodes.
type Remote[M any] struct {
	node  *Node
	name  string
	key   string
	shape *shape
	route *route
	err   error
}

// Lookup returns where messages for a name can be sent to. It does not wait: a
// node that exposes the name is found when a message is sent, or ErrNotFound
// returned. What is wrong with the name or with the type, every Send returns. The
// node remembers each name and type until it is closed.
func Lookup[M any](n *Node, name string) *Remote[M] {
	r := &Remote[M]{node: n, name: name}
	if r.err = checkName("name", name); r.err != nil {
		return r
	}
	if r.shape, r.err = shapeOf(reflect.TypeFor[M]()); r.err == nil {
		r.route, r.err = n.to(name, r.shape, false)
	}
	return r
}

// Key returns where messages for one key of a keyed name can be sent to: to the
// one actor that has that key, see [Keyed]. A key is any text of 1 to 256 bytes;
// another is an error of every Send. It does not wait.
func (r *Remote[M]) Key(key string) *Remote[M] {
	k := &Remote[M]{node: r.node, name: r.name, key: key, shape: r.shape, err: r.err}
	if k.err == nil {
		k.err = checkKey(key)
	}
	if k.err == nil {
		k.route, k.err = r.node.to(r.name, r.shape, true)
	}
	return k
}

// Name returns the name.
func (r *Remote[M]) Name() string { return r.name }

// Nodes returns the IDs of the nodes to which messages can go at this moment.
func (r *Remote[M]) Nodes() []string {
	if r.route == nil {
		return nil
	}
	return r.route.nodes()
}

// Send sends a message and waits until the actor has accepted it.
func (r *Remote[M]) Send(ctx context.Context, msg M) error { return r.send(ctx, msg, confirmed) }

// TrySend is Send that does not wait for room: actor.ErrFull.
func (r *Remote[M]) TrySend(msg M) error { return r.try(msg, confirmed) }

// Async returns a Sender to the same name whose Send does not wait until the
// actor has accepted the message, only until there is room for it. One goroutine
// then sends many times as many messages, and several of them travel together.
// Every message for which it has returned nil is accepted by the actor or given
// to Config.Undelivered, once.
func (r *Remote[M]) Async() actor.Sender[M] { return (*asyncRemote[M])(r) }

// asyncRemote is Remote.Async.
type asyncRemote[M any] Remote[M]

func (r *asyncRemote[M]) Send(ctx context.Context, msg M) error {
	return (*Remote[M])(r).send(ctx, msg, async)
}

func (r *asyncRemote[M]) TrySend(msg M) error { return (*Remote[M])(r).try(msg, async) }

func (r *Remote[M]) send(ctx context.Context, msg M, mode mode) error {
	j, err := r.job(ctx, msg, mode)
	if err != nil {
		return err
	}
	if err := r.route.submit(j); err != nil {
		j.forget()
		return named(r.name, err)
	}
	if j.mode != confirmed {
		select { // it mostly is on its way
		case err := <-j.done:
			return err
		default:
		}
	}
	return r.route.await(ctx, j)
}

func (r *Remote[M]) try(msg M, mode mode) error {
	j, err := r.job(context.Background(), msg, mode)
	if err != nil {
		return err
	}
	j.try = r.key != "" || j.mode == confirmed // else it is not waited for anyway
	r.route.found()
	if err := r.route.try(j); err != nil {
		j.forget()
		return named(r.name, err)
	}
	return r.route.await(context.Background(), j)
}

// job encodes a message.
func (r *Remote[M]) job(ctx context.Context, msg M, mode mode) (*job, error) {
	if r.err != nil {
		return nil, named(r.name, r.err)
	}
	value := any(msg) // once: it allocates
	body, v, err := r.shape.encode(nil, r.node.cfg.Codec, value)
	if err != nil {
		return nil, named(r.name, err)
	}
	if len(body) > r.node.cfg.MaxSize {
		return nil, named(r.name, fmt.Errorf("%w: a %v of %d bytes, the most is %d", ErrTooLarge, v.typ, len(body), r.node.cfg.MaxSize))
	}
	j := &job{mode: mode, name: r.name, msg: value, body: body, ctx: ctx, done: make(chan error, 1)}
	if r.key != "" {
		j.key, j.lane = r.key, r.route.lane(r.key)
	}
	if at := v.replyIn(reflect.ValueOf(value)); at.IsValid() && !at.IsZero() {
		j.mode, j.reply = asking, at.Interface()
		j.ctx = j.reply.(interface{ Context() context.Context }).Context()
		if j.ctx.Done() != nil {
			j.unwatch = context.AfterFunc(j.ctx, func() { r.route.forsake(j) })
		}
	}
	return j, nil
}

// found waits until it is known whether anybody exposes the name.
func (r *route) found() {
	select {
	case <-r.ready:
		return
	default:
	}
	patience := time.NewTimer(2 * r.node.cfg.Find)
	defer patience.Stop()
	select {
	case <-r.ready:
	case <-patience.C:
	}
}

// nodes returns the nodes that have a link which takes messages.
func (r *route) nodes() (ids []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.links {
		if l.takes() {
			ids = append(ids, l.peer)
		}
	}
	return ids
}
