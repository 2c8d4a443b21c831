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
	// MaxSize is how many bytes an encoded message or answer may have that this
	// node sends or takes. 0: what the server takes, less 4 KiB. The server has to
	// take 64 KiB at least.
	MaxSize int
	// Window is how many messages at most are on their way from one node to one
	// exposed name of another, and in the memory of both; 256 if it is 0, at most 65536.
	Window int
	// Beat is how often a node says that it lives, Lost for how long another
	// hears nothing, while its own process runs, before it takes it for dead. 0:
	// 500 ms and 2 s; Beat is at least 1 ms, Lost two Beats. All nodes should have
	// the same.
	Beat, Lost time.Duration
	// Find is how long a Send waits for a node that exposes the name before it
	// returns ErrNotFound; 1 s if it is 0.
	Find time.Duration
	// Lease is for how long a singleton, or an actor with a key, may at most go on
	// where it runs after others can have it; 15 s if it is 0, and more than Lost.
	// A node that lives renews what it holds every fifth of it. The KV store that
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

// minPayload is what the frames take in which a node tells how it fares, with the
// text of an error and its stack.
const minPayload = 64 << 10

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
	payload := int(nc.MaxPayload())
	most := payload - 4<<10
	if c.MaxSize == 0 {
		c.MaxSize = most
	}
	switch {
	case payload < minPayload:
		return c, fmt.Errorf("cluster: the server takes %d bytes at once (its max_payload; 0 before the first connection), and a node needs %d", payload, minPayload)
	case c.Beat < time.Millisecond:
		return c, fmt.Errorf("cluster: Config.Beat is %v, at least 1ms is needed", c.Beat)
	case c.Lost < 2*c.Beat:
		return c, fmt.Errorf("cluster: Config.Lost is %v, less than two Beats of %v", c.Lost, c.Beat)
	case c.Find < 0:
		return c, fmt.Errorf("cluster: Config.Find is %v", c.Find)
	case c.Lease <= c.Lost:
		return c, fmt.Errorf("cluster: Config.Lease is %v, not more than Config.Lost, %v", c.Lease, c.Lost)
	case c.Replicas < 0 || c.Replicas > 5:
		return c, fmt.Errorf("cluster: Config.Replicas is %d, JetStream keeps 1 to 5", c.Replicas)
	case c.Window < 1 || c.Window > 1<<16:
		return c, fmt.Errorf("cluster: Config.Window is %d, not 1 to %d", c.Window, 1<<16)
	case c.MaxSize < 1 || c.MaxSize > most:
		return c, fmt.Errorf("cluster: Config.MaxSize is %d, not 1 to %d, what the server takes less 4 KiB", c.MaxSize, most)
	case nc.Opts.NoEcho:
		return c, fmt.Errorf("cluster: a connection with NoEcho does not hear itself, as a node must")
	}
	if err := checkNode(c.Name); err != nil {
		return c, err
	}
	return c, checkName("cluster", c.Cluster)
}
