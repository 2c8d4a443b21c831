package inspect

// AskKey is the key under which the context of an actor.Reply has itself: by it,
// who handles a message tells an ask, whose sender waits, from a message that
// carries a context along, which may be derived from that of a Reply.
type AskKey struct{}
