package observer

import "time"

// Schema is the version of [Snapshot] and of what the page's server sends. It
// changes when a field is renamed or gets another meaning, not when one is added.
const Schema = 1

// Snapshot is what there is at one moment. Moments are given as times, not as
// ages, so that what does not change stays equal from one snapshot to the next;
// Time is the clock to compare them with. Durations are in nanoseconds in JSON.
type Snapshot struct {
	Schema    int        `json:"schema"`
	Time      time.Time  `json:"time"`
	Program   Program    `json:"program"`
	Totals    Totals     `json:"totals"`
	Actors    []Actor    `json:"actors"`    // in the order of their ids
	Waits     []Wait     `json:"waits"`     // who waits for whom, longest first
	Deadlocks []Deadlock `json:"deadlocks"` // cycles in that
	Events    []Event    `json:"events"`    // the latest, oldest first
	Actions   bool       `json:"actions"`   // whether actors can be halted, aborted and restarted from the page
}

// Program is the process of the operating system.
type Program struct {
	Name       string    `json:"name"`
	PID        int       `json:"pid"`
	Host       string    `json:"host"`
	Go         string    `json:"go"`
	Started    time.Time `json:"started"` // when the observer was made
	Procs      int       `json:"procs"`   // GOMAXPROCS
	Goroutines int       `json:"goroutines"`
	Heap       uint64    `json:"heap"` // bytes in live and not yet swept objects
}

// Totals are sums over the actors that live, and counts of events since the
// observer was made.
type Totals struct {
	Actors      int    `json:"actors"`
	Processes   int    `json:"processes"`
	Busy        int    `json:"busy"`
	Length      int    `json:"length"`
	Accepted    uint64 `json:"accepted"` // since the observer was made, also of actors that have ended
	Received    uint64 `json:"received"`
	Undelivered uint64 `json:"undelivered"`
	Rate        Rates  `json:"rate"`
	Waiting     int    `json:"waiting"` // who waits in Send or Ask
	Restarts    int    `json:"restarts"`
	Panics      int    `json:"panics"`
	Stuck       int    `json:"stuck"` // processes that are stuck now
}

// Rates are messages per second since the look before.
type Rates struct {
	Accepted    float64 `json:"accepted"`
	Received    float64 `json:"received"`
	Undelivered float64 `json:"undelivered"`
}

// Kind says what an actor is.
type Kind string

// The kinds.
const (
	KindActor      Kind = "actor"
	KindPool       Kind = "pool"
	KindWorker     Kind = "worker" // held by a supervisor; with one process or several
	KindSupervisor Kind = "supervisor"
	KindDynamic    Kind = "dynamic supervisor"
)

// State says what an actor is doing. If several are true it is the last in this list.
type State string

// The states.
const (
	StateIdle       State = "idle"                  // all processes wait for a message
	StateBusy       State = "busy"                  // one handles something
	StateRoom       State = "waiting for room"      // one sleeps in a Send
	StateAnswer     State = "waiting for an answer" // one sleeps in an Ask
	StateClosed     State = "closed"                // it takes no more messages and works off what is queued
	StateHalted     State = "halted"                // asked to stop
	StateAborting   State = "aborting"              // torn down, and not gone yet
	StateRestarting State = "restarting"            // a worker between two processes
	StateStopped    State = "stopped"               // a worker that has none and will get none by itself
	StateStuck      State = "stuck"                 // a process has not ended after an abort
	StateEnded      State = "ended"                 // as Observer.Ended shows it; a snapshot has only others
)

// Actor is one actor at one moment.
type Actor struct {
	ID       uint64    `json:"id"`
	Name     string    `json:"name"`
	Path     string    `json:"path"`             // names from the root on, separated by slashes; #id for one without a name
	Parent   uint64    `json:"parent,omitempty"` // the id of the actor that owns it
	Kind     Kind      `json:"kind"`
	Message  string    `json:"message"` // the message type
	State    State     `json:"state"`
	Since    time.Time `json:"since"`              // when it was spawned, or seen first
	Strategy string    `json:"strategy,omitempty"` // of a supervisor

	Processes Processes `json:"processes"`
	Queue     Queue     `json:"queue"`

	Accepted    uint64 `json:"accepted"` // = received + undelivered + queue.length
	Received    uint64 `json:"received"` // goes back by what an aborted process has taken and gives back
	Undelivered uint64 `json:"undelivered"`
	Rate        Rates  `json:"rate"`

	InQueue  Latency `json:"inQueue"`  // from accepted to received
	Handling Latency `json:"handling"` // from received to the next receive

	Restarts  Restarts   `json:"restarts"`
	Exit      *Exit      `json:"exit,omitempty"`      // the last one of a process
	Panic     *Panic     `json:"panic,omitempty"`     // the last one; restarts keep it
	Panics    int        `json:"panics,omitempty"`    // how many there have been
	HandSince *time.Time `json:"handSince,omitempty"` // when the message in hand was received; at the latest, where that was not timed
	Waiting   *Waiting   `json:"waiting,omitempty"`   // who waits for this one
}

// Processes counts an actor's processes.
type Processes struct {
	Total int `json:"total"`
	Busy  int `json:"busy"`
	Stuck int `json:"stuck"`
}

// Queue is an actor's inbox.
type Queue struct {
	Length   int    `json:"length"`
	High     int    `json:"high"`     // the longest it was seen; up to 256 below the longest it was
	Limit    int    `json:"limit"`    // of a bounded one, else 0
	Capacity string `json:"capacity"` // in words
}

// Latency is a distribution of durations over the actor's life, of messages
// that were timed: see [Options].Samples. Quantiles are within 3 percent.
type Latency struct {
	Count uint64        `json:"count"`
	Sum   time.Duration `json:"sum"`
	P50   time.Duration `json:"p50"`
	P95   time.Duration `json:"p95"`
	P99   time.Duration `json:"p99"`
	Max   time.Duration `json:"max"`

	Octaves Octaves `json:"-"`
}

// Octaves counts durations by powers of two: [0] those below 1024 ns, [i] those
// from 1024 ns << (i-1) up to below twice that, and the last one all that are
// longer, from some 17 s on. Those of several actors add up, as quantiles do not.
type Octaves [26]uint64

// Restarts are those of a worker, or of a supervisor below another.
type Restarts struct {
	Total  int           `json:"total"`
	Window int           `json:"window"`           // within the last Period of its supervisor's limit
	Limit  int           `json:"limit"`            // of its supervisor, for all its children together
	Period time.Duration `json:"period,omitempty"` // of that limit
	Until  *time.Time    `json:"until,omitempty"`  // when the restart comes that it waits for
}

// Exit is how a process ended.
type Exit struct {
	Time    time.Time `json:"time"`
	Process int       `json:"process"`
	Reason  string    `json:"reason"` // "" if in order
}

// Panic is what a process panicked with.
type Panic struct {
	Time    time.Time `json:"time"`
	Process int       `json:"process"`
	Value   string    `json:"value"`
	Stack   string    `json:"stack"`
}

// Waiting is who waits in a Send or an Ask on an actor.
type Waiting struct {
	Count int       `json:"count"`
	Since time.Time `json:"since"` // of the one that has waited longest
	From  []string  `json:"from"`  // paths, the longest waiting first, at most 8; "outside" for a goroutine of no actor
}

// Wait is one that waits for an actor.
type Wait struct {
	From    uint64    `json:"from,omitempty"` // 0: a goroutine of no actor
	Process int       `json:"process"`        // of From
	To      uint64    `json:"to"`
	For     string    `json:"for"` // "room" or "answer"
	Since   time.Time `json:"since"`
}

// Deadlock is a cycle: each of the actors waits for the next, and the last for the first.
type Deadlock struct {
	Actors []uint64  `json:"actors"`
	Text   string    `json:"text"` // "a waits for an answer of b, b waits for room in a"
	Since  time.Time `json:"since"`
}

// Event is something that happened, as package actor tells it.
type Event struct {
	Seq     uint64        `json:"seq"` // counts from 1, in the order in which events came; those of an actor and of its supervisor may pass each other
	Time    time.Time     `json:"time"`
	Kind    string        `json:"kind"`
	ID      uint64        `json:"id"`
	Path    string        `json:"path"`
	Process int           `json:"process"` // -1: it is about the actor
	Reason  string        `json:"reason,omitempty"`
	Stack   string        `json:"stack,omitempty"`
	Count   int           `json:"count,omitempty"`
	Type    string        `json:"type,omitempty"`
	Attempt int           `json:"attempt,omitempty"`
	Delay   time.Duration `json:"delay,omitempty"`
}
