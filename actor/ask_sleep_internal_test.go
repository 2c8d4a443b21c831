package actor

import (
	"testing"
	"testing/synctest"
)

// An answer that comes after an asker has looked for it the last time, and before
// it says that it sleeps, is seen by the look that follows.
func TestX5AnswerBeforeTheSleepIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(call[string])
		c.ctx = t.Context()
		Reply[string]{c}.Answer("yes", nil)
		slept := make(chan bool)
		go func() { slept <- c.await() }()
		synctest.Wait()
		select {
		case ok := <-slept:
			if !ok || c.value != "yes" {
				t.Errorf("await is %v with %q, want true with the answer", ok, c.value)
			}
		default:
			t.Error("the asker sleeps though it was answered")
			c.done <- struct{}{}
			<-slept
		}
	})
}
