package linear

import (
	"slices"

	"tinyactor/internal/mailbox"
)

// leaving is when a message left the queue: within the interval, and if others
// left in the same one, in this turn.
type leaving struct {
	m               msg
	earliest, until int64
	turn            int
}

// prepare notes in the operations what the model must know of the others.
func (h *history) prepare() {
	h.order()
	if h.policy.Limit > 0 {
		h.queueUp()
	}
}

// queueUp finds the sends that were behind others.
func (h *history) queueUp() {
	var pushes []*Op
	for c := range h.clients {
		for i := range h.logs[c] {
			if op := &h.logs[c][i]; op.Kind == Push {
				pushes = append(pushes, op)
			}
		}
	}
	for c := range h.clients {
		for i := range h.logs[c] {
			op := &h.logs[c][i]
			op.behind = op.Kind.sends() && slices.ContainsFunc(pushes, func(w *Op) bool {
				return w.Client != c && w.Call < op.Return && op.Call < w.Return
			})
		}
	}
}

// order tells each send which messages must not be before its own in the queue,
// because they left it later. The model would find out by itself, when the first
// of them leaves. But until then it would follow all orders in which sends that
// overlap can have happened, and of some histories it would never come to an end.
// This can only make the model refuse more, so it hides nothing.
func (h *history) order() {
	var all []leaving
	for c := range h.clients {
		for i := range h.logs[c] {
			all = append(all, h.logs[c][i].leavings()...)
		}
	}
	var later [mostMessages]set
	for _, a := range all {
		for _, b := range all {
			if a.until < b.earliest || a.earliest == b.earliest && a.turn < b.turn {
				later[a.m&^ticketed] |= b.m.set()
			}
		}
	}
	for c := range h.clients {
		for i := range h.logs[c] {
			if op := &h.logs[c][i]; op.Kind.sends() {
				op.later = later[op.Msg&^ticketed]
			}
		}
	}
}

// leavings returns the messages that left the queue by this operation.
func (op *Op) leavings() (all []leaving) {
	for i := range op.Told {
		for _, l := range op.Told[i].leavings() {
			all = append(all, leaving{l.m, op.Call, op.Return, i})
		}
	}
	switch {
	case op.Kind.receives() && op.Status == mailbox.OK, op.Kind == Take && op.Yes:
		all = append(all, leaving{op.Msg, op.Call, op.Return, op.Part})
	case op.Kind == End:
		for i, m := range op.All {
			all = append(all, leaving{m, op.Call, op.Return, len(op.Told) + i})
		}
	}
	return all
}
