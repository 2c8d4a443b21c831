package cluster

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// storedVersion is the first byte of every stored message. It is not that of the
// frames: what is stored outlives the program that did it.
const storedVersion = 1

// durable is a Durable without its message type.
type durable struct {
	node      *Node
	name      string
	cfg       DurableConfig
	js        jetstream.JetStream
	stream    string // its name; that of what is set aside is asideOf
	setAsides jetstream.Stream
	keyed     bool   // messages have an OrderKey
	head      []byte // of every message: version, type, codec
	out       *publisher
}

// escape makes one part of a subject of a checked name.
func escape(name string) string { return strings.ReplaceAll(name, ".", "+") }

func (s subjects) stream(name string) string { return escape(s.prefix) + "=" + escape(name) }
func (s subjects) aside(name string) string  { return s.stream(name) + "=aside" }

// stored is where the messages of a partition of a durable inbox are published.
func (s subjects) stored(name, partition string) string {
	return s.prefix + ".durable." + escape(name) + "." + partition
}

// setAside is where what is set aside is published.
func (s subjects) setAside(name, seq string) string {
	return s.prefix + ".aside." + escape(name) + "." + seq
}

// The metadata of a stream.
const (
	metaVersion    = "tinyactor.version"
	metaType       = "tinyactor.type"
	metaCodec      = "tinyactor.codec"
	metaLevel      = "tinyactor.level"
	metaKeyed      = "tinyactor.keyed"
	metaPartitions = "tinyactor.partitions"
	metaAckWait    = "tinyactor.ackwait"
)

func (c DurableConfig) orDefaults(s *shape) (DurableConfig, error) {
	for _, d := range []struct {
		field  *time.Duration
		normal time.Duration
	}{{&c.Dedup, 2 * time.Minute}, {&c.AckWait, 15 * time.Second}, {&c.Backoff, time.Second}} {
		if *d.field == 0 {
			*d.field = d.normal
		}
	}
	if c.Attempts == 0 {
		c.Attempts = 5
	}
	keyed := s.ordered()
	if c.Partitions == 0 {
		c.Partitions = 1
		if keyed {
			c.Partitions = 16
		}
	}
	bad := func(field string, got any, want string) (DurableConfig, error) {
		return c, fmt.Errorf("cluster: DurableConfig.%s is %v, and has to be %s", field, got, want)
	}
	switch {
	case c.Level != ProcessCrash && c.Level != PowerLoss:
		return c, fmt.Errorf("%w: DurableConfig.Level is %v", ErrLevel, c.Level)
	case c.MaxMessages < 0:
		return bad("MaxMessages", c.MaxMessages, "0 or more")
	case c.MaxBytes < 0:
		return bad("MaxBytes", c.MaxBytes, "0 or more")
	case c.Dedup < leastDedup:
		return bad("Dedup", c.Dedup, fmt.Sprint(leastDedup, " or more"))
	case c.AckWait < leastAckWait:
		return bad("AckWait", c.AckWait, fmt.Sprint(leastAckWait, " or more"))
	case c.Attempts < 1:
		return bad("Attempts", c.Attempts, "1 or more")
	case c.Backoff < 0:
		return bad("Backoff", c.Backoff, "0 or more")
	case c.Partitions < 1 || c.Partitions > 256:
		return bad("Partitions", c.Partitions, "1 to 256")
	case c.Partitions > 1 && !keyed:
		return bad("Partitions", c.Partitions, fmt.Sprintf("1: a %v has no method OrderKey() string", s.declared))
	}
	return c, nil
}

const leastDedup, leastAckWait = 100 * time.Millisecond, 500 * time.Millisecond

// ordered reports whether messages of the shape have a key that orders them.
func (s *shape) ordered() bool {
	if s.declared.Implements(orderKeyed) {
		return true
	}
	for t := range s.byType {
		if t.Implements(orderKeyed) {
			return true
		}
	}
	return false
}

func openDurable(ctx context.Context, n *Node, name string, s *shape, cfg DurableConfig) (*durable, error) {
	cfg, err := cfg.orDefaults(s)
	if err != nil {
		return nil, err
	}
	if cfg.Level == PowerLoss && !n.cfg.SyncAlways {
		return nil, fmt.Errorf("%w: %v needs servers that sync every write, which a client cannot see: set Config.SyncAlways if they do", ErrLevel, cfg.Level)
	}
	if len(n.subj.aside(name)) > 200 {
		return nil, fmt.Errorf("%w: %q is too long for a durable inbox of cluster %q", ErrBadName, name, n.cfg.Cluster)
	}
	js, err := jetstream.New(n.nc, jetstream.WithDefaultTimeout(2*time.Second))
	if err != nil {
		return nil, err
	}
	d := &durable{node: n, name: name, cfg: cfg, js: js, stream: n.subj.stream(name), keyed: s.ordered()}
	d.head = appendString(appendString([]byte{storedVersion}, s.name), n.cfg.Codec.Name())
	if len(d.head) > 1<<10 {
		return nil, fmt.Errorf("cluster: the name of type %v is too long: see Register", s.declared)
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
	}
	if _, err = d.ensure(ctx, d.mainStream(s)); err != nil {
		return nil, err
	}
	if d.setAsides, err = d.ensure(ctx, d.asideStream()); err != nil {
		return nil, err
	}
	if d.out, err = publisherOf(d); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *durable) mainStream(s *shape) jetstream.StreamConfig {
	limit := func(n int64) int64 {
		if n == 0 {
			return -1
		}
		return n
	}
	return jetstream.StreamConfig{
		Name: d.stream, Subjects: []string{d.node.subj.stored(d.name, "*")},
		Description: "durable inbox " + d.name,
		Retention:   jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage, Discard: jetstream.DiscardNew,
		MaxMsgs: limit(d.cfg.MaxMessages), MaxBytes: limit(d.cfg.MaxBytes), Duplicates: d.cfg.Dedup,
		Replicas: d.node.replicas(),
		Metadata: map[string]string{
			metaVersion: strconv.Itoa(storedVersion), metaType: s.name, metaCodec: d.node.cfg.Codec.Name(),
			metaLevel: d.cfg.Level.String(), metaKeyed: strconv.FormatBool(d.keyed), metaPartitions: strconv.Itoa(d.cfg.Partitions), metaAckWait: d.cfg.AckWait.String(),
		},
	}
}

// asideStream is that of what was set aside: one message for each, under its
// number in the main stream, so that setting one aside twice is once.
func (d *durable) asideStream() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: d.node.subj.aside(d.name), Subjects: []string{d.node.subj.setAside(d.name, "*")},
		Description: "what was set aside of durable inbox " + d.name,
		Retention:   jetstream.LimitsPolicy, Storage: jetstream.FileStorage, MaxMsgsPerSubject: 1,
		MaxMsgs: -1, MaxBytes: -1, Duplicates: 2 * time.Minute, Replicas: d.node.replicas(),
		Metadata: map[string]string{metaVersion: strconv.Itoa(storedVersion)},
	}
}

// ensure makes a stream, or checks that the one that is there is as wanted.
func (d *durable) ensure(ctx context.Context, want jetstream.StreamConfig) (st jetstream.Stream, err error) {
	return st, d.retry(ctx, func(ctx context.Context) error {
		st, err = d.js.Stream(ctx, want.Name)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			// If another node was faster with other settings, this is refused.
			if st, err = d.js.CreateStream(ctx, want); errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
				st, err = d.js.Stream(ctx, want.Name)
			}
		}
		if err != nil {
			return err
		}
		return mismatch(st.CachedInfo().Config, want)
	})
}

// mismatch returns an error that names what a stream has other than wanted.
func mismatch(got, want jetstream.StreamConfig) error {
	type setting struct {
		name      string
		got, want any
	}
	all := []setting{
		{"storage", got.Storage, want.Storage}, {"retention", got.Retention, want.Retention},
		{"MaxMessages", got.MaxMsgs, want.MaxMsgs}, {"MaxBytes", got.MaxBytes, want.MaxBytes},
		{"Dedup", got.Duplicates, want.Duplicates}, {"persist mode", got.PersistMode, want.PersistMode},
		{"discard policy", got.Discard, want.Discard}, {"maximum age", got.MaxAge, want.MaxAge}, // by which messages would be lost
		{"maximum of messages per subject", max(0, got.MaxMsgsPerSubject), want.MaxMsgsPerSubject},
	}
	words := map[string]string{
		metaVersion: "stored version", metaType: "message type", metaCodec: "codec",
		metaLevel: "Level", metaKeyed: "method OrderKey", metaPartitions: "Partitions", metaAckWait: "AckWait",
	}
	for _, key := range slices.Sorted(maps.Keys(want.Metadata)) {
		all = append(all, setting{words[key], got.Metadata[key], want.Metadata[key]})
	}
	for _, s := range all {
		if s.got != s.want {
			return fmt.Errorf("%w: the %s of stream %s is %v, and %v is asked for", ErrMismatch, s.name, want.Name, s.got, s.want)
		}
	}
	return nil
}

// retry does something with JetStream until it works, ctx ends, or it is refused
// for good: a cluster that has just begun, or has lost a leader, may not answer.
func (d *durable) retry(ctx context.Context, do func(context.Context) error) error {
	before := d.node.nc.LastError()
	pause := 10 * time.Millisecond
	for {
		try, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := do(try)
		cancel()
		if err == nil || !passing(err) {
			return err
		}
		if denied := d.denied(before, "$JS.API."); denied != nil {
			return fmt.Errorf("%w: %w", denied, err)
		}
		timer := time.NewTimer(pause)
		pause = min(2*pause, 500*time.Millisecond)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		case <-d.node.stop:
			timer.Stop()
			return ErrNodeClosed
		}
	}
}

// denied returns the server's word that this node may not use a subject of the
// inbox that begins with one of those given, if it is newer than before.
func (d *durable) denied(before error, begins ...string) error {
	err := d.node.nc.LastError()
	if err == before || !errors.Is(err, nats.ErrPermissionViolation) {
		return nil
	}
	text := err.Error()
	ours := slices.ContainsFunc([]string{".", `"`, "=aside\""}, func(end string) bool { return strings.Contains(text, "."+d.stream+end) })
	if !ours || !slices.ContainsFunc(begins, func(b string) bool { return strings.Contains(text, `"`+b) }) {
		return nil
	}
	return err
}

// passing reports whether an error of JetStream may not be one for long.
func passing(err error) bool {
	if api, ok := errors.AsType[*jetstream.APIError](err); ok {
		return slices.Contains(errsPassing, api.ErrorCode)
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrNoResponders) ||
		errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, nats.ErrDisconnected) || errors.Is(err, nats.ErrConnectionReconnecting)
}

// errStoreFailed is the server's error code that jetstream has no name for: there
// is no room.
const errStoreFailed jetstream.ErrorCode = 10077

// errsPassing are those that say that something is so for now: no servers for the
// replicas, no leader, too much to do, and a copy of the message on its way.
var errsPassing = []jetstream.ErrorCode{10005, 10008, 10167, 10158}

// orderKeyed is the type of messages that have a key.
var orderKeyed = reflect.TypeFor[interface{ OrderKey() string }]()

// partitionOf returns the partition of a message.
func (d *durable) partitionOf(msg any) int {
	if d.cfg.Partitions == 1 {
		return 0
	}
	h := fnv.New32a()
	if m, ok := msg.(interface{ OrderKey() string }); ok {
		h.Write([]byte(m.OrderKey()))
	}
	return int(uint64(h.Sum32()) % uint64(d.cfg.Partitions))
}
