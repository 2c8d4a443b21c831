package supervisor

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"

	"tinyactor/actor"
)

// An abort ends a supervisor's children together with it. Also if it hears of
// their ends before it looks at its own, it restarts none of them.
func TestAbortRestartsNobody(t *testing.T) {
	var starts atomic.Int32
	w := &Worker[int]{Name: "w", Run: func(ctx context.Context, in *actor.Inbox[int]) error {
		starts.Add(1)
		_, err := in.Recv(ctx)
		return err
	}}
	s, err := Start(context.Background(), &Spec{Name: "root", Children: []Child{w}})
	if err != nil {
		t.Fatal(err)
	}
	sh := s.current.Load()
	waiting := func() int {
		sh.queue.mu.Lock()
		defer sh.queue.mu.Unlock()
		return len(sh.queue.last)
	}
	sh.state.Lock()
	sh.post(&event{kind: evUp, child: 99}) // with this it is held up
	for waiting() > 0 {
		runtime.Gosched()
	}
	s.child.Abort()
	for waiting() == 0 {
		runtime.Gosched()
	}
	sh.state.Unlock()
	if err := s.Wait(t.Context()); !errors.Is(err, actor.ErrAborted) {
		t.Errorf("it ends with %v", err)
	}
	if n := starts.Load(); n != 1 {
		t.Errorf("the child was started %d times", n)
	}
}
