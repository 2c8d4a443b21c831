package supervisor

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// mostProcesses is how many processes a worker may have, as a pool of package
// actor may begin with.
const mostProcesses = 1_000_000

// Validate says what is wrong with a tree: nil, or all faults joined, each with
// the child and the field that it is about. It starts nothing and changes
// nothing; Start does it by itself. What a Dynamic's Template makes is looked at
// when it is made.
func Validate(spec *Spec) error {
	if spec == nil {
		return errors.New("supervisor: the spec is nil")
	}
	k := &checker{path: fmt.Sprintf("supervisor %q", spec.Name), seen: make(map[Child]bool)}
	k.seen[spec] = true
	spec.check(k)
	return errors.Join(k.faults...)
}

// checkAdded is Validate for a child that is added to a supervisor while that
// runs. In a dynamic one it needs no name.
func checkAdded(supervisor string, auto AutoShutdown, dynamic bool, c Child) error {
	quick := checker{quick: true}
	if quick.child(c, "", auto, dynamic); len(quick.faults) == 0 && !isSpec(c) {
		return nil
	}
	k := &checker{path: fmt.Sprintf("supervisor %q", supervisor), seen: make(map[Child]bool)}
	k.child(c, "the new child", auto, dynamic)
	return errors.Join(k.faults...)
}

func isSpec(c Child) bool {
	_, ok := c.(*Spec)
	return ok
}

// checker gathers the faults of a tree.
type checker struct {
	path   string // of what is looked at
	faults []error
	seen   map[Child]bool
	quick  bool // it only matters whether there are faults, and nothing below is looked at
}

var errFault = errors.New("a fault")

// fault notes what is wrong.
func (k *checker) fault(format string, args ...any) {
	if k.quick {
		k.faults = append(k.faults, errFault)
		return
	}
	k.faults = append(k.faults, fmt.Errorf("%s: %s", k.path, fmt.Sprintf(format, args...)))
}

// children looks at the children of a supervisor.
func (k *checker) children(children []Child, auto AutoShutdown) {
	first := make(map[string]int, len(children))
	for i, c := range children {
		place := fmt.Sprintf("Children[%d]", i)
		name := k.child(c, place, auto, false)
		if name == "" {
			continue
		}
		if j, used := first[name]; used {
			k.fault("%s: Name is %q, as that of Children[%d]", place, name, j)
			continue
		}
		first[name] = i
	}
}

// child looks at one child and returns its name.
func (k *checker) child(c Child, place string, auto AutoShutdown, nameless bool) (name string) {
	if c == nil || c.missing() {
		k.fault("%s is nil", place)
		return ""
	}
	p := c.plan()
	if !k.quick {
		above := k.path
		defer func() { k.path = above }()
		k.path += ": " + place
		if p.name != "" {
			k.path = fmt.Sprintf("%s: child %q", above, p.name)
		}
	}
	if p.name == "" && !nameless {
		k.fault("Name is empty")
	}
	if k.seen[c] {
		k.fault("it is in the tree already; a child is for one place")
		return p.name
	}
	if k.seen != nil {
		k.seen[c] = true
	}
	switch {
	case p.significant && p.restart == Permanent:
		k.fault("Significant: a permanent child cannot be significant")
	case p.significant && nameless:
		k.fault("Significant: a child of a Dynamic cannot be significant")
	case p.significant && auto == Never:
		k.fault("Significant: its supervisor's AutoShutdown is Never")
	}
	c.check(k)
	return p.name
}

// missing reports whether the child is a nil pointer.
func (w *Worker[M]) missing() bool     { return w == nil }
func (s *Spec) missing() bool          { return s == nil }
func (d *Dynamic[A, M]) missing() bool { return d == nil }

// check looks at the worker's fields.
func (w *Worker[M]) check(k *checker) {
	if w.Run == nil {
		k.fault("Run is nil")
	}
	if w.Processes < 0 || w.Processes > mostProcesses {
		k.fault("Processes is %d, must be from 0 to %d", w.Processes, mostProcesses)
	}
	if w.Fresh && w.Processes > 1 {
		k.fault("Fresh: its %d processes share one inbox", w.Processes)
	}
	if w.OnStuck > StuckWait {
		k.fault("OnStuck is %v", w.OnStuck)
	}
	k.positive("AwaitStart", w.AwaitStart)
	k.restart(w.Restart)
	k.backoff(w.Backoff)
}

// check looks at the supervisor's fields, and at everything below.
func (s *Spec) check(k *checker) {
	if s.Strategy > RestForOne {
		k.fault("Strategy is %v", s.Strategy)
	}
	if s.AutoShutdown > AllSignificant {
		k.fault("AutoShutdown is %v", s.AutoShutdown)
	}
	k.limit(s.Limit)
	k.restart(s.Restart)
	k.backoff(s.Backoff)
	if !k.quick {
		k.children(s.Children, s.AutoShutdown)
	}
}

// check looks at the supervisor's fields.
func (d *Dynamic[A, M]) check(k *checker) {
	if d.Template == nil {
		k.fault("Template is nil")
	}
	if d.Max < 0 {
		k.fault("Max is %d, must not be negative", d.Max)
	}
	k.limit(d.Limit)
	k.restart(d.Restart)
	k.backoff(d.Backoff)
}

// positive looks at a duration that must not be negative.
func (k *checker) positive(field string, d time.Duration) {
	if d < 0 {
		k.fault("%s is %v, must not be negative", field, d)
	}
}

// restart looks at a Restart.
func (k *checker) restart(r Restart) {
	if r > Temporary {
		k.fault("Restart is %v", r)
	}
}

// limit looks at a Limit.
func (k *checker) limit(l Limit) {
	if l.Restarts < -1 {
		k.fault("Limit.Restarts is %d, must be -1, 0 or more", l.Restarts)
	}
	k.positive("Limit.Period", l.Period)
}

// backoff looks at a Backoff.
func (k *checker) backoff(b Backoff) {
	k.positive("Backoff.Min", b.Min)
	k.positive("Backoff.Max", b.Max)
	k.positive("Backoff.ResetAfter", b.ResetAfter)
	if b.Max > 0 && b.Max < b.Min {
		k.fault("Backoff.Max is %v, shorter than Min, which is %v", b.Max, b.Min)
	}
	if b.Factor != 0 && !(b.Factor >= 1) || math.IsInf(b.Factor, 1) {
		k.fault("Backoff.Factor is %v, must be 0, or at least 1 and finite", b.Factor)
	}
	if !(b.Jitter <= 1) {
		k.fault("Backoff.Jitter is %v, must be at most 1", b.Jitter)
	}
}
