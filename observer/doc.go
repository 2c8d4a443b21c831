// Package observer shows which actors there are and what they do: who is full,
// who is slow, who restarts, who hangs, who waits for whom.
//
//	o := observer.New(observer.Options{})
//	ctx = o.Watch(ctx)
//
// Every actor that is spawned below that context is seen from then on, with
// supervisors and their workers. [Observer.Snapshot] returns all of it as plain
// structs. A deadlock, actors that wait for each other in a circle, is found
// within a second, whether somebody looks or not, and logged, once a minute at most.
//
// # Who may see it
//
// [Observer.Handler] serves a page. It shows the names of actors, the texts of
// errors and panics, and stacks, to everybody who can reach it; with
// Options.Actions it also lets them stop actors. It asks nobody who they are: mount
// it behind what guards the rest of your operations pages, or on an address that
// only those can reach whom it concerns. Options.Redact blanks texts.
//
// # What it costs
//
// Nobody is told per message. An actor that is watched counts what it receives
// and takes the time of up to Options.Samples messages per second and process.
// While nobody looks there is no goroutine and no timer; but as long as somebody begins to wait
// in a Send or an Ask now and then, a look at all who wait, some three per second.
//
// To confirm what looks like a deadlock the program stands still for a moment.
//
// In tests with testing/synctest an observer belongs into the bubble in which its
// actors are: its timers end with the bubble in which somebody waited.
//
// Actors are held weakly: one that nobody else can reach ends as it would
// unwatched. Values that processes panic with and errors that they return are
// kept as text. docs/observer.md says what all the figures mean.
package observer
