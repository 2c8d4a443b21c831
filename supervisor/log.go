package supervisor

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"tinyactor/actor"
)

// LogObserver returns an observer, for actor.WithObserver, that writes what an
// operator wants to know of trees to a logger: one line for each event of a
// supervisor, each panic, with its stack, and each process that is stuck. That a
// child is up for the first time is at level debug, what mends itself info, a
// restart warn, and what somebody should look at error.
func LogObserver(l *slog.Logger) actor.Observer {
	if l == nil {
		panic("supervisor: LogObserver: the logger is nil")
	}
	return logObserver{l}
}

type logObserver struct{ log *slog.Logger }

// LogsPanics tells package actor that it need not log them.
func (logObserver) LogsPanics() bool { return true }

// Observe writes the line of an event.
func (o logObserver) Observe(e actor.Event) {
	level, text := slog.LevelInfo, ""
	switch e.Kind {
	case actor.EventStarted:
		level, text = slog.LevelDebug, "child started"
	case actor.EventStartFailed:
		level, text = slog.LevelError, "child did not start"
	case actor.EventIgnored:
		text = "child has nothing to run"
	case actor.EventRestarting:
		level, text = slog.LevelWarn, "child ended, restarting it"
	case actor.EventRestarted:
		text = "child restarted"
	case actor.EventReplaced:
		text = "child replaced"
	case actor.EventLimitExceeded:
		level, text = slog.LevelError, "supervisor gives up: restart limit exceeded"
	case actor.EventEscalated:
		level, text = slog.LevelError, "supervisor ends"
		if errors.Is(e.Err, ErrShutdown) { // its significant children have ended
			level = slog.LevelInfo
		}
	case actor.EventPanicked:
		level, text = slog.LevelError, "actor panicked"
	case actor.EventStuck:
		level, text = slog.LevelError, "actor stuck: a goroutine is left behind"
	case actor.EventReleased:
		text = "actor no longer stuck"
	default:
		return
	}
	attrs := []slog.Attr{slog.String("actor", e.Name), slog.Uint64("id", uint64(e.ID))}
	if e.Supervisor != "" {
		attrs = append(attrs, slog.String("supervisor", e.Supervisor))
	}
	if e.Process > 0 {
		attrs = append(attrs, slog.Int("process", e.Process))
	}
	if e.Attempt > 0 {
		attrs = append(attrs, slog.Int("attempt", e.Attempt))
	}
	if e.Kind == actor.EventRestarting {
		attrs = append(attrs, slog.Duration("after", e.After))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", firstLine(e.Err)))
	}
	if e.Stack != "" {
		attrs = append(attrs, slog.String("stack", e.Stack))
	}
	o.log.LogAttrs(context.Background(), level, text, attrs...)
}

// firstLine is an error's text without the stack that one about a stuck process
// has.
func firstLine(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}
