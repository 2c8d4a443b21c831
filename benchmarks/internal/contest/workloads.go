package contest

import (
	"fmt"
	"time"
)

// Workloads are all workloads, in the order of the table.
var Workloads = workloads()

// fanInSenders are how many senders a mailbox has in tell and fan-in.
var fanInSenders = []int{1, 2, 8, 64, 1000}

// TellName returns the name of the workload with that many senders.
func TellName(senders int) string {
	if senders == 1 {
		return "tell"
	}
	return fmt.Sprintf("fan-in-%d", senders)
}

// tells are tell and fan-in in one of their variants.
func tells(suffix, title string, own bool, procs int, o Options) []*Workload {
	var all []*Workload
	for _, senders := range fanInSenders {
		w := &Workload{
			Name: TellName(senders) + suffix, Title: fmt.Sprintf("fan-in, %d senders%s", senders, title),
			Step: senders, Procs: procs, Own: own, run: fanIn(senders, o),
		}
		if senders == 1 {
			w.Title, w.run = "tell, 1 sender"+title, tell(o)
		}
		all = append(all, w)
	}
	return all
}

func workloads() []*Workload {
	all := tells("", "", false, 0, Options{})
	all = append(all, tells("-bounded", ", bounded", false, 0, Options{Bounded: true})...)
	all = append(all, tells("-1p", ", GOMAXPROCS=1", true, 1, Options{})...)
	all = append(all, tells("-4p", ", 4×GOMAXPROCS", true, -4, Options{})...)
	return append(all,
		&Workload{Name: "send-all", Title: "tell, 64 at once", Own: true, run: sendAll},
		&Workload{Name: "ping-pong", Title: "ping-pong, round trip", run: pingPong},
		&Workload{Name: "ring", Title: "ring of 1000, per hop", run: ring(1000)},
		&Workload{Name: "many-to-many", Title: "many to many (120)", Step: 240, run: manyToMany(120)},
		&Workload{Name: "pool-4", Title: "pool of 4 on one mailbox", run: pool(4)},
		&Workload{Name: "ask-1", Title: "ask, 1 caller", run: ask(1, false)},
		&Workload{Name: "ask-64", Title: "ask, 64 callers", Step: 64, run: ask(64, false)},
		&Workload{Name: "ask-timeout-1", Title: "ask, 1 caller, own timeout", run: ask(1, true)},
		&Workload{Name: "ask-timeout-64", Title: "ask, 64 callers, own timeout", Step: 64, run: ask(64, true)},
		&Workload{Name: "spawn", Title: "spawn, message, stop, wait", Fixed: 100_000, run: spawn},
		&Workload{Name: "restart", Title: "restart, panic to first receive", Supervised: true, run: restart},
		&Workload{Name: "children", Title: "child of a supervisor, one of 10,000", Fixed: 10_000, Supervised: true, run: children},
		&Workload{Name: "idle-100k", Title: "idle actor, one of 100,000", Fixed: 100_000, Cold: true, run: idle},
		&Workload{Name: "idle-1m", Title: "idle actor, one of 1,000,000", Fixed: 1_000_000, Cold: true, Once: true, run: idle},
		&Workload{Name: "longest-send", Title: "longest Send, 1000 senders", Fixed: 4_000_000, Step: 1000, Lasts: time.Second, Own: true, run: longest(1000, Options{})},
		&Workload{Name: "longest-send-bounded", Title: "longest Send, 1000 senders, bounded", Fixed: 4_000_000, Step: 1000, Lasts: time.Second, Own: true, run: longest(1000, Options{Bounded: true})},
		&Workload{Name: "remote-tell", Title: "remote tell, 1 sender", Remote: true, run: tell(Options{Bounded: true})},
		&Workload{Name: "remote-tell-64", Title: "remote tell, 64 senders", Step: 64, Remote: true, run: fanIn(64, Options{Bounded: true})},
		&Workload{Name: "remote-ask-1", Title: "remote ask, 1 caller", Remote: true, run: ask(1, false)},
		&Workload{Name: "remote-ask-64", Title: "remote ask, 64 callers", Step: 64, Remote: true, run: ask(64, false)},
		&Workload{Name: "durable", Title: "durable send and handle, 1 sender", Remote: true, run: tell(Options{Durable: true})},
		&Workload{Name: "durable-64", Title: "durable send and handle, 64 senders", Step: 64, Remote: true, run: fanIn(64, Options{Durable: true})},
		&Workload{Name: "soak", Title: "soak, 8 senders, 10⁸ messages", Fixed: 100_000_000, Once: true, Own: true, run: soak},
	)
}

// Find returns the workload of that name, or nil.
func Find(name string) *Workload {
	for _, w := range Workloads {
		if w.Name == name {
			return w
		}
	}
	return nil
}
