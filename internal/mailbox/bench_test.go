package mailbox

import "testing"

type benchMsg struct{ V int64 }

func BenchmarkOfferRecv(b *testing.B) {
	q, r := new(Queue[benchMsg]), new(Receiver[benchMsg])
	q.Init(Policy{})
	q.Join(r)
	for b.Loop() {
		for i := range 64 {
			q.Put(benchMsg{int64(i)})
		}
		for range 64 {
			r.Recv(nil)
		}
	}
}

func BenchmarkOffer(b *testing.B) {
	q, r := new(Queue[benchMsg]), new(Receiver[benchMsg])
	q.Init(Policy{})
	q.Join(r)
	done := make(chan struct{})
	go func() {
		for {
			if _, s := r.Recv(nil); s != OK {
				close(done)
				return
			}
		}
	}()
	for b.Loop() {
		for i := range 64 {
			q.Put(benchMsg{int64(i)})
		}
	}
	q.Close()
	<-done
}

func BenchmarkChan(b *testing.B) {
	q := make(chan benchMsg, 1024)
	done := make(chan struct{})
	go func() {
		for range q {
		}
		close(done)
	}()
	for b.Loop() {
		for i := range 64 {
			q <- benchMsg{int64(i)}
		}
	}
	close(q)
	<-done
}
