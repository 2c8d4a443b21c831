// Package actortest helps to test programs made of actors.
//
//	func TestGreeter(t *testing.T) {
//		ctx := actortest.New(t)
//		probe := actortest.Probe[string](t)
//		_, addr := actor.Spawn(ctx, actor.Config{Name: "greeter"}, greet(probe.Address()))
//		addr.Send(ctx, "Ada")
//		if got := probe.Next(); got != "Hello, Ada" {
//			t.Errorf("got %q", got)
//		}
//	}
//
// [New] gives the context that owns a test's actors: they are stopped when the
// test ends, and what does not stop is named. [Probe] stands in for an actor
// that others send to. [Reply] stands in for one that asks, so that a handler can
// be tested without an actor. [TestSender] checks an implementation of
// [actor.Sender].
//
// # Waiting
//
// Nothing here sleeps. A wait is for something to be so, and is over as soon as
// it is. If it is not within ten seconds, the test fails and says what was there
// instead.
//
// # In a bubble
//
// Everything works inside and outside of testing/synctest; what is made in a
// bubble belongs to it. In a bubble the ten seconds are fake: a test that waits
// for what does not come fails at once. And there, after synctest.Wait, what a
// probe has got is all that will come.
package actortest

import (
	"testing/synctest"
	"time"
)

// patience is how long a wait may take.
const patience = 10 * time.Second

// quiet waits until all other goroutines of the testing/synctest bubble wait for
// something in it. Outside of a bubble it does nothing and returns false.
func quiet() (bubble bool) {
	defer func() {
		if recover() != nil {
			bubble = false // outside, synctest.Wait panics
		}
	}()
	synctest.Wait()
	return true
}
