package linear

import (
	"errors"
	"fmt"
	"strings"

	"tinyactor/internal/mailbox"
)

// Share returns the percentage of histories with three operations at one time.
func (rep *Report) Share() float64 { return 100 * float64(rep.Overlaps) / float64(rep.Histories) }

// Add adds another report to this one.
func (rep *Report) Add(other Report) {
	if rep.Histories == 0 {
		rep.Least = other.Least
	}
	rep.Histories += other.Histories
	rep.Operations += other.Operations
	rep.Least, rep.Most = min(rep.Least, other.Least), max(rep.Most, other.Most)
	rep.Overlaps += other.Overlaps
	rep.Unknown += other.Unknown
	rep.Violations = append(rep.Violations, other.Violations...)
	rep.Ran += other.Ran
	rep.Took += other.Took
	for k := range rep.answers {
		for s, n := range other.answers[k] {
			rep.answers[k][s] += n
		}
	}
}

// Err says what is wrong with the report.
func (rep *Report) Err() error {
	var all []error
	if n := len(rep.Violations); n > 0 {
		all = append(all, fmt.Errorf("%d histories are not linearizable, or stuck", n))
	}
	if rep.Unknown > 0 {
		all = append(all, fmt.Errorf("%d histories took too long to check", rep.Unknown))
	}
	if rep.Share() < 50 {
		all = append(all, fmt.Errorf("only %.1f %% of the histories have three operations at one time", rep.Share()))
	}
	return errors.Join(all...)
}

// possible are the answers that an operation can give.
func possible(k Kind) []mailbox.Status {
	switch {
	case k == Push:
		return []mailbox.Status{mailbox.OK, mailbox.Closed, mailbox.Canceled}
	case k.sends():
		return []mailbox.Status{mailbox.OK, mailbox.Full, mailbox.Closed}
	case k == TryRecv:
		return []mailbox.Status{mailbox.OK, mailbox.Empty, mailbox.Closed, mailbox.Halted, mailbox.Aborted}
	case k.receives():
		return []mailbox.Status{mailbox.OK, mailbox.Closed, mailbox.Halted, mailbox.Aborted, mailbox.Canceled}
	}
	return []mailbox.Status{mailbox.OK} // there is no other, or the answer is no status
}

// Missing returns the answers that no operation gave: with some thousand
// histories, there is none.
func (rep *Report) Missing() (all []string) {
	for k := Put; k < kinds; k++ {
		for _, s := range possible(k) {
			if rep.answers[k][s] == 0 {
				all = append(all, fmt.Sprintf("%v %s", k, statusNames[s]))
			}
		}
	}
	return all
}

// Table says how often each operation gave each answer.
func (rep *Report) Table() string {
	var b strings.Builder
	for k := Put; k < kinds; k++ {
		fmt.Fprintf(&b, "  %-10v", k)
		for _, s := range possible(k) {
			name := statusNames[s]
			if len(possible(k)) == 1 {
				name = ""
			}
			fmt.Fprintf(&b, "%10d %-9s", rep.answers[k][s], name)
		}
		b.WriteString("\n")
	}
	return b.String()
}
