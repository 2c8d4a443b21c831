package cluster

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tinyactor/actor"
)

// Aside is a message of a durable inbox that was set aside: its attempts have
// failed, or it does not decode. It stays until it is retried or dropped.
type Aside[M any] struct {
	// Number is what Retry and Drop take.
	Number uint64
	// Msg is the message, unless Err says why it does not decode in this program.
	Msg M
	Err error
	// MessageID is what the function of this name says of it.
	MessageID string
	// Reason is the text of the last attempt's error, with the stack of a panic.
	Reason string
	// Attempts is how often it was handed out.
	Attempts int
	// Node is the ID of the node that has set it aside, at Time. Stored is when it
	// was stored.
	Node         string
	Time, Stored time.Time
}

// asideRecord is Aside without the message.
type asideRecord struct {
	id, reason, node string
	partition        int
	attempts         int
	stored           time.Time
	data             []byte
}

func (r *asideRecord) encode() []byte {
	b := appendUint(appendString([]byte{storedVersion}, r.id), uint64(r.partition))
	b = appendString(appendString(b, r.reason), r.node)
	b = appendUint(appendUint(b, uint64(r.attempts)), uint64(r.stored.UnixNano()))
	return append(b, r.data...)
}

func decodeAside(data []byte) (*asideRecord, error) {
	b := reader{rest: data}
	if v := b.byte(); v != storedVersion {
		return nil, fmt.Errorf("%w: set aside by version %d, and this program reads version %d", ErrMismatch, v, storedVersion)
	}
	r := &asideRecord{id: b.string(), partition: int(b.uint() & 0xff), reason: b.string(), node: b.string()}
	r.attempts, r.stored = int(b.uint()), time.Unix(0, int64(b.uint()))
	r.data = b.rest
	if b.bad {
		return nil, fmt.Errorf("%w: %d bytes that are nothing set aside", ErrMismatch, len(data))
	}
	return r, nil
}

// setAside moves a message into the other stream. If that does not work now, it
// returns what to tell the server, so that it is handed out again, and tried then.
func (w *crew) setAside(h *handed, why error) (later []byte) {
	var stored time.Time
	if meta, err := h.msg.Metadata(); err == nil {
		stored = meta.Timestamp
	}
	r := &asideRecord{
		id: h.id(), partition: max(0, slices.Index(w.out.subjects, h.msg.Subject)), reason: clip(reasonOf(why)),
		node: w.node.id, attempts: h.attempt, stored: stored, data: h.msg.Data,
	}
	data := r.encode()
	if over := len(data) - int(w.node.nc.MaxPayload()); over > 0 { // a large message leaves less for the reason
		r.reason = strings.ToValidUTF8(r.reason[:max(0, len(r.reason)-over)], "")
		data = r.encode()
	}
	log := w.node.cfg.Logger.With("name", w.name, "node", w.node.id, "id", r.id, "attempts", r.attempts, "err", why)
	ctx, cancel := context.WithTimeout(context.Background(), w.cfg.AckWait)
	defer cancel()
	// The time is there in case the stream was removed, and begins at 1 again.
	key := strconv.FormatUint(h.seq, 10) + "-" + strconv.FormatInt(stored.UnixNano(), 36)
	err := w.retry(ctx, func(ctx context.Context) error {
		_, err := w.js.PublishMsg(ctx, &nats.Msg{Subject: w.node.subj.setAside(w.name, key), Data: data})
		return err
	})
	if err != nil {
		log.Error("cluster: a message cannot be set aside now", "because", err)
		return sayLater(w.backoff(1))
	}
	w.node.count.setAside.Add(1)
	log.Error("cluster: a message was set aside", "seq", h.seq)
	// If that is lost too, it is set aside again, under the same number.
	if _, err := w.node.nc.RequestWithContext(ctx, h.msg.Reply, sayAck); err != nil {
		log.Warn("cluster: a message that was set aside may be handed out again", "because", err)
	}
	return nil
}

// reasonOf is the text of an error, with the stack of a panic.
func reasonOf(err error) string {
	if p, ok := errors.AsType[*actor.PanicError](err); ok {
		return fmt.Sprintf("%v\n\n%s", err, p.Stack)
	}
	return err.Error()
}

// Aside returns what is set aside, the oldest first, as it is while the loop
// runs. It asks the server for each. An error ends it; it comes with nothing else.
func (d *Durable[M]) Aside(ctx context.Context) iter.Seq2[Aside[M], error] {
	return func(yield func(Aside[M], error) bool) {
		for next := uint64(1); ; {
			m, err := d.asideFrom(ctx, next)
			if errors.Is(err, jetstream.ErrMsgNotFound) {
				return
			}
			if err != nil {
				yield(Aside[M]{}, named(d.name, err))
				return
			}
			next = m.Sequence + 1
			a := Aside[M]{Number: m.Sequence, Time: m.Time}
			r, err := decodeAside(m.Data)
			if err != nil {
				a.Err = named(d.name, err)
			} else {
				a.MessageID, a.Reason, a.Attempts, a.Node, a.Stored = shownID(r.id), r.reason, r.attempts, r.node, r.stored
				a.Msg, a.Err = d.decode(r.data)
			}
			if !yield(a, nil) {
				return
			}
		}
	}
}

// asideFrom returns the first message set aside with this number or a later one.
func (d *durable) asideFrom(ctx context.Context, number uint64) (m *jetstream.RawStreamMsg, err error) {
	err = d.retry(ctx, func(ctx context.Context) error {
		m, err = d.setAsides.GetMsg(ctx, number, jetstream.WithGetMsgSubject(d.node.subj.setAside(d.name, "*")))
		return err
	})
	return m, err
}

// Retry puts a message that was set aside back into the inbox, as the last, with
// as many attempts as a new one. It waits until it is stored; actor.ErrFull if there
// is no room, ErrNotFound if nothing is set aside under the number. If it fails, it
// may be repeated: within DurableConfig.Dedup, the message is put back once.
func (d *Durable[M]) Retry(ctx context.Context, number uint64) error {
	m, err := d.asideAt(ctx, number)
	if err != nil {
		return named(d.name, err)
	}
	r, err := decodeAside(m.Data)
	if err != nil {
		return named(d.name, err)
	}
	p := &storing{data: r.data, id: retryID(number, r.id), partition: r.partition % d.cfg.Partitions, only: true}
	if err := d.out.send(ctx, p); err != nil {
		return named(d.name, err)
	}
	return d.Drop(ctx, number)
}

// Drop removes a message that was set aside. ErrNotFound: there is none of this
// number.
func (d *Durable[M]) Drop(ctx context.Context, number uint64) error {
	if _, err := d.asideAt(ctx, number); err != nil {
		return named(d.name, err)
	}
	return named(d.name, d.retry(ctx, func(ctx context.Context) error {
		err := d.setAsides.DeleteMsg(ctx, number)
		if errors.Is(err, jetstream.ErrMsgNotFound) { // the answer to an earlier try was lost
			return nil
		}
		return err
	}))
}

func (d *durable) asideAt(ctx context.Context, number uint64) (*jetstream.RawStreamMsg, error) {
	m, err := d.asideFrom(ctx, number)
	if errors.Is(err, jetstream.ErrMsgNotFound) || err == nil && m.Sequence != number {
		return nil, fmt.Errorf("%w: nothing is set aside under number %d", ErrNotFound, number)
	}
	return m, err
}
