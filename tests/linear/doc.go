// Package linear checks that the compiled mailbox is linearizable: that whatever
// its users do at the same time, each operation seems to happen in one moment
// between its call and its return, in an order that a plain sequential queue
// could have gone through.
//
// Two to five clients, each a goroutine of the real scheduler, run a random
// program of operations on one [mailbox.Queue]. A counter stamps each call and
// each return. Porcupine then looks for an order of the operations that respects
// the stamps and that the sequential model (model.go) accepts. If there is none,
// the history is printed, and drawn into a file.
//
// What the model knows: bounded and unbounded queues and those with
// backpressure, first in first out, tickets, close, halts of all, of some and of
// one, receivers that join and leave late, cancelled waits, and an abort of the
// only receiver. An operation that takes or puts several messages is not one
// step, and is recorded as several that keep their order.
//
// One answer is not as in a sequential queue. A receiver that has made room may
// let go of the queue's lock for a moment before it lets in a sender that waits.
// Others are then told that the queue is full, because the room is not theirs,
// and if a close comes, the one that waits does not get it either. The model
// allows that only beside such a sender.
//
// A wakeup that is lost until the close at the end leaves a history
// linearizable. So before the close, when nobody does anything any more, the last
// client looks for somebody who sleeps though there is a message or room.
//
// The model knows nothing of delays, of Ready and Halting, of the order in which
// waiting senders get room, and of aborts among several receivers, where messages
// that go back may be overtaken (law S2).
package linear
