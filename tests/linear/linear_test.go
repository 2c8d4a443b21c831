package linear

import (
	"testing"

	"tinyactor/internal/mailbox"
)

// A mailbox is linearizable with one processor and with several.
func TestLinearizable(t *testing.T) {
	n := 7000
	if testing.Short() {
		n = 1000
	}
	var all Report
	for _, procs := range []int{1, 2, 4} {
		rep := Run(Config{Histories: n, Procs: procs, Seed: 1})
		t.Logf("GOMAXPROCS %d: %d histories of %d to %d operations, %.1f %% with three at one time, %v, %v of it the clients",
			procs, rep.Histories, rep.Least, rep.Most, rep.Share(), rep.Took, rep.Ran)
		all.Add(rep)
	}
	for _, v := range all.Violations {
		file, err := v.Draw()
		t.Errorf("%vdrawn in %s %v", v, file, err)
	}
	if err := all.Err(); err != nil {
		t.Error(err)
	}
	if missing := all.Missing(); len(missing) > 0 && !testing.Short() {
		t.Errorf("never happened: %v", missing)
	}
	if all.Least < leastOps || all.Most > mostOps {
		t.Errorf("histories have %d to %d operations", all.Least, all.Most)
	}
}

// The checker finds what is wrong with a wrong mailbox.
func TestFaults(t *testing.T) {
	for _, f := range Faults {
		t.Run(f.Name, func(t *testing.T) {
			rep := Run(Config{Histories: 20000, Procs: 2, Seed: 2, Fault: f})
			if len(rep.Violations) == 0 {
				t.Fatalf("not found in %d histories", rep.Histories)
			}
			t.Logf("the first of %d:\n%v", rep.Histories, rep.Violations[0])
		})
	}
}

// What the model is asked in words: after these operations, one after the other,
// the last can or cannot give its answer.
func TestModel(t *testing.T) {
	var (
		a, b   = Op{Kind: Put, Msg: 1}, Op{Kind: Put, Msg: 2}
		halt   = Op{Kind: Halt, Yes: true}
		some   = Op{Kind: HaltSome, N: 1, Count: 1}
		get    = func(seat int, m msg) Op { return Op{Kind: Recv, Seat: seat, Msg: m} }
		try    = func(seat int, s mailbox.Status) Op { return Op{Kind: TryRecv, Seat: seat, Status: s} }
		status = func(k Kind, s mailbox.Status) Op { return Op{Kind: k, Msg: 9, Status: s} }
	)
	for _, c := range []struct {
		what string
		ops  []Op
		can  bool
	}{
		{"first in first out", []Op{a, b, get(0, 1), get(1, 2)}, true},
		{"last in first out", []Op{a, b, get(0, 2)}, false},
		{"twice", []Op{a, get(0, 1), get(1, 1)}, false},
		{"from nowhere", []Op{get(0, 1)}, false},
		{"full", []Op{a, b, status(Put, mailbox.Full)}, true},
		{"too much", []Op{a, b, status(Put, mailbox.OK)}, false},
		{"full too early", []Op{a, status(Put, mailbox.Full)}, false},
		{"a Push that does not wait", []Op{a, b, status(Push, mailbox.Full)}, false},
		{"a Push that nobody cancelled", []Op{a, b, status(Push, mailbox.Canceled)}, false},
		{"empty", []Op{a, get(0, 1), try(0, mailbox.Empty)}, true},
		{"not empty", []Op{a, try(0, mailbox.Empty)}, false},
		{"sent after the close", []Op{{Kind: Close, Yes: true}, a}, false},
		{"closed twice", []Op{{Kind: Close, Yes: true}, {Kind: Close, Yes: true}}, false},
		{"closed too early", []Op{a, {Kind: Close, Yes: true}, try(0, mailbox.Closed)}, false},
		{"closed", []Op{a, {Kind: Close, Yes: true}, get(0, 1), try(0, mailbox.Closed)}, true},
		{"all are halted", []Op{halt, try(0, mailbox.Halted), try(1, mailbox.Halted), try(0, mailbox.Closed)}, true},
		{"closed before halted", []Op{halt, try(0, mailbox.Closed)}, false},
		{"a message before halted", []Op{a, halt, get(0, 1)}, false},
		{"halted twice", []Op{halt, try(0, mailbox.Halted), try(0, mailbox.Halted)}, false},
		{"halted by nobody", []Op{try(0, mailbox.Halted)}, false},
		{"one of two", []Op{a, some, try(1, mailbox.Halted), get(0, 1)}, true},
		{"one of two, but both", []Op{some, try(1, mailbox.Halted), try(0, mailbox.Halted)}, false},
		{"one of two, but neither", []Op{some, try(1, mailbox.Empty), try(0, mailbox.Empty)}, false},
		{"a message, then halted", []Op{a, some, get(0, 1), try(0, mailbox.Halted)}, false},
		{"more than there are", []Op{some, {Kind: HaltSome, N: 2, Count: 2}}, false},
		{"the rest", []Op{some, {Kind: HaltSome, N: 2, Count: 1}, try(0, mailbox.Halted), try(1, mailbox.Halted)}, true},
		{"one of those that are left", []Op{{Kind: Leave}, some, try(1, mailbox.Empty)}, false},
		{"late, and halted", []Op{halt, {Kind: Join, Seat: 2}, try(2, mailbox.Halted)}, true},
		{"late, and not halted", []Op{halt, {Kind: Join, Seat: 2}, try(2, mailbox.Closed)}, false},
		{"aborted", []Op{a, {Kind: Abort}, try(0, mailbox.Aborted), try(0, mailbox.Aborted)}, true},
		{"a message of the aborted", []Op{a, {Kind: Abort}, get(0, 1)}, false},
		{"the wrong length", []Op{a, {Kind: Len, Count: 2}}, false},
		{"the wrong rest", []Op{a, b, {Kind: End, All: []msg{2, 1}}}, false},
		{"the right rest", []Op{a, b, {Kind: End, All: []msg{1, 2}}}, true},
	} {
		s := &state{limit: 2, joined: 0b11, marked: 1}
		last := len(c.ops) - 1
		for i := range c.ops[:last] {
			if !s.step(&c.ops[i]) {
				t.Errorf("%s: %v is impossible", c.what, &c.ops[i])
			}
		}
		if can := s.step(&c.ops[last]); can != c.can {
			t.Errorf("%s: %v is possible: %v", c.what, &c.ops[last], can)
		}
	}
}
