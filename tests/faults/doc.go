// Package faults runs random programs against random faults. It has tests only.
//
// A program is drawn as a whole before it runs: actors and pools, perhaps a
// supervision tree, and some clients that send, ask, stop, replace and so on.
// Faults are parts of it like everything else: a message says that its receiver
// is to panic with it, a worker that its third process does not come up. So a
// program can be printed, shrunk and run again. It runs in a synctest bubble,
// whose clock makes a bound exact: a call that may take 5 ms must not take 6.
//
// What every program must keep stands in ledger_test.go (messages),
// exits_test.go (processes and restarts) and order_test.go (the order of a
// stop); run_test.go and calls_test.go check that every call comes back in time.
//
// No program expects a result of its own. The checks hold for all of them,
// whatever the Go scheduler makes of the goroutines that run at the same moment.
package faults
