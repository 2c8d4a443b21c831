package cluster

import (
	"log/slog"
	"testing"
)

// newTestLink returns an open link with credit, whose packets go nowhere.
func newTestLink() *link {
	n := &Node{cfg: Config{Window: 256, Logger: slog.New(slog.DiscardHandler)}, links: make(map[uint64]*link)}
	r := &route{node: n, name: "box"}
	l := &link{route: r, open: true, granted: 256, next: 1}
	r.links = []*link{l}
	return l
}

// TestGatherAlone checks that a message leaves though those do not come with whom
// it could have shared a packet.
func TestGatherAlone(t *testing.T) {
	l := newTestLink()
	l.crowd = 64
	if err := l.route.submit(&job{done: make(chan error, 1)}); err != nil {
		t.Fatal(err)
	}
	if l.sent != 1 || l.gathers {
		t.Errorf("sent up to %d, want 1; gathers: %v", l.sent, l.gathers)
	}
}

// TestGatherAside checks that what waits for others leaves once, by the goroutine
// that gathers, and not before.
func TestGatherAside(t *testing.T) {
	l := newTestLink()
	r := l.route
	r.mu.Lock()
	l.crowd = 3
	l.put(&job{done: make(chan error, 1)})
	l.gatherAside()
	l.put(&job{done: make(chan error, 1)})
	l.flush()
	if l.sent != 0 {
		t.Errorf("sent up to %d while others are waited for", l.sent)
	}
	r.unlock()
	r.node.stopped.Wait()
	if l.sent != 2 || l.gathers || len(l.full) > 0 || len(l.buf) > 0 {
		t.Errorf("sent up to %d, want 2; gathers: %v, %d packets and %d bytes are left", l.sent, l.gathers, len(l.full), len(l.buf))
	}
}

// TestGatherOver checks that nothing leaves on a link that has ended meanwhile.
func TestGatherOver(t *testing.T) {
	l := newTestLink()
	r := l.route
	r.closed = true
	r.mu.Lock()
	l.crowd = 3
	j := &job{name: r.name, done: make(chan error, 1)}
	l.put(j)
	l.gatherAside()
	r.drop(l, ErrNodeClosed, false)
	r.unlock()
	r.node.stopped.Wait()
	if err := <-j.done; err == nil || l.sent != 0 {
		t.Errorf("sent up to %d, and the message's outcome is %v", l.sent, err)
	}
}
