package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// bucket is the KV bucket of a cluster, with the records of its leases. Whatever
// is decided is decided by a write that fails if somebody else has written since:
// what is read may be old, because any replica answers.
type bucket struct {
	js        jetstream.JetStream
	stream    jetstream.Stream
	name      string
	pace      time.Duration // between tries, and of the first read
	patience, // with a write
	keep time.Duration // how long a session's record stays when nobody writes it any more
}

// record is the value of a key, as JSON, so that people can read it.
type record struct {
	State   state  `json:"state"`
	Session string `json:"session"` // whose it is
	Node    string `json:"node"`    // and where that is
	By      string `json:"by"`      // the node that has written this,
	Write   uint64 `json:"write"`   // and which of its writes this is: no two are equal
}

// state is what a record says.
type state string

const (
	sessionLives state = "lives"
	sessionEnded state = "ended" // for good
	leaseHeld    state = "held"
	leaseFree    state = "free"
)

// entry is a record as it was read. The zero value: there is none.
type entry struct {
	record
	data     []byte
	revision uint64
}

// errStale is the outcome of a write that came after another one.
var errStale = errors.New("cluster: written by somebody else")

// openBucket returns the cluster's bucket, made if there is none. In a cluster
// of servers that has just started that may take some tries.
func (n *Node) openBucket(ctx context.Context) (*bucket, error) {
	js, err := jetstream.New(n.nc)
	if err != nil {
		return nil, err
	}
	b := &bucket{
		js: js, name: n.subj.bucket(),
		pace: n.cfg.Beat / 2, patience: max(n.cfg.Beat, n.cfg.Lost/2), keep: max(time.Hour, 10*n.cfg.Lease),
	}
	// Servers that have just started do not answer until they have a leader.
	patience := b.pace
	err = b.retry(ctx, 8*b.patience, func(ctx context.Context) error {
		patience = min(2*patience, 8*b.patience)
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		b.stream, err = js.Stream(ctx, "KV_"+b.name)
		if err == nil {
			return unfit(&b.stream.CachedInfo().Config)
		}
		if !errors.Is(err, jetstream.ErrStreamNotFound) {
			return err
		}
		if _, err := js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: b.name, Description: "leases of tinyactor", Replicas: n.replicas(), LimitMarkerTTL: time.Minute,
		}); err != nil {
			return err
		}
		b.stream, err = js.Stream(ctx, "KV_"+b.name)
		return err
	}, func(err error) bool { return errors.Is(err, ErrMismatch) })
	if err != nil {
		if denied := n.nc.LastError(); errors.Is(denied, nats.ErrPermissionViolation) {
			err = fmt.Errorf("%w (%w)", err, denied)
		}
		return nil, fmt.Errorf("cluster: bucket %s: %w", b.name, err)
	}
	return b, nil
}

// unfit returns why a bucket that somebody else has made cannot keep leases, or nil:
// one that forgets records gives away what is held.
func unfit(c *jetstream.StreamConfig) error {
	why := ""
	switch {
	case c.MaxAge != 0:
		why = fmt.Sprintf("forgets what is older than %v: it needs a TTL of 0", c.MaxAge)
	case c.Storage != jetstream.FileStorage:
		why = "is kept in memory: it needs file storage"
	case c.Discard != jetstream.DiscardNew:
		why = "forgets the oldest when it is full: it needs to refuse the newest"
	case !c.AllowMsgTTL:
		why = "allows no records that expire: it needs a LimitMarkerTTL"
	default:
		return nil
	}
	return fmt.Errorf("%w: the bucket is there, and %s", ErrMismatch, why)
}

// replicas is how many replicas this node asks for of what it has JetStream keep.
func (n *Node) replicas() int {
	switch {
	case n.cfg.Replicas > 0:
		return n.cfg.Replicas
	case n.nc.ConnectedClusterName() != "":
		return 3
	default:
		return 1
	}
}

// retry calls try until it returns nil, or an error that is final, or ctx ends:
// then the error is ctx's, with the last of try's. A try may last for patience.
func (b *bucket) retry(ctx context.Context, patience time.Duration, try func(context.Context) error, final func(error) bool) error {
	pause := time.NewTimer(b.pace)
	defer pause.Stop()
	for {
		once, cancel := context.WithTimeout(ctx, patience)
		err := try(once)
		cancel()
		if err == nil || final != nil && final(err) {
			return err
		}
		pause.Reset(b.pace)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

func (b *bucket) subject(key string) string { return "$KV." + b.name + "." + key }

// quickly is how often a read that is not answered is made once more after pace,
// and not only after patience.
const quickly = 8

// get reads a key, and tries until ctx ends. Any replica can answer, and the one
// that is asked may be frozen: so another is asked soon, while the first may still
// answer from afar. The server takes whichever it likes, the same again too.
func (b *bucket) get(ctx context.Context, key string) (entry, error) {
	ctx, cancel := context.WithCancel(ctx)
	var asked sync.WaitGroup
	defer asked.Wait()
	defer cancel()
	type answer struct {
		e   entry
		err error
	}
	answers := make(chan answer)
	again := time.NewTimer(0)
	defer again.Stop()
	last := errors.New("no answer")
	for tries := 0; ; {
		select {
		case a := <-answers:
			if a.err == nil {
				return a.e, nil
			}
			last = a.err
			if malformed(last) {
				return entry{}, fmt.Errorf("cluster: %s: %w", key, last)
			}
		case <-again.C:
			asked.Go(func() {
				once, cancel := context.WithTimeout(ctx, b.patience)
				defer cancel()
				e, err := b.read(once, key)
				select {
				case answers <- answer{e, err}:
				case <-ctx.Done():
				}
			})
			again.Reset(b.pace)
			if tries++; tries > quickly {
				again.Reset(b.patience)
			}
		case <-ctx.Done():
			return entry{}, fmt.Errorf("cluster: %s: %w: %w", key, context.Cause(ctx), last)
		}
	}
}

// read is one try of get.
func (b *bucket) read(ctx context.Context, key string) (e entry, err error) {
	m, err := b.stream.GetLastMsgForSubject(ctx, b.subject(key))
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return entry{}, nil
	case err != nil:
		return entry{}, err
	}
	e = entry{data: m.Data, revision: m.Sequence}
	if len(m.Data) == 0 { // it has expired, or somebody has deleted it
		return e, nil
	}
	return e, json.Unmarshal(m.Data, &e.record)
}

func malformed(err error) bool {
	_, syntax := errors.AsType[*json.SyntaxError](err)
	_, typ := errors.AsType[*json.UnmarshalTypeError](err)
	return syntax || typ
}

// put writes a record if the key's revision is still the given one, 0 for none,
// and returns the new revision. The error is errStale if it is not. Every other
// error leaves it open whether the record is written, or will be.
func (b *bucket) put(ctx context.Context, key string, revision uint64, data []byte) (uint64, error) {
	m := nats.NewMsg(b.subject(key))
	m.Data = data
	m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(revision, 10))
	if strings.HasPrefix(key, sessionPrefix) {
		m.Header.Set(jetstream.MsgTTLHeader, b.keep.String())
	}
	ack, err := b.js.PublishMsg(ctx, m)
	if api, ok := errors.AsType[*jetstream.APIError](err); ok && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant) {
		return 0, errStale
	}
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

// change is put, again and again until the outcome is known or ctx ends. errStale
// then says for certain that the record was not written.
func (b *bucket) change(ctx context.Context, key string, revision uint64, r record) (written uint64, err error) {
	data, err := json.Marshal(r)
	if err != nil {
		return 0, err
	}
	err = b.retry(ctx, b.patience, func(once context.Context) error {
		written, err = b.put(once, key, revision, data)
		if !errors.Is(err, errStale) {
			return err
		}
		// Somebody has written it, or an earlier try whose answer was lost has, or
		// one is still under way. Where this is read they may not know yet.
		e, err := b.get(once, key)
		switch {
		case err != nil:
			return err
		case e.revision <= revision:
			return fmt.Errorf("cluster: %s: revision %d is not the last, and none is newer", key, revision)
		case !bytes.Equal(e.data, data):
			return errStale
		}
		written = e.revision
		return nil
	}, func(err error) bool { return errors.Is(err, errStale) })
	if err != nil && !errors.Is(err, errStale) {
		err = fmt.Errorf("cluster: %s: %w", key, err)
	}
	return written, err
}
