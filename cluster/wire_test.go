package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"tinyactor/actor"
)

func TestErrorsOnTheWire(t *testing.T) {
	across := func(err error) error {
		r := reader{rest: appendError(nil, err)}
		got := r.error()
		if r.bad || len(r.rest) > 0 {
			t.Errorf("%v: left %q, bad %v", err, r.rest, r.bad)
		}
		return got
	}
	if got := across(nil); got != nil {
		t.Errorf("nil comes as %v", got)
	}
	for _, s := range sentinels {
		got := across(fmt.Errorf("there: %w", s))
		if got.Error() != "there: "+s.Error() {
			t.Errorf("the text is %q", got)
		}
		for _, other := range sentinels {
			if errors.Is(got, other) != (s == other) {
				t.Errorf("%v: errors.Is(err, %v) = %v", s, other, s != other)
			}
		}
	}
	if got := across(errors.Join(actor.ErrNoReply, context.Canceled)); !errors.Is(got, actor.ErrNoReply) || !errors.Is(got, context.Canceled) || errors.Is(got, io.EOF) {
		t.Errorf("two sentinels come as %v", got)
	}
	got := across(fmt.Errorf("there: %w", &actor.PanicError{Value: io.EOF, Stack: []byte("main.f()")}))
	p, ok := errors.AsType[*actor.PanicError](got)
	if !ok || p.Value != "EOF" || string(p.Stack) != "main.f()" {
		t.Errorf("a panic comes as %#v", got)
	}
	if p, ok := errors.AsType[*actor.PanicError](across(io.EOF)); ok {
		t.Errorf("there was no panic: %v", p)
	}
}

type badError struct{}

func (*badError) Error() string { panic("no text") }

func TestErrorThatPanics(t *testing.T) {
	r := reader{rest: appendError([]byte{}, &badError{})}
	if err := r.error(); err == nil || r.bad || err.Error() != "cluster: the methods of an error of type *cluster.badError panic" {
		t.Errorf("got %v", err)
	}
}

// What has been cut off or made up is bad, and never read beyond its end.
func FuzzReader(f *testing.F) {
	f.Add(appendError(appendUint(appendString(appendLink(head(kindState), 7), "name"), 300), actor.ErrClosed))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, frame []byte) {
		r := reader{rest: bytes.Clone(frame)}
		r.byte()
		r.byte()
		r.link()
		if name := r.string(); len(name) > len(frame) {
			t.Errorf("a name of %d bytes from %d", len(name), len(frame))
		}
		r.uint()
		if err := r.error(); err != nil && len(err.Error()) > len(frame) {
			t.Errorf("an error of %d bytes from %d", len(err.Error()), len(frame))
		}
		if r.bad && len(r.rest) > 0 {
			t.Error("bad, and still something to read")
		}
	})
}
