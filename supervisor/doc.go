// Package supervisor keeps actors running: it starts children in order,
// restarts those that end when they should not, and stops them in the opposite
// order.
//
// A child is a [Worker], which runs a body of yours on an inbox that outlives
// its processes, a [Spec], which is a supervisor itself, or a [Dynamic], whose
// children are made from a template. They are literals: make the tree, [Start]
// it, and keep the pointers to what you want to talk to. [Validate] says what is
// wrong with a tree before it runs.
//
// # Addresses and messages
//
// A worker has one address for all its life, which begins before Start: see
// [Worker.Address]. What is sent while it is down waits in its inbox, in order,
// within its capacity. Of what its process had received when it crashed, an Ask
// fails at once, and the message in hand goes to OnCrash; what was not received
// is there for the next process. When the worker has ended for good, leftovers
// go to Undelivered. So each accepted message is handled, or crashed in hand, or
// is handed back, exactly once.
//
// # Ends
//
// A body ends in good order by returning nil, or an error that matches
// [ErrShutdown] or actor.ErrHalted; anything else, a panic and runtime.Goexit are
// failures. [Restart] says what follows, [Strategy] who is restarted with it,
// [Backoff] when, and [Limit] how often: then the supervisor stops its children
// and ends, which leaves the matter to the one above it. Who stops the root
// stops everything: children are asked to stop in reverse order, and aborted
// when their AbortTimer runs out. A process that does not end even then is left
// behind and named in the [Report]; [StuckPolicy] says what happens if another
// should take its place.
//
// # Calls
//
// Children may be added, stopped, restarted, removed and replaced at any time,
// by anybody, also by the children themselves: [Of] gives a body its own
// supervisor. Whoever is being stopped gets [ErrShuttingDown]. Reading what a
// supervisor knows never waits for a child.
//
// # Watching
//
// Supervisors tell the observers of package actor what they do; [LogObserver]
// writes it to a log. actor.Address.Watch on a worker's address sees its end for
// good, not its restarts.
//
// # Cost
//
// A supervisor is one goroutine and one timer for any number of children. A
// restart costs some ten microseconds and a dozen allocations, and a panic about
// twenty microseconds more, for its stack. An event costs the same whatever the
// number of children, but for those that are about all of them.
//
// In a testing/synctest bubble, make the tree inside the bubble, workers whose
// Address is used before Start included.
package supervisor
