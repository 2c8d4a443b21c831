package supervisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"

	"tinyactor/actor"
)

// LogObserver returns an observer, for actor.WithObserver, that writes one line
// to a logger for each event. What package actor would otherwise log by itself,
// to slog.Default, it leaves to this one: nothing is logged twice.
//
// Of several events that tell of one fact, one is at level info or above. Who
// looks at these levels sees each fact once; debug adds the rest:
//
//	error  panicked, stuck, start failed, limit exceeded, and escalated
//	       unless it is because significant children have ended
//	warn   restarting, ignored halt, undelivered if the actor has no Undelivered,
//	       and the failures that no other line tells of: failed, and exited
//	       of an actor that nobody supervises
//	info   restarted, replaced, ignored, aborted, released, other undelivered
//	       and other escalated
//	debug  spawned, started, closed, halted, ended, other failed and other exited
//
// The attributes are, as far as an event has them, actor (the name), id, path
// (the names from the root on), process (its index), attempt (of a restart, from
// 1), delay (of a restart), count and type (of messages), reason (the text of an
// error) and stack. It panics if l is nil.
func LogObserver(l *slog.Logger) actor.Observer {
	if l == nil {
		panic("supervisor: LogObserver: the logger is nil")
	}
	return logObserver{l}
}

type logObserver struct{ log *slog.Logger }

// Logs tells package actor what it need not log.
func (logObserver) Logs(kind actor.EventKind) bool {
	_, ok := logLines[kind]
	return ok
}

// Observe writes the line of an event.
func (o logObserver) Observe(e actor.Event) {
	line, ok := logLines[e.Kind]
	if !ok {
		return
	}
	level := line.level
	if holds(toldElsewhere, &e) {
		level = slog.LevelDebug
	} else if holds(expected, &e) {
		level = slog.LevelInfo
	}
	o.write(&e, level, line.text)
}

// write writes a line. Its time is that of the event: a slow handler gets it later.
// If the handler panics the line goes where package actor has its own go then.
func (o logObserver) write(e *actor.Event, level slog.Level, text string) {
	ctx, h := context.Background(), o.log.Handler()
	defer func() {
		if v := recover(); v != nil {
			fmt.Fprintf(os.Stderr, "supervisor: the log handler panicked (%v) on: %s %v\n", v, text, logAttrs(e))
		}
	}()
	if !h.Enabled(ctx, level) {
		return
	}
	var here [1]uintptr
	runtime.Callers(1, here[:])
	r := slog.NewRecord(e.Time, level, text, here[0])
	r.AddAttrs(logAttrs(e)...)
	_ = h.Handle(ctx, r) // a Logger drops it, too
}

// logLines are the lines of the kinds of events.
var logLines = map[actor.EventKind]struct {
	level slog.Level // at most: see toldElsewhere and expected
	text  string
}{
	actor.EventSpawned:     {slog.LevelDebug, "process spawned"},
	actor.EventClosed:      {slog.LevelDebug, "actor closed"},
	actor.EventHalted:      {slog.LevelDebug, "actor halted"},
	actor.EventAborted:     {slog.LevelInfo, "actor aborted"},
	actor.EventIgnoredHalt: {slog.LevelWarn, "process did not notice its halt; Ready or Halting belong in its select"},
	actor.EventPanicked:    {slog.LevelError, "actor panicked"},
	actor.EventUndelivered: {slog.LevelWarn, "messages undelivered"},
	actor.EventExited:      {slog.LevelWarn, "process ended"},
	actor.EventStuck:       {slog.LevelError, "process stuck; it has not ended after an abort"},
	actor.EventReleased:    {slog.LevelInfo, "process no longer stuck; it has ended after all"},
	actor.EventEnded:       {slog.LevelDebug, "actor ended"},

	actor.EventStarted:       {slog.LevelDebug, "child started"},
	actor.EventStartFailed:   {slog.LevelError, "child did not start"},
	actor.EventIgnored:       {slog.LevelInfo, "child has nothing to run"},
	actor.EventRestarting:    {slog.LevelWarn, "child ended, restarting it"},
	actor.EventRestarted:     {slog.LevelInfo, "child restarted"},
	actor.EventReplaced:      {slog.LevelInfo, "child replaced"},
	actor.EventFailed:        {slog.LevelWarn, "child failed"},
	actor.EventLimitExceeded: {slog.LevelError, "supervisor gives up: restart limit exceeded"},
	actor.EventEscalated:     {slog.LevelError, "supervisor ends"},
}

// holds reports whether what asks for an event's error is true. That may be the
// user's: if a method of it panics, the line is written as it is for others, because
// nobody else writes it.
func holds(is func(*actor.Event) bool, e *actor.Event) (yes bool) {
	defer func() { _ = recover() }()
	return is(e)
}

// toldElsewhere reports whether an end has another line at level info or above: of
// its supervisor, or of the actor's own panic, abort or giving up; or needs none.
func toldElsewhere(e *actor.Event) bool {
	switch e.Kind {
	case actor.EventExited:
		if e.Supervised || e.Err == nil {
			return true
		}
	case actor.EventFailed:
	default:
		return false
	}
	ends := []error{e.Err}
	if both, ok := e.Err.(interface{ Unwrap() []error }); ok { // what the body said, and that it was aborted
		ends = both.Unwrap()
	}
	return slices.ContainsFunc(ends, func(err error) bool { return ownEnd(e, err) || inOrder(err) })
}

// ownEnd reports whether err is what package actor, or a supervisor, makes of an end
// that has a line of its own. What the body has got from somebody else, an Ask or a
// Wait, may match the same errors, but that line is about the other one.
func ownEnd(e *actor.Event, err error) bool {
	if end, ok := errors.AsType[*endError](err); ok {
		return end.id == e.ID
	}
	cause := errors.Unwrap(err)
	_, panicked := cause.(*actor.PanicError) //nolint:errorlint // what is behind that is another's
	return (panicked || cause == actor.ErrAborted) && strings.HasPrefix(err.Error(), who(e))
}

// inOrder reports whether the body itself says ErrShutdown.
func inOrder(err error) bool {
	var another *endError
	return errors.Is(err, ErrShutdown) && !errors.Is(err, actor.ErrNoReply) && !errors.As(err, &another)
}

// expected reports whether an event is what somebody has provided for.
func expected(e *actor.Event) bool {
	switch e.Kind {
	case actor.EventUndelivered:
		return !e.Dropped
	case actor.EventEscalated:
		var end *endError
		return errors.As(e.Err, &end) && end.reason == reasonAuto
	default:
		return false
	}
}

// logAttrs are the attributes of an event that say something.
func logAttrs(e *actor.Event) []slog.Attr {
	attrs := make([]slog.Attr, 0, 10)
	if e.Name != "" {
		attrs = append(attrs, slog.String("actor", e.Name))
	}
	attrs = append(attrs, slog.Uint64("id", uint64(e.ID)), slog.String("path", e.Path))
	if e.Process >= 0 {
		attrs = append(attrs, slog.Int("process", e.Process))
	}
	if e.Attempt > 0 {
		attrs = append(attrs, slog.Int("attempt", e.Attempt))
	}
	if e.Kind == actor.EventRestarting {
		attrs = append(attrs, slog.Duration("delay", e.After))
	}
	if e.Count > 0 {
		attrs = append(attrs, slog.Int("count", e.Count))
	}
	if e.Type != "" {
		attrs = append(attrs, slog.String("type", e.Type))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("reason", logReason(e)))
	}
	if e.Stack != "" {
		attrs = append(attrs, slog.String("stack", e.Stack))
	}
	return attrs
}

// logReason is the text of an event's error, without what other attributes say:
// who it is about, and the stack that an error about a stuck process has.
func logReason(e *actor.Event) string {
	text := strings.TrimPrefix(errorText(e.Err), who(e))
	if holds(aboutStuck, e) {
		text, _, _ = strings.Cut(text, "\n")
	}
	return text
}

// who is how the errors of package actor about an event's actor begin.
func who(e *actor.Event) string {
	if e.Name == "" {
		return fmt.Sprintf("actor #%d: ", e.ID)
	}
	return fmt.Sprintf("actor %q (#%d): ", e.Name, e.ID)
}

func aboutStuck(e *actor.Event) bool { return errors.Is(e.Err, actor.ErrStuck) }

// errorText is the text of an error whose method may panic.
func errorText(err error) (text string) {
	defer func() {
		if v := recover(); v != nil {
			text = fmt.Sprintf("the error's own text panics: %v", v)
		}
	}()
	return err.Error()
}
