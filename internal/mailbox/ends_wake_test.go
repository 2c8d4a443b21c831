package mailbox

import (
	"testing"
	"testing/synctest"
)

// Close, Halt and Abort wake all receivers that wait, however many there are.
func TestR4EveryEndWakesEveryReceiver(t *testing.T) {
	for name, end := range map[string]struct {
		by   func(*Queue[int])
		want Status
	}{
		"close": {func(q *Queue[int]) { q.Close() }, Closed},
		"halt":  {func(q *Queue[int]) { q.Halt() }, Halted},
		"abort": {(*Queue[int]).Abort, Aborted},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const n = 3
				q, seats := sendQueue(Policy{}, n)
				answers := make(chan Status, n)
				for _, r := range seats {
					go func() {
						_, s := r.Recv(nil)
						answers <- s
					}()
				}
				synctest.Wait()
				end.by(q)
				synctest.Wait()
				if len(answers) < n {
					t.Errorf("%d of %d receivers have woken", len(answers), n)
					for _, r := range seats {
						select {
						case r.wake <- look: // for the rest
						default:
						}
					}
				}
				for range n {
					if s := <-answers; s != end.want {
						t.Errorf("a receiver answers %v, want %v", s, end.want)
					}
				}
			})
		})
	}
}
