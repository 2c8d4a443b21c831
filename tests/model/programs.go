package model

import (
	"fmt"
	"slices"

	"tinyactor/internal/sched/explore"
)

// Programs returns every scenario: all pairs of operations, in every state in
// which a mailbox or an actor can be that matters to them, and the triples that
// have names.
func Programs() []explore.Program {
	var all []explore.Program
	for _, state := range queueStates {
		for i, a := range queueOps {
			switch {
			case !state.holder:
				for _, b := range queueOps[i:] {
					all = append(all, queueProgram(state, a, b))
				}
			case !a.seated:
				for _, b := range holderOps {
					all = append(all, queueProgram(state, a, b))
				}
			}
		}
	}
	for i, a := range actorOps {
		for _, b := range actorOps[i:] {
			all = append(all, actorProgram(actorEmpty, a, b))
			if !a.full && !b.full { // else it is full
				all = append(all, actorProgram(actorQueued, a, b))
			}
		}
	}
	for _, t := range triples {
		p := t.program()
		p.Name = t.what + " (" + p.Name + ")"
		all = append(all, p)
	}
	return all
}

// triple is three operations that have gone wrong together somewhere.
type triple struct {
	what  string
	state string
	ops   [3]string
	actor bool
}

var triples = []triple{
	{"one message and two receivers", "empty", [3]string{"recv", "recv", "send"}, false},
	{"a receiver that gives up passes its wakeup on", "empty", [3]string{"recv with ctx", "recv", "send"}, false},
	{"two receivers that give up", "empty", [3]string{"recv with ctx", "recv with ctx", "send"}, false},
	{"one room and two senders", "full", [3]string{"send", "send", "recv"}, false},
	{"a sender that gives up passes its room on", "full", [3]string{"send with ctx", "send", "recv"}, false},
	{"two senders that give up", "full", [3]string{"send with ctx", "send with ctx", "recv"}, false},
	{"who does not wait does not pass who waits", "full", [3]string{"force", "send", "recv"}, false},
	{"a halt while a message comes", "empty", [3]string{"recv", "send", "halt"}, false},
	{"a close while a message comes", "empty", [3]string{"recv", "send", "close"}, false},
	{"an abort while a message comes", "empty", [3]string{"recv", "send", "abort"}, false},
	{"close and halt at once", "empty", [3]string{"recv", "close", "halt"}, false},
	{"halt some and halt at once", "empty", [3]string{"recv", "halt some", "halt"}, false},
	{"halt some while a message comes", "empty", [3]string{"recv", "send", "halt some"}, false},
	{"a close while a sender waits", "full", [3]string{"send", "recv", "close"}, false},
	{"a halt while a sender waits", "full", [3]string{"send", "recv", "halt"}, false},
	{"an abort while a batch makes room", "full", [3]string{"send", "batch", "abort"}, false},
	{"a halt while a batch fills", "one queued", [3]string{"batch", "send", "halt"}, false},
	{"a watched inbox is closed", "empty", [3]string{"ready", "send", "close"}, false},
	{"a watched inbox and another receiver", "one queued", [3]string{"ready", "recv", "send"}, false},
	{"a receiver leaves while a message comes for it", "empty", [3]string{"leave", "recv", "send"}, false},
	{"a second receiver comes for what was taken ahead", "taken ahead", [3]string{"join", "recv of who took ahead", "halt some"}, false},
	{"receivers come and go over what was taken ahead", "taken ahead", [3]string{"join", "leave of who took ahead", "send"}, false},
	{"what was taken ahead is taken back while it is received", "taken ahead", [3]string{"recv of who took ahead", "tickets", "send two"}, false},
	{"a halt while what was taken ahead is received", "taken ahead", [3]string{"recv of who took ahead", "halt", "send"}, false},
	{"an abort while what was taken ahead is received", "taken ahead", [3]string{"batch of who took ahead", "abort one", "join"}, false},
	{"what an aborted receiver gives back is another's", "one queued", [3]string{"batch", "recv", "abort one"}, false},
	{"an abort of one while a message comes", "empty", [3]string{"recv", "recv two", "abort one"}, false},
	{"delays end when a message is taken", "crowded", [3]string{"send", "send", "recv"}, false},
	{"a close while senders are delayed", "crowded", [3]string{"send with ctx", "recv", "close"}, false},
	{"two senders and a receiver", "empty", [3]string{"send", "send", "recv"}, false},

	{"the last exit while a message comes", "empty", [3]string{"last exit", "last exit", "send"}, true},
	{"the last exit while a question comes", "empty", [3]string{"last exit", "last exit", "ask"}, true},
	{"the last exit while a process is added", "empty", [3]string{"last exit", "spawn into the pool", "send"}, true},
	{"an abort while a question comes", "empty", [3]string{"ask", "recv", "abort"}, true},
	{"a halt while a question comes", "empty", [3]string{"ask", "recv", "halt"}, true},
	{"a restart while messages come", "empty", [3]string{"restart", "send", "send"}, true},
	{"a restart while a question comes", "empty", [3]string{"restart", "ask", "close"}, true},
	{"a restart while the channel is closed", "empty", [3]string{"restart", "send", "close"}, true},
	{"a restart while the actor is halted", "empty", [3]string{"restart", "send", "halt"}, true},
	{"a restart makes room", "full", [3]string{"restart", "wait for room", "abort"}, true},
	{"an abort while senders wait", "full", [3]string{"wait for room", "wait for room", "abort"}, true},
	{"two wait for the last exit", "empty", [3]string{"wait", "stop", "last exit"}, true},
	{"a process is added while the actor is stopped", "empty", [3]string{"stop", "spawn into the pool", "send"}, true},
	{"the owner ends while the actor is stopped", "empty", [3]string{"owner ends", "stop", "send"}, true},
	{"a halt while a process has messages ahead", "six queued", [3]string{"recv two", "send", "halt"}, true},
	{"an abort while a process has messages ahead", "six queued", [3]string{"recv two", "send", "abort"}, true},
	{"a process joins one that has messages ahead", "six queued", [3]string{"recv two", "spawn into the pool", "close"}, true},
	{"a restart of one that has messages ahead", "six queued", [3]string{"restart", "send", "halt some"}, true},
	{"halt, abort and a message", "empty", [3]string{"halt", "abort", "send"}, true},
	{"a message to an address that nobody had", "empty", [3]string{"address collected", "send", "recv"}, true},
	{"a receive that gives up, a message and a halt", "empty", [3]string{"recv with ctx", "send", "halt"}, true},
}

func (t triple) program() explore.Program {
	if t.actor {
		ops := find(t.ops, actorOps, func(o actorOp) string { return o.name })
		i := slices.IndexFunc(actorStates, func(s actorState) bool { return s.name == t.state })
		return actorProgram(actorStates[i], ops...)
	}
	i := slices.IndexFunc(queueStates, func(s queueState) bool { return s.name == t.state })
	return queueProgram(queueStates[i], find(t.ops, append(slices.Clip(queueOps), holderOps...), func(o queueOp) string { return o.name })...)
}

// find looks operations up by name.
func find[O any](names [3]string, in []O, name func(O) string) []O {
	var out []O
	for _, n := range names {
		i := slices.IndexFunc(in, func(o O) bool { return name(o) == n })
		if i < 0 {
			panic(fmt.Sprintf("model: no operation %q", n))
		}
		out = append(out, in[i])
	}
	return out
}
