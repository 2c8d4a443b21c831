package cluster

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"tinyactor/actor"
)

// Level is what the messages of a durable inbox survive.
type Level int

const (
	// ProcessCrash is survived by a message that a server, or most of its replicas,
	// have written to their file systems, as they have when Send returns nil. It
	// survives the end of every process. It may not survive that of an operating system, or
	// power: servers sync to the disk every two minutes, unless told otherwise.
	// With replicas on machines that do not fail together, that is rare.
	ProcessCrash Level = iota
	// PowerLoss is survived by a message that is synced to the disk, on most of the
	// replicas, before Send returns nil. It needs servers that do so for everything, which is
	// theirs to configure (sync_interval: always; embedded.Config.SyncAlways), and
	// which no client can see: the operator says so with Config.SyncAlways. It
	// costs a sync or two for each message, or for those that come together: see
	// docs/performance.md.
	PowerLoss
)

func (l Level) String() string {
	switch l {
	case ProcessCrash:
		return "ProcessCrash"
	case PowerLoss:
		return "PowerLoss"
	}
	return fmt.Sprintf("Level(%d)", int(l))
}

// DurableConfig is how a durable inbox behaves. The zero value is right where
// there is room on the disk.
//
// What is marked with * belongs to the inbox, not to the node that opens it: it is
// set by the node that opens it first, and another that opens it with another
// value gets ErrMismatch. Level, Partitions and AckWait stay as they are. The
// others are NATS's settings of the stream: change them there, then in the program.
type DurableConfig struct {
	// Level * is what a stored message survives.
	Level Level
	// MaxMessages and MaxBytes * are how many messages may be stored and not yet
	// dealt with, and how many bytes they may need with all that NATS keeps beside
	// them; 0: no limit. A Send beyond them waits.
	MaxMessages, MaxBytes int64
	// Dedup * is for how long after a message was stored another one with the same
	// ID is recognised, and not stored again; 2 min if it is 0, 100 ms at least.
	// The servers keep the IDs of all messages for so long, in memory: some 200
	// bytes each.
	Dedup time.Duration
	// Partitions * is for messages with an OrderKey: keys share so many places in
	// which one message at a time is handled. 0: 16, or 1 if messages have no
	// OrderKey; 256 at most. Each costs a consumer in the servers, and if replicated a
	// Raft group.
	Partitions int
	// AckWait * is after how long a message that was handed to a node is handed to
	// another, when nothing is heard of the first; 15 s if it is 0, 500 ms at least.
	// It does not limit how long a message is handled: a node that lives says so
	// every fifth of it. A leader of the inbox's stream that dies is replaced within
	// 4 to 9 s; with less than that, what is in hand then may be handled twice.
	AckWait time.Duration

	// Attempts is how often a message is handed out before it is set aside; 5 if
	// it is 0.
	Attempts int
	// Backoff is how long a message waits after its first failure; each further
	// one doubles it, to a minute at most. 1 s if it is 0.
	Backoff time.Duration
}

// Durable is an inbox that is kept by NATS JetStream: what is sent to it is
// stored, and survives restarts of every node, until a node has dealt with it. It
// is an [actor.Sender]; see [OpenDurable]. It is safe for concurrent use.
//
// # Sending
//
// Send returns nil when the message is stored. It waits for that, for room if the
// inbox is full, and for a server if none keeps the inbox at the moment, as for 4 to
// 9 s when the one that leads it dies. TrySend does not wait for room: actor.ErrFull.
//
// An error means that the message was not and will not be stored, but for
// ErrUnknown: ctx has ended, or DurableConfig.Dedup has nearly passed, or the node
// was closed, before a server had answered. Until then the message is sent again and
// again with the same ID, so that an answer that was lost does not store it twice.
// When ctx ends with the message under way, Send waits for Config.Beat more.
//
// A message type with the method
//
//	MessageID() string
//
// has its own IDs: then a message that is sent again, by whomever, within
// DurableConfig.Dedup, is not stored again, and Send returns nil. An empty one is
// none. The servers keep IDs in memory. One that restarts, and then leads, knows
// those of the messages that it still has, not of those that were dealt with: make
// the effect of a message depend on its ID where that matters, see [MessageID].
//
// A message with an actor.Reply is refused: nobody would wait for the answer. So
// actor.Ask does not work here.
//
// # Handling
//
// See [Durable.Spawn]. Every message is handled at least once, or set aside. It is
// handled again if a node dies, freezes, or is cut off for DurableConfig.AckWait,
// before its word that it is done has reached the server; and if that word is
// lost. See [Durable.Aside] for what was set aside.
//
// Messages are begun in the order stored, but several at a time, and again later
// when they fail. A message type with the method
//
//	OrderKey() string
//
// has those of one key handled in the order stored, one at a time, by whatever
// node, whatever fails: the next waits until the one before was done or set aside.
// The price: keys are spread over DurableConfig.Partitions, in each of which one
// message is under way at a time, so that a slow or failing message holds up the
// other keys of its partition, and one on a node that died does so for AckWait;
// and each message costs a round trip to the server. A node that froze, or was cut
// off, and comes back still ends the message that it was at. Messages without a key
// in an inbox that has keys are one key.
//
// # Cost
//
// An inbox is a stream, another one for what was set aside, and a consumer, or as
// many as there are partitions: some 150 kB in each server that has them, and
// threefold if replicated. A node that has opened it has one subscription and two
// goroutines for that. A Spawn adds a goroutine for itself and for each worker, and a
// subscription with one for each consumer.
type Durable[M any] struct {
	*durable
	shape *shape
}

// OpenDurable opens the durable inbox of a name, on this node, and makes it if it
// is not there. It waits until the servers are ready to, at most until ctx ends,
// or 30 s if that never does. Config.Replicas of the node that makes it says
// how many servers keep what is stored.
//
// The names of durable inboxes are apart from those of Expose. The errors are
// ErrBadName, ErrNodeClosed, nats.ErrPermissionViolation, what is wrong with cfg or
// with the message type; ErrMismatch if the inbox is there with another message
// type, codec or setting, which the error names; ErrLevel if the level cannot be had.
func OpenDurable[M any](ctx context.Context, n *Node, name string, cfg DurableConfig) (*Durable[M], error) {
	if err := checkName("durable name", name); err != nil {
		return nil, err
	}
	s, err := shapeOf(reflect.TypeFor[M]())
	if err != nil {
		return nil, named(name, err)
	}
	d, err := openDurable(ctx, n, name, s, cfg)
	if err != nil {
		return nil, named(name, err)
	}
	return &Durable[M]{d, s}, nil
}

// Name returns the name.
func (d *Durable[M]) Name() string { return d.name }

// Send stores a message and returns when it is stored.
func (d *Durable[M]) Send(ctx context.Context, msg M) error {
	p, err := d.encode(msg)
	if err != nil {
		return err
	}
	return named(d.name, d.out.send(ctx, p))
}

// TrySend is Send that does not wait for room: actor.ErrFull. It waits for the
// server's answer, at most for Config.Lost: then ErrUnknown.
func (d *Durable[M]) TrySend(msg M) error {
	p, err := d.encode(msg)
	if err != nil {
		return err
	}
	return named(d.name, d.out.try(p))
}

// Async returns a Sender to the same inbox whose Send does not wait until the
// message is stored. Up to 4096 of a node may be on their way; beyond that, and
// while the inbox is full, it waits. One goroutine then stores many times as many
// messages. Those for which it has returned nil are stored, or given to
// Config.Undelivered: with ErrUnknown if that is not known. Around a fault, or
// when the inbox gets full, they may be stored in another order.
func (d *Durable[M]) Async() actor.Sender[M] { return (*asyncDurable[M])(d) }

// asyncDurable is Durable.Async.
type asyncDurable[M any] Durable[M]

func (d *asyncDurable[M]) Send(ctx context.Context, msg M) error {
	p, err := (*Durable[M])(d).encode(msg)
	if err != nil {
		return err
	}
	p.async = msg
	return named(d.name, d.out.send(ctx, p))
}

func (d *asyncDurable[M]) TrySend(msg M) error {
	p, err := (*Durable[M])(d).encode(msg)
	if err != nil {
		return err
	}
	p.async = msg
	return named(d.name, d.out.try(p))
}

// encode makes what is stored of a message.
func (d *Durable[M]) encode(msg M) (*storing, error) {
	data := append(make([]byte, 0, len(d.head)+128), d.head...)
	data, v, err := d.shape.encode(data, d.node.cfg.Codec, msg)
	if err != nil {
		return nil, named(d.name, err)
	}
	if size, most := len(data)-len(d.head), d.node.cfg.MaxSize; size > most {
		return nil, named(d.name, fmt.Errorf("%w: a %v of %d bytes, the most is %d", ErrTooLarge, v.typ, size, most))
	}
	if v.reply != nil {
		if at := v.replyIn(reflect.ValueOf(msg)); at.IsValid() && !at.IsZero() {
			return nil, named(d.name, fmt.Errorf("cluster: a %v with a Reply cannot be stored: nobody would be there for the answer", v.typ))
		}
	}
	p := &storing{data: data, partition: d.partitionOf(msg)}
	if m, ok := any(msg).(interface{ MessageID() string }); ok {
		p.id = ownID(m.MessageID())
	}
	if most := d.cfg.MaxBytes; most > 0 && d.out.kept(p) > most {
		// It would wait for ever, and all others behind it.
		return nil, named(d.name, fmt.Errorf("%w: %d bytes with what NATS keeps beside them, and the inbox never has room for more than %d", ErrTooLarge, d.out.kept(p), most))
	}
	return p, nil
}
