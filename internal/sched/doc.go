// Package sched is what package mailbox and the lifecycle of package actor use
// of the scheduler: atomics, locks, waiting, waking, starting a goroutine, its
// early end, timers, the end of contexts, and the cleanup of what the garbage
// collector found.
//
// It is built in three ways, and only files of this package know which:
//
//   - plainly, it is nothing but other names: types are aliases, and functions
//     are so small that the compiler puts their one statement where they are called;
//   - with the tag modelcheck, package explore chooses after each such operation
//     which goroutine goes on, so that the real code can be run through every
//     order of its steps;
//   - with the tag perturb, each such operation sometimes lets other goroutines
//     run first, so that few runs on the real scheduler see many orders.
//
// Atomics and locks are enough to look at all orders that matter: Go's atomics
// are sequentially consistent, and what lies between them is free of data races,
// which the race detector checks elsewhere.
package sched

// Which of the channels given to Select was first.
const (
	First = iota
	Done
	Tick
)
