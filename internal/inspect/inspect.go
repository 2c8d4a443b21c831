// Package inspect is the border between packages actor and observer: what an
// actor shows of itself to somebody who looks.
//
// An observer that is given to actor.WithObserver and is a [Watcher] is told of
// every actor that is made below that context. What it gets is kept by the actor;
// the watcher keeps a weak pointer, so that watching keeps nothing alive.
package inspect

import "time"

// Watcher is an actor.Observer that looks into actors.
type Watcher interface {
	// Born tells of a new actor, before any of its processes runs. It may be
	// called under the actor's lock: it takes note and returns.
	Born(*Actor)
	// Waits is called whenever somebody begins to sleep in a Send or an Ask on a
	// watched actor, without any lock. It must be cheap.
	Waits()
	// Samples is how many messages per second and process are timed, at most; 0
	// or less: none. It is asked once, by actor.WithObserver.
	Samples() int
}

// Actor is what an actor shows. Its methods are safe for concurrent use and do
// not wait for a process.
type Actor struct {
	Source
	ID      uint64
	Name    string // as in Config.Name
	Message string // the message type

	Queued  Histogram // how long messages were in the inbox
	Handled Histogram // from one receive to the next
}

// Source is the actor itself.
type Source interface {
	Read() Reading
	// Waits returns who sleeps in a Send or an Ask on the actor.
	Waits() []Wait
	// Parked says of processes, of this actor or others, whether their own
	// goroutine is asleep in a Send or an Ask, as far as one goroutine dump of at
	// most 16 MiB shows them. The program stands still meanwhile.
	Parked([]Sleeper) []Parking
	// Stacks returns where the processes are, by index, as far as one goroutine
	// dump of at most 16 MiB shows them. The program stands still meanwhile.
	Stacks() map[int]string
	Halt()
	Abort() bool
}

// Reading is what an actor shows at one moment.
type Reading struct {
	Path   string // the names from the root on, separated by slashes; #id for one without a name
	Parent uint64 // the actor that owns this one, or 0

	Received    uint64
	Undelivered uint64 // handed back to Undelivered, or dropped and told
	Length      int    // Received + Undelivered + Length is what was accepted
	High        int    // the longest that the queue is known to have been
	Limit       int    // of a bounded queue, else 0
	Start       int    // where backpressure begins, or 0
	Capacity    string // as Capacity.String

	Processes int // that live
	Idle      int // of these: wait for a message
	Stuck     int // were aborted and have not ended; they are not among those that live
	Spawned   int // all processes there have been

	Pool       bool // it was spawned as a pool, or has had several processes at once
	Supervisor any  // the *supervisor.Supervisor that it is, or nil
	Supervised bool // a supervisor holds its channel open

	Closed, Halted, Aborted, Ended bool

	HandSince time.Time // when the oldest message that is in hand and was timed was received; zero if none is
}

// Sleeper is a process of an actor.
type Sleeper struct {
	Actor   *Actor
	Process int
}

// Parking is what a goroutine dump shows of a process.
type Parking uint8

// What it shows.
const (
	Unseen Parking = iota // nothing: it is too long, or the process has ended
	Asleep                // the process sleeps in a Send or an Ask
	Awake                 // it does something else
)

// Wait is somebody who sleeps in a Send or an Ask on an actor.
type Wait struct {
	From        uint64 // the actor whose process waits; 0: it is none's
	FromName    string
	FromProcess int
	Process     int // of the actor waited for: who has the message that is to be answered; -1: any
	Ask         bool
	Since       time.Time
}
