package supervisor

import "time"

// This file is the language in which the machine of one supervisor is spoken
// to. machine.step takes one event and returns what has to be done about it:
// actions, to be performed in their order. The machine starts no goroutine,
// reads no clock and draws no lots. How it decides is in rules.go.

// all stands for every process of a child, where one could be named.
const all = -1

// An eventKind says what happened.
type eventKind uint8

// The events. In brackets: the fields of event that count beside kind, at and lot.
const (
	evStart     eventKind = iota // the supervisor is to start; the first event
	evUp                         // a process called Started [child process incarnation]
	evExit                       // a process has ended [child process incarnation exit err]
	evStuck                      // a process was aborted and does not end; nobody waits for it [child process incarnation err]
	evReleased                   // a stuck process has ended after all [child process]
	evClosed                     // after actClose: the child has ended for good, or only stuck processes are left [child]
	evTimer                      // a timer has run out [timer]
	evAdd                        // request: a new child [request from child spec]
	evTerminate                  // request: stop a child; in a Dynamic, remove it [request from child|name]
	evRestart                    // request: start a child that is down [request from child|name]
	evRemove                     // request: forget a child that is down [request from child|name]
	evReplace                    // request: give a child another behaviour [request from child]
	evStop                       // the supervisor is to stop, each child in its own way [terminal]
	evAbort                      // the supervisor is torn down: abort all children at once [terminal]
)

// event is something that happened.
type event struct {
	kind eventKind

	// at is the monotonic time since any fixed moment. It never decreases.
	at time.Duration

	// lot is from [0, 1), drawn anew for each event: for the jitter of a delay.
	lot float64

	// child is a child's id. Those given to newMachine have 1, 2, 3 and so on;
	// evAdd gives the new child's, which must be higher than all before. In a
	// request 0 means that name says which child it is.
	child       int
	process     int // its number in its child, from 0
	incarnation int // which of the processes that had this number, from 1: as in actStart

	exit exitKind
	err  error // why it ended; is carried along and never looked into

	stack string // where a stuck process hangs; not for the machine

	timer timer // as in actArm

	request int    // number of a request, from 1, never used twice: for actReply
	from    int    // the child that makes the request, or below which it is made; 0 if none
	name    string // of the child that a request is about, if child is 0
	spec    Child  // of the child to add; it is valid

	// terminal: the supervisor will not be started again, so its children end
	// for good.
	terminal bool
}

// An exitKind is how a process ended.
type exitKind uint8

// The exits.
const (
	exitNormal   exitKind = iota // by itself, with nil
	exitShutdown                 // by itself, with ErrShutdown or a wrapped ErrHalted
	exitIgnored                  // with ErrIgnore, before it called Started
	exitFailed                   // in any other way, also by an abort
)

// abnormal reports whether a transient child is started again.
func (k exitKind) abnormal() bool { return k == exitFailed }

// An actionKind says what has to be done.
type actionKind uint8

// The actions. In brackets: the fields of action that count beside kind.
const (
	actStart   actionKind = iota // start a process [child process incarnation]
	actHalt                      // tell processes to stop; what is queued stays [child process|all]
	actAbort                     // tear processes down, and all below them [child process|all]
	actClose                     // the child ends for good: it takes no more messages, and leftovers are handed back when its last process has ended, now if it has none; evClosed follows [child]
	actArm                       // start a timer; after 0 means behind the events that wait already [timer after]
	actCancel                    // the timer is of no use any more [timer]
	actAdopt                     // what is started from here on has the behaviour that the request brings [request child]
	actReply                     // answer a request [request err]
	actNote                      // tell the observers [note child process attempt after exit err]
	actStarted                   // all children were started: the supervisor is up
	actFinish                    // the supervisor has ended, nothing follows [reason child err]
)

// action is something to be done.
type action struct {
	kind        actionKind
	child       int
	process     int // or all
	incarnation int
	timer       timer
	after       time.Duration
	request     int
	err         error
	note        noteKind
	attempt     int // of a restart: how many in a row, from 1
	exit        exitKind
	reason      reason
}

// timer names a timer: at most one with the same first three fields runs at a
// time. One whose seq is not the latest has no effect.
type timer struct {
	purpose timerPurpose
	child   int
	process int // or all
	seq     uint64
}

// A timerPurpose is what a timer is for.
type timerPurpose uint8

// The timers.
const (
	timerRestart timerPurpose = iota // a process is restarted alone [child process]
	timerGroup                       // a group is restarted [the child that failed, all]
	timerStart                       // a start has taken too long [child process, or all if the whole child is started]
	timerAbort                       // a stop has taken too long [child process, or all if the whole child is stopped]
)

// A reason is why a supervisor has ended.
type reason uint8

// The reasons.
const (
	reasonStopped     reason = iota // evStop
	reasonAborted                   // evAbort
	reasonStartFailed               // child failed to start, with err, when the supervisor was started
	reasonLimit                     // one restart too many: of child, which ended with err
	reasonAuto                      // the end of significant child
	reasonStuck                     // child has a stuck process, in whose place nothing may be started
)

// A noteKind is what observers are told. Notes decide nothing.
type noteKind uint8

// The notes.
const (
	noteStarted     noteKind = iota // the whole child was started [child]
	noteStartFailed                 // a start has failed [child process|all err]
	noteIgnored                     // a body has returned ErrIgnore [child process]
	noteRestarting                  // a process ended and is started again after a delay [child process attempt after exit err]
	noteRestarted                   // it is up again [child process attempt]
	noteReplaced                    // it is up with another behaviour [child process]
	noteEnded                       // it ended by itself and is not started again [child process exit err]
	noteStopped                     // it ended as it was told [child process exit err]
	noteStuck                       // it does not end [child process err]
	noteReleased                    // it has ended after all [child process]
	noteRemoved                     // the child is in the list no more [child]
	noteEscalated                   // the supervisor begins to end by itself [reason child err]
)

// plan is what the machine knows of a child: its spec, with defaults in place.
type plan struct {
	name        string
	supervisor  bool
	restart     Restart
	significant bool
	processes   int           // at least 1
	abortAfter  time.Duration // from the order to stop; 0: never; negative: at once
	drain       bool          // stopping for good, it is not halted
	await       bool          // it is up when its processes have called Started
	awaitFor    time.Duration // for so long; 0: however long it takes
	backoff     Backoff
	onStuck     StuckPolicy
}

// config is what the machine knows of its supervisor.
type config struct {
	strategy Strategy
	limit    Limit // with its defaults: Restarts 0 means none
	auto     AutoShutdown
	dynamic  bool // children come by evAdd only, are never kept when they have ended, and are stopped all at once
	max      int  // of children; 0: any number
	root     bool // nobody starts the supervisor again: its end is terminal whatever ends it
}

// seed is a child that the machine has from the beginning.
type seed struct {
	spec Child
	// stuck is how many stuck processes of an earlier supervisor each of the
	// child's processes has left; may be nil.
	stuck []int
}
