package actor

import (
	"context"
	"strings"
	"testing"
)

// A Ref of another package embeds one, and its zero value embeds none.
func TestWatchOfAZeroRefSaysSo(t *testing.T) {
	child, addr := Spawn(context.Background(), Config{Detached: true}, func(ctx context.Context, in *Inbox[int]) error {
		_, err := in.Recv(ctx)
		return err
	})
	defer func() { _, _ = child.Stop(context.Background()) }()
	defer func() {
		if text, ok := recover().(string); !ok || !strings.Contains(text, "Watch: of is a zero value") {
			t.Errorf("it panics with %q", text)
		}
	}()
	addr.Watch(struct{ Ref }{}, func(error) int { return 0 })
}
