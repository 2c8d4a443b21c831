// Package contest has the workloads that mailboxes are compared by, and what a
// contestant must be able to do to run them.
//
// A workload knows nothing about the library it measures, and a contestant
// nothing about the workload, so that all do the same work: the same message,
// the same checks, the same number of goroutines. What is called once for each
// message and might not be, the loops of senders and receivers, stands in the
// contestant: there the compiler sees what is called, as in a user's program.
package contest

import (
	"context"
	"io"
	"slices"
)

// Slots is how many messages wait in a bounded mailbox.
const Slots = 1024

// Batch is how many messages are sent at once where a workload says so.
const Batch = 64

// A Contestant makes actors: goroutines with a mailbox.
//
// One that has something to clean up when it is not needed any more is an
// io.Closer: see [Close].
type Contestant interface {
	// Spawn starts an actor that has one process for each receiver, which
	// gives the receiver each message that the process takes.
	Spawn(o Options, receivers ...*Receiver) Mailbox
	// Serve starts an actor that gives each question to the receiver, and
	// answers it with Answer.
	Serve(r *Receiver) Server
}

// Close has a contestant clean up, if it does.
func Close(c Contestant) error {
	if c, ok := c.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// Options say what an actor is made for. A contestant that has nothing for an
// option ignores it, and says so where it is listed.
type Options struct {
	Bounded bool // senders wait while Slots messages wait
	Batch   bool // Feed sends, and the process receives, Batch messages at once
	Durable bool // what is sent is stored until the process is done with it
}

// A Mailbox is where an actor takes its messages from.
type Mailbox interface {
	// Send sends a message. Many goroutines may call it, also those of actors.
	Send(m Msg)
	// Feed sends n messages: the first, and those that follow it. Many
	// goroutines may call it.
	Feed(first Msg, n int)
	// Stop returns when the actor has taken all messages and has ended. Nobody
	// sends any more when it is called.
	Stop()
}

// A Server answers questions.
type Server interface {
	// Ask returns the answer to m, or an error when ctx has ended.
	Ask(ctx context.Context, m Msg) (int64, error)
	// Stop ends the actor. Nobody asks any more when it is called.
	Stop()
}

// Answer is what a Server says.
func Answer(m Msg) int64 { return ^m.V }

// An Entry is a contestant in the list of those that take part.
type Entry struct {
	Name string
	// New makes the contestant; ctx lasts as long as it.
	New func(ctx context.Context) Contestant
	// Enters reports whether the contestant runs a workload. If not, reason
	// says why; it is empty where nobody asks.
	Enters func(w *Workload) (ok bool, reason string)
}

// All enters all workloads but those between machines.
func All(w *Workload) (bool, string) { return !w.Remote, "" }

// Remote enters the workloads between machines.
func Remote(w *Workload) (bool, string) { return w.Remote, "" }

// In enters the workloads of these names.
func In(names ...string) func(*Workload) (bool, string) {
	return func(w *Workload) (bool, string) { return slices.Contains(names, w.Name), "" }
}

// But enters the workloads that compare libraries, but for those that a reason
// is given for.
func But(reasons map[string]string) func(*Workload) (bool, string) {
	return func(w *Workload) (bool, string) {
		reason, out := reasons[w.Name]
		return !w.Own && !w.Supervised && !w.Remote && !out, reason
	}
}
