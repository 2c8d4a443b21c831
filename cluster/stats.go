package cluster

import "sync/atomic"

// Stats counts what a node has done since Join.
type Stats struct {
	Sent        uint64 // messages and questions that were put on their way
	Accepted    uint64 // of those, what actors have accepted
	Unknown     uint64 // whose outcome was unknown when the link broke
	HandedBack  uint64 // that came back or had not left, and were sent elsewhere or reported
	Received    uint64 // messages for exposed names that actors here have accepted
	Undelivered uint64 // messages given to Config.Undelivered

	// Of durable inboxes.
	Stored      uint64 // messages that were stored for this node
	Handled     uint64 // handlers here that have returned nil
	Failed      uint64 // handlers here that have failed, without those whose message was set aside
	Redelivered uint64 // messages that were handed to this node, and not for the first time
	SetAside    uint64 // by this node

	// Frames and messages that came in and were refused.
	Forged    uint64 // with a reply subject that is not the sender's
	Malformed uint64 // not to be read
	TooLarge  uint64 // with more than Config.MaxSize
	Version   uint64 // of another wire version
	Mismatch  uint64 // another type or codec, or it does not decode
	Missing   uint64 // messages that the network has lost before they came
}

// counters is Stats, under way.
type counters struct {
	sent, accepted, unknown, handedBack, received, undelivered atomic.Uint64
	stored, handled, failed, redelivered, setAside             atomic.Uint64
	forged, malformed, tooLarge, version, mismatch, missing    atomic.Uint64
}

// Stats returns the counters as they are.
func (n *Node) Stats() Stats {
	c := &n.count
	return Stats{
		Sent: c.sent.Load(), Accepted: c.accepted.Load(), Unknown: c.unknown.Load(), HandedBack: c.handedBack.Load(),
		Received: c.received.Load(), Undelivered: c.undelivered.Load(),
		Stored: c.stored.Load(), Handled: c.handled.Load(), Failed: c.failed.Load(),
		Redelivered: c.redelivered.Load(), SetAside: c.setAside.Load(),
		Forged: c.forged.Load(), Malformed: c.malformed.Load(), TooLarge: c.tooLarge.Load(),
		Version: c.version.Load(), Mismatch: c.mismatch.Load(), Missing: c.missing.Load(),
	}
}
