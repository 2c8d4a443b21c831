// Package mailbox is the queue between the senders of an actor and its
// processes, and nothing else: it starts no goroutine, knows no context, runs
// no user code and has no opinion about who owns whom.
//
// A [Queue] holds messages in chunks. Every process that takes from it has a
// [Receiver], which it joins with before it runs and leaves with when it has
// ended. All states that a sender or a receiver can see (closed, halted, aborted,
// a message, room) change under one lock, so that no two steps of a transition
// can be seen apart. Only two things happen without it: a receiver claims
// messages of a chunk that it has taken ahead, as far as its lease allows, and a
// receiver begins to wait at a calm queue, by the word of the lock itself.
//
// Three things are always true when the lock is free:
//
//   - a receiver waits only if the queue is empty, open, and neither halts nor
//     aborts that receiver;
//   - a sender waits for room only if the queue is full and open, but for the
//     moment in which the receiver that made room allocates a chunk, and comes back;
//   - a message that was accepted is in the queue, taken ahead by the holder, or
//     with exactly one receiver.
//
// Whoever waits registers under the lock, lets go of it, and sleeps on a channel
// of its own. Whoever changes the state takes the waiter out of its line under
// the lock, and gives it one token then or right after. So each registration ends
// with exactly one token or with the waiter taking itself out of the line, and no
// wakeup is lost. The argument, step by step, is in docs/decisions (16).
package mailbox

// Status is the answer of an operation on a queue.
type Status uint8

const (
	OK       Status = iota
	Empty           // nothing to take now
	Full            // no room now
	Closed          // sending: closed; receiving: closed and empty
	Halted          // this receiver is asked to stop; said once
	Aborted         // this receiver must not go on
	Canceled        // the caller's done channel ended the wait
)
