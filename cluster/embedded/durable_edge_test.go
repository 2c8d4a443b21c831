package embedded_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// Messages that were given no ID are not taken for one another.
func TestDurableEmptyID(t *testing.T) {
	t.Parallel()
	n := join(t, start(t, embedded.Config{JetStream: true}), cluster.Config{})
	d := open[job](t, n, "jobs", cluster.DurableConfig{})
	for i := range 3 {
		if err := d.Send(within(t, 5*time.Second), job{N: i}); err != nil {
			t.Fatal(err)
		}
	}
	var done effects
	handle(t, d, 1, func(_ context.Context, j job) error {
		done.add(j.N)
		return nil
	})
	eventually(t, "all three handled", func() bool { return done.count() == 3 })
}

// blob has the size that it is given.
type blob struct{ S string }

func blobOf(size int) blob { return blob{strings.Repeat("x", size)} }

// What an empty inbox has no room for is refused, and does not hold up what is
// behind it; what it just has room for is stored.
func TestDurableNeverRoom(t *testing.T) {
	t.Parallel()
	n := join(t, start(t, embedded.Config{JetStream: true}), cluster.Config{})
	d := open[blob](t, n, "blobs", cluster.DurableConfig{MaxBytes: 2000})
	size := 2000
	for ; ; size-- {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		err := d.Send(ctx, blobOf(size))
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, cluster.ErrTooLarge) {
			t.Fatalf("a message of %d bytes, in an empty inbox of 2000: %v", size, err)
		}
	}
	if size < 1700 {
		t.Errorf("the largest that is stored has %d bytes", size)
	}
}

// A message that is as large as can be is set aside with what there is room for of
// the reason, after the attempts that it has.
func TestDurableLargeAside(t *testing.T) {
	t.Parallel()
	n := join(t, start(t, embedded.Config{JetStream: true}), cluster.Config{})
	d := open[blob](t, n, "blobs", cluster.DurableConfig{Attempts: 1, Backoff: time.Millisecond})
	size := int(n.Conn().MaxPayload()) - 4<<10 - len(`{"S":""}`) - 1
	if err := d.Send(within(t, 5*time.Second), blobOf(size)); err != nil {
		t.Fatal(err)
	}
	var calls atomic.Int32
	handle(t, d, 1, func(context.Context, blob) error {
		calls.Add(1)
		return errors.New(strings.Repeat("because ", 2000))
	})
	eventually(t, "it is set aside", func() bool { return n.Stats().SetAside == 1 })
	for a, err := range d.Aside(within(t, 5*time.Second)) {
		if err != nil || a.Err != nil || len(a.Msg.S) != size || a.Attempts != 1 || !strings.HasPrefix(a.Reason, "because because ") {
			t.Errorf("set aside: %d bytes after %d attempts (%.40q), %v, %v", len(a.Msg.S), a.Attempts, a.Reason, a.Err, err)
		}
	}
	if calls.Load() != 1 {
		t.Errorf("handled %d times, 1 was allowed", calls.Load())
	}
}
