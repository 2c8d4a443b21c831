package actor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"tinyactor/actor"
)

// eventLog is an Observer that logs every event.
type eventLog struct{ *slog.Logger }

var _ actor.Observer = eventLog{}

func (l eventLog) Observe(e actor.Event) {
	l.Log(context.Background(), level(e.Kind), string(e.Kind),
		"actor", e.Name, "id", e.ID, "process", e.Process, "err", e.Err)
}

// LogsPanics says that the library need not log them too.
func (l eventLog) LogsPanics() bool { return true }

// level says how much an event should worry somebody.
func level(kind actor.EventKind) slog.Level {
	switch kind {
	case actor.EventPanicked, actor.EventStuck, actor.EventStartFailed, actor.EventLimitExceeded, actor.EventEscalated:
		return slog.LevelError
	case actor.EventAborted, actor.EventIgnoredHalt, actor.EventUndelivered, actor.EventReleased, actor.EventRestarting, actor.EventFailed:
		return slog.LevelWarn
	case actor.EventSpawned, actor.EventClosed, actor.EventHalted, actor.EventExited, actor.EventEnded,
		actor.EventStarted, actor.EventIgnored, actor.EventRestarted, actor.EventReplaced:
		return slog.LevelInfo
	default: // one of a later version
		return slog.LevelInfo
	}
}

func ExampleEvent() {
	var text bytes.Buffer
	l := eventLog{slog.New(slog.NewTextHandler(&text, nil))}
	l.Observe(actor.Event{Kind: actor.EventPanicked, ID: 7, Name: "worker", Process: 2, Err: errors.New("boom")})
	_, line, _ := strings.Cut(text.String(), " ") // without the time
	fmt.Print(line)
	// Output: level=ERROR msg=panicked actor=worker id=7 process=2 err=boom
}
