package soak

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"tinyactor/actor"
)

// spawn makes actors that nobody supervises, sends to them and ends them, in all
// ways there are.
func (s *soak) spawn(ctx context.Context) {
	for ctx.Err() == nil && !s.ledger.full() {
		owner, end := context.WithCancel(ctx)
		pool, addr := actor.SpawnPool(owner, s.config(), 1+rand.IntN(3), s.plain)
		var sending sync.WaitGroup
		for range 2 {
			sending.Go(func() { s.feed(addr, rand.IntN(40)) })
		}
		if one(3) {
			s.count(poolSpawned)
			_ = pool.Spawn(s.plain) // it may have ended
		}
		if one(2) {
			sending.Wait()
		}
		s.end(pool, end)
		sending.Wait()
		<-pool.Done()
		end()
	}
}

// config makes a Config that differs in all that may differ.
func (s *soak) config() actor.Config {
	return actor.Config{
		Name:        "plain",
		Capacity:    []actor.Capacity{{}, actor.Bounded(1), actor.Bounded(8), actor.Unbounded(), actor.Backpressure(4, time.Microsecond, 1.5)}[rand.IntN(5)],
		AbortTimer:  time.Duration(rand.IntN(5)-1) * time.Millisecond,
		Detached:    one(4),
		Drain:       one(2),
		Undelivered: func(m any) { s.undelivered(m.(msg)) },
	}
}

// feed sends n messages to an actor, until it takes no more.
func (s *soak) feed(addr *actor.Address[msg], n int) {
	for range n {
		m, ok := s.ledger.issue()
		if !ok || s.sent(m, addr.Send(context.Background(), msg{id: m})) != nil {
			return
		}
	}
}

// plain is the body of actors that nobody supervises. What one of them has
// received is its affair, so that is noted at once.
func (s *soak) plain(ctx context.Context, in *actor.Inbox[msg]) (actor.None, error) {
	if one(50) { // a child of the process, which ends with it
		_, addr := actor.Spawn(ctx, s.config(), func(ctx context.Context, in *actor.Inbox[msg]) error {
			_, err := s.plain(ctx, in)
			return err
		})
		s.feed(addr, 3)
		s.count(nested)
	}
	dst := make([]msg, 1+rand.IntN(4))
	for {
		n, err := in.RecvBatch(ctx, dst, time.Duration(rand.IntN(200))*time.Microsecond)
		if err != nil {
			return actor.None{}, err
		}
		for _, m := range dst[:n] {
			s.ledger.settle(m.id, received)
		}
		switch rand.IntN(500) {
		case 0:
			panic(errCrash)
		case 1:
			runtime.Goexit()
		case 2:
			return actor.None{}, errCrash
		case 3:
			in.Close()
		}
	}
}

// end ends an actor.
func (s *soak) end(pool *actor.Pool[msg, actor.None], end context.CancelFunc) {
	way := op(int(haltedSome) + rand.IntN(int(ownerEnded-haltedSome)+1))
	s.count(way)
	brief, cancel := context.WithTimeout(context.Background(), time.Duration(rand.IntN(2000))*time.Microsecond)
	defer cancel()
	switch way {
	case haltedSome:
		pool.HaltSome(1 + rand.IntN(2))
		pool.Halt()
	case halted:
		pool.Halt()
	case closed:
		pool.Close()
	case aborted:
		pool.Abort()
	case dropped:
		pool.Attach(time.Millisecond)
		pool.Drop()
	case stopped:
		_, _ = pool.Stop(brief)
	case drained:
		_, _ = pool.Drain(brief)
	case ownerEnded:
		pool.Detach()
		end()
		pool.Attach(time.Millisecond)
	default:
	}
}

// forget lets go of actors that still run. They end when they are collected.
func (s *soak) forget(ctx context.Context) {
	for ctx.Err() == nil && !s.ledger.full() {
		_, addr := actor.Spawn(context.Background(), s.config(), func(ctx context.Context, in *actor.Inbox[msg]) error {
			_, err := s.plain(ctx, in)
			return err
		})
		s.feed(addr, 3)
		s.count(forgotten)
		s.pause(ctx, 10*time.Millisecond)
	}
}

// hang has one process get stuck, and lets it go when that was noticed, which
// takes a second.
func (s *soak) hang(ctx context.Context) {
	if s.cfg.Epoch <= actor.StuckAfter {
		return
	}
	hangs, release := make(chan struct{}), make(chan struct{})
	cfg := s.config()
	cfg.Capacity = actor.Unbounded() // for what nobody receives
	child, addr := actor.Spawn(ctx, cfg, func(ctx context.Context, in *actor.Inbox[msg]) error {
		close(hangs)
		<-release
		_, err := in.TryRecv() // which does not return
		return err
	})
	s.feed(addr, 3)
	<-hangs
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := child.Stop(over); !errors.Is(err, actor.ErrStuck) {
		s.fail("Stop of a process that hangs: %v", err)
	}
	close(release)
	<-child.Done()
	s.count(stuck)
}
