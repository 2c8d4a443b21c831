package cluster

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

// The two forms of acknowledgement subjects, and what is none.
func TestPlace(t *testing.T) {
	for _, c := range []struct {
		reply  string
		times  int
		number uint64
		ok     bool
	}{
		{"$JS.ACK.tinyactor=jobs.work.3.17.21.1763821.4", 3, 17, true},
		{"$JS.ACK._.AbCd.tinyactor=jobs.work.3.17.21.1763821.4.x", 3, 17, true},
		{"$JS.ACK.hub.AbCd.tinyactor=jobs.key-2.1.2.3.4.5", 1, 2, true},
		{"$JS.ACK.tinyactor=jobs.work.3.17.21.1763821", 0, 0, false},
		{"$JS.ACK.a.tinyactor=jobs.work.3.17.21.1763821.4", 0, 0, false},
		{"$JS.ACK.tinyactor=jobs.work.three.17.21.1763821.4", 0, 0, false},
		{"_INBOX.a.b.c.d.e.f.g.h", 0, 0, false},
		{"", 0, 0, false},
	} {
		times, number, ok := place(c.reply)
		if ok != c.ok || ok && (times != c.times || number != c.number) {
			t.Errorf("%q: %d times, number %d, %v", c.reply, times, number, ok)
		}
	}
}

// An ID goes into a header, and stays what it is however often it is put back.
func TestStoredID(t *testing.T) {
	seen := make(map[string]string)
	for _, own := range []string{"a", "a-1-b", "m-a", "r-1", strings.Repeat("x", 101), "a b", "a\r\nb", "ä"} {
		id := ownID(own)
		if before, ok := seen[id]; ok {
			t.Errorf("%q and %q have the same ID", own, before)
		}
		seen[id] = own
		if strings.ContainsAny(id, " \r\n") || len(id) > 110 {
			t.Errorf("%q goes into a header as %q", own, id)
		}
		again := retryID(7, firstID(retryID(3, id)))
		if firstID(again) != id || again == id {
			t.Errorf("%q put back: %q, and then %q", id, again, firstID(again))
		}
		if shown := shownID(id); shown != own && !strings.HasPrefix(shown, "h-") {
			t.Errorf("%q is shown as %q", own, shown)
		}
	}
	if ownID("") != "" {
		t.Error("an empty ID is one")
	}
}

// What is set aside comes back as it was, and of what is none there is an error.
func TestAsideRecord(t *testing.T) {
	want := &asideRecord{id: "m-1", partition: 5, reason: "it fails", node: "a-1", attempts: 3, stored: time.Unix(1, 2), data: []byte("data")}
	data := want.encode()
	got, err := decodeAside(data)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	for n := range len(data) - len(want.data) {
		if _, err := decodeAside(data[:n]); !errors.Is(err, ErrMismatch) {
			t.Errorf("%d bytes of it: %v", n, err)
		}
	}
	data[0]++
	if _, err := decodeAside(data); !errors.Is(err, ErrMismatch) || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("of another version: %v", err)
	}
}

// Who has slept for longer than AckWait says nothing of a message with an order.
func TestLapsed(t *testing.T) {
	for _, c := range []struct {
		keyed bool
		slept time.Duration
		want  bool
	}{{true, time.Minute, true}, {true, time.Second, false}, {false, time.Minute, false}} {
		w := &crew{durable: &durable{keyed: c.keyed, cfg: DurableConfig{AckWait: 30 * time.Second}}}
		if got := w.lapsed(&handed{heard: time.Now().Add(-c.slept)}); got != c.want {
			t.Errorf("keyed %v, heard of %v ago: %v", c.keyed, c.slept, got)
		}
	}
}
