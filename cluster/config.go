package cluster

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
)

// Config is how a node behaves. The zero value is right, but that nodes are
// easier to tell apart when they have names.
type Config struct {
	// Name of the node, for people, without dots; "node" if it is empty. It need
	// not be unique: a number behind it, new each time, makes it so.
	Name string
	// Cluster is the first part of all subjects. Nodes see each other if it is
	// the same; "tinyactor" if it is empty. No cluster's name may begin with
	// another's and a dot.
	Cluster string
	// Codec of messages and answers; JSON if it is nil.
	Codec Codec
	// MaxSize is how many bytes an encoded message or answer may have, and how
	// many a frame that comes in. 0: what the server takes, less 4 KiB.
	MaxSize int
	// Window is how many messages at most are on their way from one node to one
	// exposed name of another; 256 if it is 0.
	Window int
	// Beat is how often a node says that it lives, Lost for how long another
	// hears nothing before it takes it for dead. 0: 500 ms and 2 s. All nodes
	// should have the same.
	Beat, Lost time.Duration
	// Find is how long a Send waits for a node that exposes the name before it
	// returns ErrNotFound; 1 s if it is 0.
	Find time.Duration
	// Lease is for how long a singleton, or an actor with a key, may at most go on
	// where it runs after others can have it; 15 s if it is 0, and more than Lost.
	// A node that lives renews what it holds five times as often. The KV store that
	// has the leases can be away for some 9 s when the server that leads it dies,
	// and nobody should lose anything by that. All nodes should have the same.
	Lease time.Duration
	// Replicas is on how many servers JetStream keeps what this node is the first
	// to ask it for. 0: 3 if the server is one of a cluster, else 1.
	Replicas int
	// SyncAlways says that the servers write to the disk whatever they store
	// before they answer (sync_interval: always). No client can ask them.
	SyncAlways bool
	// Undelivered gets every message for which a send has returned nil and which
	// then, as far as is known, no process has received: with ErrUnknown if its
	// node was lost before it told of that, so that it may have been; else it
	// certainly was not, and err says why (that happens to those of Async only).
	// What a singleton of this node has accepted and leaves when it ends comes too.
	// Questions are not among them: their Ask returns the error. name is what it
	// was sent to. It runs on a goroutine of the node, one message at a time, and
	// must not close the node. Without it, the number of messages is logged.
	Undelivered func(name string, msg any, err error)
	// Logger gets what is refused and who is lost; slog.Default if it is nil.
	Logger *slog.Logger
}

func (c Config) orDefaults(nc *nats.Conn) (Config, error) {
	set := func(p *string, value string) {
		if *p == "" {
			*p = value
		}
	}
	set(&c.Name, "node")
	set(&c.Cluster, "tinyactor")
	if c.Codec == nil {
		c.Codec = JSON{}
	}
	c.Codec = guarded{c.Codec}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	for _, d := range []struct {
		field  *time.Duration
		normal time.Duration
	}{{&c.Beat, 500 * time.Millisecond}, {&c.Lost, 2 * time.Second}, {&c.Find, time.Second}, {&c.Lease, 15 * time.Second}} {
		if *d.field == 0 {
			*d.field = d.normal
		}
	}
	if c.Window == 0 {
		c.Window = 256
	}
	most := int(nc.MaxPayload()) - 4<<10
	if c.MaxSize == 0 {
		c.MaxSize = most
	}
	switch {
	case c.Beat < 0 || c.Lost < 2*c.Beat || c.Find < 0:
		return c, fmt.Errorf("cluster: a node that beats every %v and is lost after %v", c.Beat, c.Lost)
	case c.Lease <= c.Lost:
		return c, fmt.Errorf("cluster: leases of %v, where a node is lost after %v", c.Lease, c.Lost)
	case c.Replicas < 0 || c.Replicas > 5:
		return c, fmt.Errorf("cluster: %d replicas, JetStream keeps 1 to 5", c.Replicas)
	case c.Window < 1 || c.Window > 1<<16:
		return c, fmt.Errorf("cluster: a window of %d messages", c.Window)
	case c.MaxSize < 1 || c.MaxSize > most:
		return c, fmt.Errorf("cluster: messages of %d bytes, where the server takes %d", c.MaxSize, most)
	case nc.Opts.NoEcho:
		return c, fmt.Errorf("cluster: a connection with NoEcho does not hear itself, as a node must")
	}
	if err := checkNode(c.Name); err != nil {
		return c, err
	}
	return c, checkName("cluster", c.Cluster)
}
