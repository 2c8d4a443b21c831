package cluster

import (
	"context"
	"reflect"
	"time"

	"tinyactor/actor"
)

// Actor is the actor of one key, as the function given to [Keyed] describes it.
type Actor[M any] struct {
	// Config is that of [actor.Spawn]. If it has no Name, the actor is called
	// after its name and key. Detached and Drain are not looked at: the node is
	// the owner.
	Config actor.Config
	// Idle is for how long no message comes until the actor is stopped: its inbox
	// is closed, so that Run gets actor.ErrClosed once it has worked off what is
	// there. The next message starts it anew. 0: a minute; negative: never. An
	// actor that has not answered all that it was asked is not idle.
	Idle time.Duration
	// Run is the actor's body. When it returns, or panics, the key has no actor
	// until the next message.
	Run func(ctx context.Context, in *actor.Inbox[M]) error
}

// defaultIdle is Actor.Idle if that is 0.
const defaultIdle = time.Minute

// Keyed lets this node host actors of a keyed name: one for each key that messages
// are sent to, with Lookup[M](node, name).Key(key), from any node. Among all nodes
// that do so, one has the actor of a key; it is started by the first message, with
// what make returns for the key, and stopped when none has come for [Actor.Idle].
// Keyed waits for the server's word that the node may, not longer than Config.Find.
// It lasts until the node is drained or closed.
//
// The keys of a name are in 64 partitions, and a node that hosts keys holds the
// leases of their partitions, which all nodes of the cluster see: two actors of
// one key never run at the same time for longer than the lease says, see
// Config.Lease. What they write should carry [Fence], the number of the
// partition's lease, which is the same for all keys in it. A node whose lease is
// lost aborts its actors, so that they end with actor.ErrAborted.
//
// A key's actor moves when its node goes, and only then: when the node is drained
// or closed, at once; when it dies or freezes, as soon as its lease may be taken.
// Until then messages for its keys wait at their senders or where they are to go,
// each Send for as long as its ctx lets it, and TrySend returns actor.ErrFull. A
// node that comes later gets its share of the partitions as they come to have no
// actor. If the KV store of the leases is not to be had, messages for keys that
// nobody holds wait for Config.Lease, and their Sends then return what is wrong.
//
// What an actor keeps in memory is gone when it stops, for whatever reason: it
// has to load what it needs when it starts, and store what is to stay.
//
// # Backpressure
//
// The inbox of each key counts. If it is full, Send waits and TrySend returns
// actor.ErrFull; that holds up no other key, unless Config.Window messages of one
// node wait for full inboxes of another: then all from the one to the other wait.
// Messages of one goroutine to one key are taken in the order sent, also those of
// Async, also when the key moves.
//
// # Ownership
//
// Key actors are the node's: they are spawned under the values of the ctx given
// to [Join], so that its observers see them, and Node.Drain and Node.Close stop
// them before they return. Drain lets them finish what they have and hands their
// partitions over; Close halts them, and aborts those that have not ended when
// their abort timer runs out.
//
// make is called on a goroutine of the node, for one key at a time or for several
// at once, and must return soon: Node.Close waits for it. The errors are ErrBadName,
// ErrNodeClosed, nats.ErrPermissionViolation, what is wrong with the message type,
// and that the node has exposed the name. Keyed panics if make is nil. It costs one
// subscription, and for each key with an actor that and a timer.
func Keyed[M any](n *Node, name string, make func(key string) Actor[M]) error {
	if make == nil {
		panic("cluster: Keyed: make is nil")
	}
	if err := checkName("name", name); err != nil {
		return err
	}
	s, err := shapeOf(reflect.TypeFor[M]())
	if err != nil {
		return named(name, err)
	}
	e := &exposure{node: n, name: name, shape: s, closed: func() bool { return false }}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	h := newHost(&sink[M]{exposure: e}, make)
	e.host, e.take = h, h.take
	if err := e.begin(); err != nil {
		e.cancel()
		return named(name, err)
	}
	if err := n.leases.enter(h.tenant); err != nil {
		e.withdraw(err)
		return named(name, err)
	}
	n.beat(0)
	return nil
}
