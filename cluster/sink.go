package cluster

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"tinyactor/actor"
	"tinyactor/internal/remote"
)

// sink is the typed end of an exposure.
type sink[M any] struct {
	*exposure
	to *actor.Address[M]
}

// take decodes a message and gives it to the actor. It waits while there is no room,
// but with a message that does not.
func (s *sink[M]) take(l *inlet, in incoming) error {
	if in.ask {
		return s.ask(l, in)
	}
	m, _, err := s.decode(in.body, nil)
	if err != nil {
		return err
	}
	if err := s.to.TrySend(m); in.try || !errors.Is(err, actor.ErrFull) {
		return err
	}
	ctx, end := s.waiting(l, in.n)
	defer end()
	err = s.to.Send(ctx, m)
	if errors.Is(context.Cause(ctx), errCanceled) && errors.Is(err, context.Canceled) {
		return errCanceled
	}
	return err
}

// ask asks the actor what is asked from afar.
func (s *sink[M]) ask(l *inlet, in incoming) error {
	m, q, err := s.question(l, in)
	if err != nil {
		return err
	}
	sight := remote.Look(s.to)
	if roomOf(sight) == 0 {
		_, end := s.waiting(l, in.n)
		defer end()
	}
	if sight.Bound == remote.Full { // others may take the room that there is
		stop := context.AfterFunc(s.exposure.ctx, q.cancel)
		defer stop()
	}
	if err := s.to.Send(q.Ctx, m); err != nil {
		q.drop()
		return err
	}
	if in.last && q.Soon() {
		q.answer()
	} else {
		go q.answer()
	}
	return nil
}

// question is an ask from afar, as this node asks it.
type question struct {
	*remote.Question
	exposure *exposure
	inlet    *inlet
	n        uint64
	cancel   context.CancelFunc
	then     func() // after the answer
}

// question decodes a message that asks, and begins the ask. It ends with answer or
// with drop.
func (s *sink[M]) question(l *inlet, in incoming) (m M, _ *question, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	if in.within > 0 {
		ctx, cancel = context.WithTimeout(context.Background(), in.within)
	}
	m, q, err := s.decode(in.body, ctx)
	if err != nil {
		cancel()
		return m, nil, err
	}
	s.mu.Lock()
	switch {
	case l.gone || s.ended != nil:
		err = context.Canceled
	case l.canceled[in.n]: // while it was decoded
		err = errCanceled
	default:
		l.asks[in.n] = cancel
		s.asking++
	}
	s.mu.Unlock()
	if err != nil {
		q.Drop()
		cancel()
		return m, nil, err
	}
	return m, &question{Question: q, exposure: s.exposure, inlet: l, n: in.n, cancel: cancel}, nil
}

// answer waits for the answer and sends it.
func (q *question) answer() {
	value, err := q.Wait()
	q.exposure.answer(q, value, err)
	q.end()
	if q.then != nil {
		q.then()
	}
}

// drop ends an ask whose message was not accepted.
func (q *question) drop() {
	q.Drop()
	q.end()
}

func (q *question) end() {
	q.cancel()
	q.exposure.mu.Lock()
	defer q.exposure.mu.Unlock()
	delete(q.inlet.asks, q.n)
	q.exposure.asking--
}

// decode makes a message of its bytes; with ctx one that asks.
func (s *sink[M]) decode(body []byte, ctx context.Context) (m M, q *remote.Question, err error) {
	codec := s.node.cfg.Codec
	if v := s.shape.byName[""]; v != nil && v.reply == nil && ctx == nil && v.err == nil { // no need to look inside
		if len(body) == 0 || body[0] != 0 {
			err = fmt.Errorf("%w: a message that names its type, where %v is the only one", ErrMismatch, v.typ)
		} else if err = codec.Unmarshal(body[1:], &m); err != nil {
			err = fmt.Errorf("%w: a %v does not decode: %w", ErrMismatch, v.typ, err)
		}
		if err != nil {
			s.node.count.mismatch.Add(1)
		}
		return m, nil, err
	}
	p, v, err := s.shape.decode(codec, body)
	if err != nil {
		s.node.count.mismatch.Add(1)
		return m, nil, err
	}
	if ctx != nil {
		at := v.replyIn(p.Elem())
		if !at.IsValid() {
			s.node.count.mismatch.Add(1)
			return m, nil, fmt.Errorf("%w: a %v asks, but has no Reply", ErrMismatch, v.typ)
		}
		q = remote.Ask(ctx, at.Interface())
		at.Set(reflect.ValueOf(q.Reply))
	}
	m, ok := reflect.TypeAssert[M](p.Elem())
	if !ok { // it was registered as one
		return m, q, fmt.Errorf("%w: a %v is no %v", ErrMismatch, v.typ, s.shape.declared)
	}
	return m, q, nil
}

// answer sends the answer of an ask: its error, and its value if there is one. Of
// what has no value the zero one is made where it arrives.
func (e *exposure) answer(q *question, value any, err error) {
	b := appendUint(appendLink(head(kindAnswer), q.inlet.id), q.n)
	full := appendError(b, err)
	if v := reflect.ValueOf(value); v.IsValid() && (err == nil || !v.IsZero()) {
		var failed error
		full, failed = e.node.encodeAnswer(full, q.Reply, value)
		if failed == nil && len(full) > int(e.node.nc.MaxPayload()) {
			failed = fmt.Errorf("%w: with its error, %d bytes", ErrTooLarge, len(full))
		}
		if failed != nil {
			if err == nil {
				err = fmt.Errorf("cluster: %q: %w: the answer: %w", e.name, actor.ErrNoReply, failed)
			}
			full = appendError(b, err)
		}
	}
	e.node.publish(e.node.subj.control(q.inlet.from), full)
}

// encodeAnswer appends the value that a Reply takes.
func (n *Node) encodeAnswer(dst []byte, reply, value any) ([]byte, error) {
	s, err := shapeOf(remote.Answered(reply))
	if err != nil {
		return nil, err
	}
	before := len(dst)
	b, _, err := s.encode(dst, n.cfg.Codec, value)
	if err == nil && len(b)-before > n.cfg.MaxSize {
		err = fmt.Errorf("%w: %d bytes, the most is %d", ErrTooLarge, len(b)-before, n.cfg.MaxSize)
	}
	return b, err
}

// decodeAnswer makes the value that a Reply takes.
func (n *Node) decodeAnswer(reply any, body []byte) (any, error) {
	if len(body) > n.cfg.MaxSize {
		n.count.tooLarge.Add(1)
		return nil, fmt.Errorf("%w: %d bytes, and node %s takes %d", ErrTooLarge, len(body), n.id, n.cfg.MaxSize)
	}
	s, err := shapeOf(remote.Answered(reply))
	if err != nil {
		return nil, err
	}
	p, _, err := s.decode(n.cfg.Codec, body)
	if err != nil {
		n.count.mismatch.Add(1)
		return nil, err
	}
	return p.Elem().Interface(), nil
}
