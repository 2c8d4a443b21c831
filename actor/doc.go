// Package actor couples a goroutine with an inbox: neither exists without the
// other.
//
// [Spawn] starts a process, a goroutine that runs a body with an [Inbox], and
// returns a [Child] that owns it and an [Address] to send to it. Several
// processes can share one channel: a [Pool].
//
// There are four words for an end. Close: no more sends are accepted, what is
// queued is worked off. Halt: a process is asked to stop; its next receive says
// so, the queue is left. Abort: a process is torn down at its next receive.
// Exit: it is gone. Stop is halt and wait, Drain is close and wait.
//
// No message that a send accepted is lost silently: it is received by exactly
// one process, or handed to [Config].Undelivered.
package actor
