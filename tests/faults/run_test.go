package faults_test

import (
	"context"
	"fmt"
	"slices"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// run runs the program in a bubble, stops what is left, and checks all that
// must hold.
func (w *world) run() {
	for i, a := range w.program.actors {
		w.spawn(w.owner, nil, fmt.Sprint("a", i), a)
	}
	if w.program.tree != nil {
		w.grow(w.program.tree)
	}
	done := make(chan struct{})
	for i, steps := range w.program.clients {
		go func() {
			defer func() { done <- struct{}{} }()
			c := &client{world: w, sender: sender{who: fmt.Sprint("client ", i)}}
			for _, s := range steps {
				time.Sleep(s.pause)
				c.step(s)
			}
		}()
	}
	for range w.program.clients {
		<-done
	}
	w.settle()
	w.end()
	close(w.release)
	time.Sleep(time.Hour)
	w.look()
}

// settle lets all that is under way come to its end: starts, delays of
// restarts, halts.
func (w *world) settle() {
	time.Sleep(100 * ms)
	w.stopTicks()
	time.Sleep(time.Minute) // several abort timers, one after the other
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.counts["ignores abort"]+w.counts["Undelivered hangs"] > 0 {
		return // a supervisor may wait for these
	}
	for c := range w.open {
		if c.to == nil {
			w.wrong("%v has not come back since %v, and nothing is under way", c, c.from.Sub(w.began))
		}
	}
}

// end stops the tree and then all other actors.
func (w *world) end() {
	w.mu.Lock()
	w.stopping = true
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	w.stopTree(ctx, 20*time.Second)
	for i := 0; ; i++ { // who is stopped may spawn what is detached
		w.mu.Lock()
		if i == len(w.targets) {
			w.mu.Unlock()
			break
		}
		x := w.targets[i]
		w.mu.Unlock()
		switch {
		case x.worker:
		case i%3 == 0:
			w.stop(context.Background(), x, 0, false)
		default:
			ctx, cancel := context.WithTimeout(context.Background(), 10*ms)
			w.stop(ctx, x, 10*ms, i%3 == 1)
			cancel()
		}
	}
	w.mu.Lock()
	w.calm = true
	w.mu.Unlock()
	w.disown()
	time.Sleep(10 * time.Second)
	synctest.Wait()
	w.onlyStuckLeft()
	w.conserved("before the stuck were released")
}

// onlyStuckLeft checks that no body is left but those that ignore their abort,
// and that each of these was reported.
func (w *world) onlyStuckLeft() {
	w.mu.Lock()
	defer w.mu.Unlock()
	reported := make(map[seat]int)
	for _, e := range w.events {
		if e.Kind == actor.EventStuck {
			reported[seat{e.ID, e.Process}]++
		}
	}
	for _, p := range w.procs {
		if p.over {
			continue
		}
		at := seat{p.of.addr.ID(), p.index}
		if reported[at]--; reported[at] < 0 {
			w.wrong("%s is left, and was not reported stuck (it hangs: %t)", p.who, p.hanged)
		}
	}
}

// look checks what must hold when everything has ended.
func (w *world) look() {
	synctest.Wait()
	w.mu.Lock()
	targets := slices.Clone(w.targets)
	for _, p := range w.procs {
		if !p.over {
			w.wrong("%s has not ended", p.who)
		}
	}
	w.mu.Unlock()
	for _, x := range targets {
		select {
		case <-x.addr.Done():
		default:
			w.mu.Lock()
			x.spare = x.worker && x.begun == 0
			if !x.spare {
				w.wrong("%s has not ended", x.name)
			}
			w.mu.Unlock()
			continue
		}
		if n := x.addr.Len(); n != 0 {
			w.wrongly("%s has ended with %d messages", x.name, n)
		}
		if err := x.addr.SendNow(msg{}); w.kindOf(err) != closedError {
			w.wrongly("%s has ended, and SendNow says %v", x.name, err)
		}
		if x.pool != nil {
			exits, _ := x.pool.Wait(context.Background())
			w.exitsTrue(x, exits)
		}
	}
	w.allBack()
	w.conserved("at the end")
	w.exitsOnce()
	w.childrenStopped()
	w.restartsLimited()
	w.timersKept()
}

// allBack checks that every call has come back, but for those that wait for a
// worker that nobody has ever started; and ends these.
func (w *world) allBack() {
	w.mu.Lock()
	for c := range w.open {
		if c.to == nil || !c.to.spare {
			w.wrong("%v has not come back since %v", c, c.from.Sub(w.began))
		}
	}
	w.mu.Unlock()
	w.giveUp()
	for _, tm := range w.timers {
		if tm.letter.to.spare {
			tm.stop()
		}
	}
	synctest.Wait()
}
