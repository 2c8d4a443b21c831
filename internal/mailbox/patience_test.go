package mailbox

import "testing"

// tries is how many of n waits begin with a yield that helps or does not.
func (p *patience) tries(n int, helps bool) (tries int) {
	for range n {
		if p.try() {
			tries++
			p.learn(helps)
		}
	}
	return tries
}

// A receiver yields as long as that helps, and at each failure of a new try
// waits twice as long for the next, up to a cap.
func TestPatience(t *testing.T) {
	var p patience
	if n := p.tries(100, true); n != 100 {
		t.Errorf("yields that help are tried %d times in 100 waits", n)
	}
	if n := p.tries(mostLuck, false); n != mostLuck {
		t.Errorf("after a hundred that helped, %d of %d that do not are tried", n, mostLuck)
	}
	pause := fewestSkips
	for range 20 {
		if n := p.tries(pause, false); n != 0 {
			t.Fatalf("%d tries in a pause of %d", n, pause)
		}
		if !p.try() {
			t.Fatalf("no try after a pause of %d", pause)
		}
		p.learn(false)
		pause = min(2*pause, mostSkips)
	}
	if pause != mostSkips {
		t.Errorf("the pause has grown to %d, want %d", pause, mostSkips)
	}
	p.tries(pause, false)
	if !p.try() {
		t.Fatal("no try after the longest pause")
	}
	p.learn(true)
	if n := p.tries(100, true); n != 100 {
		t.Errorf("after one that helped, %d of 100 are tried", n)
	}
	p.tries(mostLuck, false)
	if n := p.tries(fewestSkips, false); n != 0 || !p.try() {
		t.Errorf("%d tries in the pause, then %v: after a success the pause is the shortest again", n, p.try())
	}
	p = patience{}
	if n := p.tries(1, true) + p.tries(1, false) + p.tries(fewestSkips, false) + p.tries(1, false); n != 3 {
		t.Errorf("%d tries, want one that helps, one that does not, and one after the shortest pause", n)
	}
}

// Where it never helps it costs next to nothing.
func TestPatienceEndsWhereYieldsDoNotHelp(t *testing.T) {
	var p patience
	const waits = 100_000
	if n := p.tries(waits, false); n > 20+waits/mostSkips {
		t.Errorf("%d of %d waits begin with yields that never help", n, waits)
	}
}
