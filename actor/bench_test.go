package actor_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"tinyactor/actor"
)

// Each benchmark runs an actor and, beside it, what one would write with a
// channel: chan sends and receives and does nothing else, chan-select also ends
// when a context does, as actors do. Only their ratio says anything, and only
// within one run. Every total is checked.

// benchCap is how many messages wait in an inbox or a channel.
const benchCap = 1024

// A benchLine takes numbers from any goroutine; sum ends it and returns what
// has arrived.
type benchLine struct {
	send func(int) error
	sum  func() int
}

var benchLines = []struct {
	name string
	make func(ctx context.Context) benchLine
}{
	{"actor", func(ctx context.Context) benchLine {
		return newBenchActor(ctx, actor.Capacity{})
	}},
	{"actor-observed", func(ctx context.Context) benchLine {
		return newBenchActor(actor.WithObserver(ctx, &onlooker{samples: 100}), actor.Capacity{})
	}},
	{fmt.Sprintf("actor-bounded-%d", benchCap), func(ctx context.Context) benchLine {
		return newBenchActor(ctx, actor.Bounded(benchCap))
	}},
	{fmt.Sprintf("chan-%d", benchCap), func(context.Context) benchLine {
		c, sum := make(chan int, benchCap), make(chan int)
		go func() {
			total := 0
			for n := range c {
				total += n
			}
			sum <- total
		}()
		return benchLine{
			send: func(n int) error { c <- n; return nil },
			sum:  func() int { close(c); return <-sum },
		}
	}},
	{fmt.Sprintf("chan-select-%d", benchCap), func(ctx context.Context) benchLine {
		c, sum := make(chan int, benchCap), make(chan int)
		go func() {
			total := 0
			defer func() { sum <- total }()
			for {
				select {
				case n, ok := <-c:
					if !ok {
						return
					}
					total += n
				case <-ctx.Done():
					return
				}
			}
		}()
		return benchLine{
			send: func(n int) error {
				select {
				case c <- n:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			},
			sum: func() int { close(c); return <-sum },
		}
	}},
}

func newBenchActor(ctx context.Context, capacity actor.Capacity) benchLine {
	child, addr := actor.SpawnValue(ctx, actor.Config{Capacity: capacity},
		func(ctx context.Context, in *actor.Inbox[int]) (int, error) {
			total := 0
			for n := range in.Messages(ctx) {
				total += n
			}
			return total, in.Err()
		})
	return benchLine{
		send: func(n int) error { return addr.Send(ctx, n) },
		sum: func() int {
			total, err := child.Drain(context.Background())
			if err != nil {
				panic(err)
			}
			return total
		},
	}
}

// BenchmarkTell is one sender and one receiver.
func BenchmarkTell(b *testing.B) { benchFanIn(b, 1) }

// BenchmarkFanIn is many senders and one receiver.
func BenchmarkFanIn(b *testing.B) {
	for _, senders := range []int{8, 64} {
		b.Run(fmt.Sprintf("senders=%d", senders), func(b *testing.B) { benchFanIn(b, senders) })
	}
}

func benchFanIn(b *testing.B, senders int) {
	for _, line := range benchLines {
		b.Run(line.name, func(b *testing.B) {
			b.ReportAllocs()
			l := line.make(b.Context())
			var wg sync.WaitGroup
			for s := range senders {
				wg.Go(func() {
					for n := s; n < b.N; n += senders {
						if err := l.send(n); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			if got, want := l.sum(), b.N*(b.N-1)/2; got != want {
				b.Errorf("the sum is %d, want %d", got, want)
			}
		})
	}
}

// BenchmarkPingPong is a message to another goroutine and one back.
func BenchmarkPingPong(b *testing.B) {
	b.Run("actor", func(b *testing.B) {
		b.ReportAllocs()
		var left *actor.Address[int]
		known := make(chan struct{})
		right, to := actor.Spawn(b.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) error {
			<-known
			return in.Serve(ctx, func(ctx context.Context, n int) error { return left.Send(ctx, n+1) })
		})
		child, addr := actor.SpawnValue(b.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[int]) (int, error) {
			last := 0
			for range b.N {
				if err := to.Send(ctx, last); err != nil {
					return last, err
				}
				n, err := in.Recv(ctx)
				if err != nil {
					return last, err
				}
				last = n
			}
			return last, nil
		})
		left = addr
		close(known)
		if got, err := child.Wait(b.Context()); got != b.N || err != nil {
			b.Errorf("%d round trips of %d, %v", got, b.N, err)
		}
		if _, err := right.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	b.Run("chan", func(b *testing.B) {
		b.ReportAllocs()
		to, back := make(chan int, 1), make(chan int, 1)
		go func() {
			for n := range to {
				back <- n + 1
			}
			close(back)
		}()
		last := 0
		for range b.N {
			to <- last
			last = <-back
		}
		close(to)
		if <-back; last != b.N {
			b.Errorf("%d round trips of %d", last, b.N)
		}
	})
	b.Run("chan-select", func(b *testing.B) {
		b.ReportAllocs()
		ctx := b.Context()
		to, back := make(chan int, 1), make(chan int, 1)
		go func() {
			defer close(back)
			for {
				select {
				case n, ok := <-to:
					if !ok {
						return
					}
					select {
					case back <- n + 1:
					case <-ctx.Done():
						return
					}
				case <-ctx.Done():
					return
				}
			}
		}()
		last := 0
		for range b.N {
			select {
			case to <- last:
			case <-ctx.Done():
				b.Fatal(ctx.Err())
			}
			select {
			case last = <-back:
			case <-ctx.Done():
				b.Fatal(ctx.Err())
			}
		}
		close(to)
		if <-back; last != b.N {
			b.Errorf("%d round trips of %d", last, b.N)
		}
	})
}

// benchAsk is a question with its answer.
type benchAsk struct {
	actor.Reply[int]
	n int
}

func (m benchAsk) to(r actor.Reply[int]) benchAsk { m.Reply = r; return m }

// BenchmarkAsk is a question and its answer, with the asker's context.
func BenchmarkAsk(b *testing.B) {
	b.Run("actor", func(b *testing.B) {
		b.ReportAllocs()
		child, addr := actor.Spawn(b.Context(), actor.Config{}, func(ctx context.Context, in *actor.Inbox[benchAsk]) error {
			for m := range in.Messages(ctx) {
				m.Answer(m.n+1, nil)
			}
			return in.Err()
		})
		last := 0
		for range b.N {
			n, err := actor.Ask(b.Context(), addr, benchAsk{n: last}.to)
			if err != nil {
				b.Fatal(err)
			}
			last = n
		}
		if last != b.N {
			b.Errorf("%d answers of %d", last, b.N)
		}
		if _, err := child.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	b.Run("chan-select", func(b *testing.B) {
		b.ReportAllocs()
		type question struct {
			n      int
			answer chan int
		}
		ctx := b.Context()
		questions := make(chan question, benchCap)
		go func() {
			for {
				select {
				case q := <-questions:
					q.answer <- q.n + 1 // has room for it
				case <-ctx.Done():
					return
				}
			}
		}()
		last := 0
		for range b.N {
			q := question{last, make(chan int, 1)}
			select {
			case questions <- q:
			case <-ctx.Done():
				b.Fatal(ctx.Err())
			}
			select {
			case last = <-q.answer:
			case <-ctx.Done():
				b.Fatal(ctx.Err())
			}
		}
		if last != b.N {
			b.Errorf("%d answers of %d", last, b.N)
		}
	})
}

// BenchmarkSpawn starts a receiver, sends it one message, and waits for its end.
func BenchmarkSpawn(b *testing.B) {
	for _, line := range benchLines {
		b.Run(line.name, func(b *testing.B) {
			b.ReportAllocs()
			for n := range b.N {
				l := line.make(b.Context())
				if err := l.send(n); err != nil {
					b.Fatal(err)
				}
				if got := l.sum(); got != n {
					b.Fatalf("got %d, want %d", got, n)
				}
			}
		})
	}
}
