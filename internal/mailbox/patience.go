package mailbox

// patience learns whether it pays to let other goroutines run before sleeping.
// Where messages come at once, as between two who answer each other, a receiver
// that yields saves falling asleep and being woken; where they take long, it
// yields for nothing. So it yields as long as that helps, and otherwise tries
// again after a pause that grows with every failure.
type patience struct {
	luck  int8
	skip  uint16 // how many waits until the next try
	pause uint16 // how many there were before
}

// The numbers are measured: ping-pong always gains, a ring of a thousand never.
const (
	yields      = 2 // that a receiver tries before it sleeps
	mostLuck    = 4 // failures in a row that end a lucky streak
	fewestSkips = 8
	mostSkips   = 1024
)

// try reports whether to yield before this wait.
func (p *patience) try() bool {
	if p.luck > 0 {
		return true
	}
	if p.skip > 0 {
		p.skip--
		return false
	}
	return true
}

// learn notes whether it helped.
func (p *patience) learn(helped bool) {
	if helped {
		p.luck, p.pause = min(p.luck+1, mostLuck), 0
		return
	}
	if p.luck > 0 {
		p.luck--
	}
	if p.luck == 0 {
		p.pause = min(max(fewestSkips, 2*p.pause), mostSkips)
		p.skip = p.pause
	}
}
