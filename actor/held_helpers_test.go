package actor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"tinyactor/actor"
	"tinyactor/internal/hold"
)

// keeper holds a channel, as package supervisor does, and writes down what it is
// told.
type keeper[M any] struct {
	t    *testing.T
	hold hold.Hold
	addr *actor.Address[M]
	ctx  context.Context // of the process to which the held actor belongs

	mu   sync.Mutex
	told []string
}

// newKeeper makes a held channel, and a process to which the actor will belong.
// It ends when the test does.
func newKeeper[M any](t *testing.T, cfg actor.Config, body func(context.Context, *actor.Inbox[M]) error, change ...func(*hold.Hold)) *keeper[M] {
	k := &keeper[M]{t: t}
	k.hold.Owner = k
	for _, f := range change {
		f(&k.hold)
	}
	_, k.addr = actor.Spawn(&hold.Context{Context: context.Background(), Hold: &k.hold}, cfg, body)
	ready := make(chan context.Context)
	parent, _ := actor.Spawn(context.Background(), actor.Config{Name: "parent"}, func(ctx context.Context, in *actor.Inbox[int]) error {
		ready <- ctx
		_, err := in.Recv(ctx)
		return err
	})
	k.ctx = <-ready
	t.Cleanup(func() {
		k.close()
		if _, err := parent.Stop(context.Background()); err != nil && !errors.Is(err, actor.ErrStuck) {
			t.Errorf("parent: %v", err)
		}
	})
	return k
}

func (k *keeper[M]) start(index, incarnation int) { k.hold.Channel.Start(k.ctx, index, incarnation) }
func (k *keeper[M]) close()                       { k.hold.Channel.Close(k.ctx) }

func (k *keeper[M]) note(format string, args ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.told = append(k.told, fmt.Sprintf(format, args...))
}

// want fails the test if the holder was told something else since the last call.
func (k *keeper[M]) want(want string) {
	k.t.Helper()
	synctest.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	if got := strings.Join(k.told, "; "); got != want {
		k.t.Errorf("the holder was told %q, want %q", got, want)
	}
	k.told = nil
}

func (k *keeper[M]) Started(index, incarnation int) { k.note("started %d.%d", index, incarnation) }

func (k *keeper[M]) Exited(index, incarnation int, err error, started bool) {
	text := "exited %d.%d: %v"
	if started {
		text += ", was started"
	}
	k.note(text, index, incarnation, err)
}

func (k *keeper[M]) Stuck(index, incarnation int, err error, stack string) {
	if !errors.Is(err, actor.ErrStuck) || !strings.Contains(stack, "goroutine") {
		k.t.Errorf("stuck with error %v, stack %q", err, stack)
	}
	k.note("stuck %d.%d", index, incarnation)
}

func (k *keeper[M]) Released(index, incarnation int) { k.note("released %d.%d", index, incarnation) }
func (k *keeper[M]) Closed()                         { k.note("closed") }
