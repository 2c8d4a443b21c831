package supervisor

import (
	"context"

	"tinyactor/internal/hold"
)

// Started says that the worker whose process ctx belongs to is up: what it needs
// to work is there. It is for a body whose worker has AwaitStart, and does
// nothing in others, when called again, or if ctx is of no supervised process.
// Inbox.Serve calls it by itself. It does not wait.
func Started(ctx context.Context) {
	if p, ok := ctx.Value(hold.ProcessKey{}).(hold.Process); ok {
		p.Started()
	}
}
