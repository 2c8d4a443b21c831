package cluster

import (
	"testing"
	"time"
)

// A process that has slept does not count that as silence of the others. It counts
// what was before, so that a node that has died is given up within Lost and a Beat of
// the time in which this one was awake, also if it sleeps once a Beat; and a node that
// lives has a Beat at least in which it is heard.
func TestSleepIsNoSilence(t *testing.T) {
	t.Parallel()
	cfg := Config{Beat: 500 * time.Millisecond, Lost: 2 * time.Second}
	start := time.Now()
	for _, c := range []struct {
		what   string
		silent time.Duration // before the sleep
		slept  time.Duration
		left   time.Duration // until the node is lost
	}{
		{what: "just heard", slept: 3 * time.Second, left: cfg.Lost},
		{what: "silent for a Beat", silent: cfg.Beat, slept: time.Hour, left: cfg.Lost - cfg.Beat},
		{what: "silent for long", silent: 1200 * time.Millisecond, slept: 1100 * time.Millisecond, left: 800 * time.Millisecond},
		{what: "almost lost", silent: cfg.Lost, slept: 1100 * time.Millisecond, left: cfg.Beat},
		{what: "heard meanwhile", silent: -time.Second, slept: 1500 * time.Millisecond, left: cfg.Lost},
	} {
		p := &peer{heard: start.Add(-c.silent)}
		now := start.Add(c.slept)
		p.excuse(c.slept, now, &cfg)
		if left := p.heard.Add(cfg.Lost).Sub(now); left != c.left {
			t.Errorf("%s: %v are left, not %v", c.what, left, c.left)
		}
	}
	p, now, awake := &peer{heard: start}, start, time.Duration(0)
	for {
		awake, now = awake+600*time.Millisecond, now.Add(600*time.Millisecond)
		if now.Sub(p.heard) > cfg.Lost {
			break
		}
		if awake > cfg.Lost+cfg.Beat {
			t.Fatalf("after %v awake, the node is not lost", awake)
		}
		now = now.Add(1200 * time.Millisecond)
		p.excuse(1200*time.Millisecond, now, &cfg)
	}
}
