package supervisor

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"

	"tinyactor/actor"
	"tinyactor/internal/hold"
)

// workerLife is what a Worker has beside its fields.
type workerLife[M any] struct {
	once  sync.Once
	cell  cell
	label string // name of the actor, if the worker has none
	addr  *actor.Address[M]
	run   atomic.Pointer[func(context.Context, *actor.Inbox[M]) error] // instead of Worker.Run, after a Replace
}

// Address returns the worker's address. It is the same from the first call on,
// whatever happens to the worker: it works before the tree is started, and what
// is sent while the worker is down waits in the inbox. It closes when the worker
// has ended for good. The fields of w must not be changed after this call.
func (w *Worker[M]) Address() *actor.Address[M] {
	w.open()
	return w.life.addr
}

// open makes the channel at the first call.
func (w *Worker[M]) open() *cell {
	w.life.once.Do(func() {
		h := &w.life.cell.hold
		h.Owner, h.Fresh = &w.life.cell, w.Fresh
		if w.OnCrash != nil {
			h.OnCrash = func(msg any, cause error) {
				if kindOf(cause, true).abnormal() {
					w.OnCrash(msg.(M), cause)
				}
			}
		}
		cfg := actor.Config{Name: cmp.Or(w.Name, w.life.label), Capacity: w.Capacity}
		if w.Undelivered != nil {
			cfg.Undelivered = func(msg any) { w.Undelivered(msg.(M)) }
		}
		_, w.life.addr = actor.Spawn(&hold.Context{Context: context.Background(), Hold: h}, cfg, w.body)
		w.life.cell.ref = w.life.addr
	})
	return &w.life.cell
}

// body is what each process runs.
func (w *Worker[M]) body(ctx context.Context, in *actor.Inbox[M]) error {
	if run := w.life.run.Load(); run != nil {
		return (*run)(ctx, in)
	}
	return w.Run(ctx, in)
}

// supervisorLife is what a Spec or Dynamic has beside its fields.
type supervisorLife struct {
	once sync.Once
	cell cell
}

// open makes the channel at the first call.
func (s *Spec) open() *cell {
	return s.life.open(func() *Supervisor {
		return &Supervisor{
			name: s.Name,
			auto: s.AutoShutdown,
			cfg:  config{strategy: s.Strategy, limit: s.Limit.orDefault(), auto: s.AutoShutdown},
			kids: s.Children,
		}
	})
}

// open makes the channel at the first call.
func (d *Dynamic[A, M]) open() *cell {
	return d.life.open(func() *Supervisor {
		return &Supervisor{
			name: d.Name,
			cfg:  config{limit: d.Limit.orDefault(), dynamic: true, max: d.Max},
		}
	})
}

// open makes the channel of a supervisor below another one, at the first call.
// Nothing is ever sent there: its processes are the supervisor's incarnations.
func (l *supervisorLife) open(make func() *Supervisor) *cell {
	l.once.Do(func() {
		s := make()
		h := &l.cell.hold
		h.Owner, h.Supervisor = &l.cell, true
		_, addr := actor.Spawn(&hold.Context{Context: context.Background(), Hold: h},
			actor.Config{Name: s.name, Capacity: actor.Unbounded()}, s.run)
		s.Ref, s.wait, s.cell = addr, addr.Wait, &l.cell
		l.cell.ref, l.cell.sup = addr, s
	})
	return &l.cell
}

func (w *Worker[M]) cellOf() *cell     { return &w.life.cell }
func (s *Spec) cellOf() *cell          { return &s.life.cell }
func (d *Dynamic[A, M]) cellOf() *cell { return &d.life.cell }
