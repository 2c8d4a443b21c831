package linear

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"
)

// Violation is a history that no sequential queue could have gone through, or in
// which somebody slept for nothing.
type Violation struct {
	Number uint64 // of the history
	text   string
	of     *history // nil if it did not end
}

func (h *history) violation(cfg Config) *Violation {
	what := "is not linearizable"
	if h.sleeper != "" {
		what = "is stuck: " + h.sleeper
	}
	return &Violation{h.number, h.text(cfg, what), h}
}

// String is the history, to read.
func (v *Violation) String() string { return v.text }

// Draw has porcupine draw the history into a temporary file, whose name it returns.
func (v *Violation) Draw() (string, error) {
	if v.of == nil {
		return "", errors.New("a history that has not ended cannot be drawn")
	}
	_, info := porcupine.CheckOperationsVerbose(v.of.start.model(), v.of.operations(), checkTime)
	f, err := os.CreateTemp("", "linear-*.html")
	if err != nil {
		return "", err
	}
	err = porcupine.Visualize(v.of.start.model(), info, f)
	return f.Name(), errors.Join(err, f.Close())
}

// hang is a violation that did not end. Its clients may still be at work, so all
// that can be told is what they were to do.
func (h *history) hang(cfg Config) *Violation {
	return &Violation{Number: h.number, text: h.title(cfg, "does not end") + h.program()}
}

func (h *history) title(cfg Config, what string) string {
	return fmt.Sprintf("history %d of seed %d with GOMAXPROCS %d %s\npolicy %+v, at the start %v, receivers %v\n",
		h.number, cfg.Seed, cfg.Procs, what, h.policy, &h.start, h.start.joined)
}

// text shows the operations in the order of their calls, each with its time.
func (h *history) text(cfg Config, what string) string {
	var all []*Op
	for c := range h.clients {
		for i := range h.logs[c] {
			all = append(all, &h.logs[c][i])
		}
	}
	slices.SortStableFunc(all, func(a, b *Op) int { return cmp.Compare(a.Call, b.Call) })
	var b strings.Builder
	b.WriteString(h.title(cfg, what))
	for _, op := range all {
		bar := strings.Repeat(" ", int(op.Call)) + strings.Repeat("=", int(op.Return-op.Call)+1)
		fmt.Fprintf(&b, "%3d to %3d  client %d  %-40v |%s\n", op.Call, op.Return, op.Client, op, bar)
	}
	return b.String()
}

// program shows what the clients were to do.
func (h *history) program() string {
	var b strings.Builder
	for c, steps := range h.clients {
		fmt.Fprintf(&b, "client %d:", c)
		for _, s := range steps {
			if s.cancel != nil {
				b.WriteString(" cancel")
			} else {
				fmt.Fprintf(&b, " %v%v", s.kind, s.msgs)
			}
		}
		b.WriteString("\n")
	}
	return b.String() + fmt.Sprintf("and then %v\n", h.end)
}

func (s seats) String() string {
	var all []int
	for i := range mostSeats {
		if s>>i&1 != 0 {
			all = append(all, i)
		}
	}
	return fmt.Sprint(all)
}
