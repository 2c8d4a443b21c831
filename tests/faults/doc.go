// Package faults runs random programs against random faults. It has tests only.
//
// A program is drawn as a whole before it runs: actors and pools, perhaps a
// supervision tree, and some clients that send, ask, stop, replace and so on.
// Faults are parts of it like everything else: a message says that its receiver
// is to panic with it, a worker that its third process does not come up. So a
// program can be printed, shrunk and run again. It runs in a synctest bubble,
// whose clock makes a bound exact: a call that may take 5 ms must not take 6.
//
// No program has a result of its own that is expected. What must hold is the
// same for all of them, whatever the Go scheduler makes of goroutines that run
// at the same moment; it stands beside what it is about:
//
//   - ledger_test.go: each message is received or handed back once, those that
//     crash in hand go to OnCrash, senders' messages keep their order, an Ask
//     ends with who received it;
//   - exits_test.go: each process exits once, and as it did; children stop with
//     their process; restarts keep within the limit, and nobody gives up before;
//   - tree_test.go and calls_test.go: children are told to stop in the reverse
//     order of their start; each call comes back when its context has ended, or
//     when the library says; calls say nothing that is not documented;
//   - timers_test.go: a timer sends what it should, when it should, unless it
//     was stopped in time;
//   - run_test.go: nothing is left but bodies that ignore their abort, and these
//     were reported. What is left after their release the bubble itself reports.
package faults
