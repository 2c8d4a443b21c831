// Package actor couples a goroutine with an inbox: neither exists without the
// other.
//
// [Spawn] starts a process, which is a goroutine that runs a body with an
// [Inbox], and returns a [Child] that owns it and an [Address] to send to it.
// Several processes may share one inbox: then the owner is a [Pool]. All that
// shares one inbox is an actor.
//
//	child, addr := actor.Spawn(ctx, actor.Config{Name: "counter"},
//		func(ctx context.Context, in *actor.Inbox[int]) error {
//			sum := 0
//			for n := range in.Messages(ctx) {
//				sum += n
//			}
//			fmt.Println(sum)
//			return in.Err()
//		})
//	addr.Send(ctx, 1)
//	addr.Send(ctx, 2)
//	child.Drain(ctx) // prints 3
//
// # Four words for an end
//
// Close: no more messages are accepted; what is queued is worked off. A receive
// returns [ErrClosed] when nothing is left.
//
// Halt: a process is asked to stop. Its next receive returns [ErrHalted], once;
// what is queued stays queued. A halt of the whole actor also closes it, in the
// same step.
//
// Abort: a process is torn down. Its context ends with cause [ErrAborted], and
// its goroutine unwinds at its next receive, or at once if it waits in one:
// deferred calls run, nothing after does.
//
// Exit: the process is gone. When the last one is, the actor has ended and Done
// is closed.
//
// Stop is halt and wait. Drain is close and wait. Both abort when their context
// ends, and then wait for at most [StuckAfter].
//
// # What is accepted is not lost
//
// A send that returns nil has put its message into the inbox. Each accepted
// message is received by exactly one process or handed to [Config].Undelivered
// exactly once: when Done is closed, accepted = received + undelivered. Without
// an Undelivered, the number of such messages is logged. A message that a
// process has received and not handled when it ends is that process's affair.
//
// # Order
//
// Messages that one goroutine sends to one actor are received in that order.
// Senders that wait for room are served in the order in which they came. In a
// pool, messages are taken in order and handled at the same time.
//
// # How many messages may wait
//
// [Config].Capacity says. [Bounded] makes senders wait for room, [Unbounded]
// never does, [Backpressure] delays senders when many messages wait. The
// default is backpressure from some thousand messages on: no sender waits for
// ever, and a stuck actor does not fill the memory in silence. TrySend never
// waits; SendNow neither waits nor heeds backpressure.
//
// # Contexts
//
// A body's context carries the values of its owner's context, but not its end. A
// halt does not end it: a process that was asked to stop can finish its work
// with a living context. It ends with cause ErrAborted at an abort, otherwise
// when the body has ended. So a body that waits for something else than its
// inbox waits for that and for Halting or Ready, in a select.
//
// # Owners
//
// The context given to Spawn owns the actor. When it ends, the actor is halted
// (or closed, with [Config].Drain), and aborted if it has not ended when its
// abort timer runs out. The context of a process makes the actor a child of that
// process: it is stopped when the process has ended, and the process's exit is
// known only when all its children are gone. When the root's Wait returns,
// nothing below it runs. Abort goes down the tree at once. [Config].Detached,
// and Detach, take an actor out of all this.
//
// # Panics
//
// A panic in a body ends its process and nothing else: the exit is a
// [*PanicError] with the stack, it is told to observers and logged. Only bodies
// are guarded: a panic on a goroutine that a body has started by itself ends the
// program, as do fatal errors of the runtime.
//
// # A goroutine cannot be killed
//
// A process that has not ended StuckAfter after its abort is stuck. It never
// gets a message again, its owner does not wait for it any longer, what is in
// its inbox is handed back, and Stop says with [ErrStuck] where it hangs.
//
// # Questions
//
// [Ask] sends a message with a [Reply] in it and waits for the answer. It ends
// when the process that received the message does, so there is no need for a
// timeout against an actor that dies. The pattern is one struct for each
// question:
//
//	type get struct {
//		actor.Reply[string]
//		key string
//	}
//
//	func (m get) to(r actor.Reply[string]) get { m.Reply = r; return m }
//
// Then actor.Ask(ctx, addr, get{key: k}.to) asks, and m.Answer(v, nil) in the
// handler answers. For several kinds of messages M is an interface, and "to"
// returns that.
//
// # Waiting beside other channels
//
// [Inbox.Ready] is a channel for select:
//
//	ready := in.Ready()
//	for {
//		select {
//		case <-ready:
//			m, err := in.TryRecv()
//			if err == actor.ErrEmpty {
//				continue
//			}
//			if err != nil {
//				return err
//			}
//			handle(m)
//		case <-ticker.C:
//			tick()
//		}
//	}
//
// # The garbage collector
//
// When nobody can reach an actor any more, because its last *Address, *Child and
// *Pool were collected, it is closed; so an actor that was forgotten ends by
// itself and does not leak. One that asks for its own address, with
// [Inbox.Address], lives until it is told to stop. This is off in a
// testing/synctest bubble.
//
// # Tests
//
// Everything works in a testing/synctest bubble: all waits are durable, all
// timers are package time's. Spawn with t.Context() as owner; it ends just
// before the test's cleanups run, and stops the actor. A bubble waits for all
// its goroutines, so an actor that ignores its halt is found there.
//
// # Costs
//
// An actor is one goroutine and a few small allocations, and needs no helper
// goroutine while it is idle (but one if its owner is a context type of another
// package than context). Send and Recv allocate nothing as long as nobody has
// to wait for room. An Ask allocates once, and once more if the asker has to
// sleep. An inbox that is idle keeps at most 16 KiB of slots.
package actor
