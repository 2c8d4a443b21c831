package observer

import (
	"log/slog"
	"time"
)

// Options are what an Observer is made with. The zero value is right for most.
type Options struct {
	// Samples is how many messages per second and process are timed, for the
	// time in queue and the handling time: evenly spread ones, at most so many.
	// 0 is DefaultSamples; a negative number times none.
	Samples int

	// Events is how many events are kept; 0 is DefaultEvents.
	Events int

	// Every is the time between two looks while somebody looks at the page; 0 is
	// DefaultEvery. Nothing is looked at while nobody does.
	Every time.Duration

	// Viewers is how many may look at the page at a time; 0 is DefaultViewers.
	Viewers int

	// Actions lets whoever can reach the page halt, abort and restart actors.
	Actions bool

	// Redact, if not nil, returns what is shown instead of a text: see [Text].
	// It is called by several goroutines at the same time and must return soon.
	Redact func(kind Text, text string) string

	// Trace, if above 0, has the runtime's flight recorder keep the execution
	// trace of at least the last so much time; what it holds when an actor panics
	// or is stuck can be had from the page. It costs some percent of everything.
	// A program has one such recorder: if there is another, that is logged and
	// nothing is recorded. [Observer.Close] ends it.
	Trace time.Duration

	// Logger gets a line for each deadlock, for each action from the page, and for
	// what goes wrong with Trace; nil is slog.Default().
	Logger *slog.Logger
}

// Text says where a text comes from that Options.Redact may change.
type Text string

// The texts that a user's program determines.
const (
	TextName   Text = "name"   // of an actor; a path is given name by name
	TextType   Text = "type"   // of messages
	TextReason Text = "reason" // the text of an error that a process ended with; it may have a name in it
	TextPanic  Text = "panic"  // what a process panicked with
	TextStack  Text = "stack"  // a goroutine's stack
)

// What the zero Options stand for.
const (
	DefaultSamples = 100
	DefaultEvents  = 1000
	DefaultEvery   = time.Second
	DefaultViewers = 16
)
