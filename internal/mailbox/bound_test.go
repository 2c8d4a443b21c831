package mailbox

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Len is exact at every moment, and never above the bound, whatever a receiver
// takes ahead without the lock. One goroutine looks all the time, while others
// send and one receives; what it sees must lie between what certainly was in the
// queue and what can have been.
func TestS4LenIsExactWithMessagesAhead(t *testing.T) {
	for _, limit := range []int{1, 5, 6, 40, 1000} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			const senders = 2
			q, seats := sendQueue(Policy{Limit: limit}, 1)
			// Counted before an operation, and after it.
			var sending, sent, receiving, got atomic.Int64
			var stop atomic.Bool
			var wg sync.WaitGroup
			for i := range senders {
				wg.Go(func() {
					ms := make([]int, 3)
					for k := i; !stop.Load(); k++ {
						switch k % 4 {
						case 0, 1:
							sending.Add(1)
							q.Push(nil, k, nil)
							sent.Add(1)
						case 2:
							sending.Add(1)
							if q.Put(k) == OK {
								sent.Add(1)
							} else {
								sending.Add(-1)
							}
						case 3:
							sending.Add(3)
							n, _ := q.OfferAll(ms)
							sent.Add(int64(n))
							sending.Add(int64(n - 3))
						}
					}
				})
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				dst := make([]int, 7)
				for k := 0; ; k++ {
					n := 1
					var s Status
					switch k % 8 {
					case 0:
						receiving.Add(7)
						n, s = seats[0].RecvBatch(nil, dst, 0)
						receiving.Add(int64(n - 7))
					case 1:
						receiving.Add(1)
						if _, s = seats[0].TryRecv(); s == Empty {
							n, s = 0, OK
							receiving.Add(-1)
						}
					default:
						receiving.Add(1)
						_, s = seats[0].Recv(nil)
					}
					if s != OK {
						return
					}
					got.Add(int64(n))
				}
			}()
			looks, most := 0, 0
			for end := time.Now().Add(60 * time.Millisecond); looks%32 > 0 || time.Now().Before(end) && !t.Failed(); looks++ {
				sentBefore, gotBefore := sent.Load(), got.Load()
				n := q.Len()
				receivingAfter, sendingAfter := receiving.Load(), sending.Load()
				least := max(0, int(sentBefore-receivingAfter))
				if n < least || n > min(limit, int(sendingAfter-gotBefore)) {
					t.Errorf("Len is %d; at least %d and at most %d messages are in, and the bound is %d", n, least, sendingAfter-gotBefore, limit)
				}
				if most = max(most, n); looks%8 == 0 {
					runtime.Gosched()
				}
			}
			stop.Store(true)
			wg.Wait()
			q.Close()
			<-ended
			if s, g := sent.Load(), got.Load(); s != g || q.Len() != 0 {
				t.Errorf("%d were sent, %d received, %d are left", s, g, q.Len())
			}
			t.Logf("%d looks, at most %d messages, %d sent", looks, most, sent.Load())
		})
	}
}
