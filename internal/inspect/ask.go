package inspect

// AskKey is the key under which the context of an actor.Reply has the value true:
// by it, who handles a message tells an ask, whose sender waits, from a message
// that carries a context along.
type AskKey struct{}
