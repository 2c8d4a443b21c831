package mutants

import (
	"fmt"
	"strings"
)

// Killed returns how many mutants were killed.
func Killed(rs []Result) int {
	n := 0
	for i := range rs {
		if rs[i].KilledBy != "" {
			n++
		}
	}
	return n
}

// Line says what became of a mutant.
func (r *Result) Line() string {
	fate := "killed by " + r.KilledBy
	switch {
	case r.KilledBy == "":
		fate = "NOT KILLED: " + r.Why
	case r.Hung:
		fate += ", which hangs"
	}
	return fmt.Sprintf("%5.1f s  %-10s %-44s %s", r.Took.Seconds(), r.Group, r.Name, fate)
}

const header = `# Mutants

What was broken on purpose, and which test noticed. Written by ` + "`make mutants`" + `; see tests/mutants.

A mutant is a change in one place of the library. It counts as killed if the unmutated tests pass, code and tests compile with the change,
and then the test that is named beforehand fails, or hangs and is named by the test binary's own watchdog; or if the scenario of the model
checker that is named beforehand says what is wrong (those begin with "model:"). Tests that read source text do not count. Anything else,
also a crash that no test owns up to, makes ` + "`make mutants`" + ` fail.

`

// Markdown returns docs/mutants.md. All mutants were killed.
func Markdown(rs []Result) string {
	var b strings.Builder
	b.WriteString(header)
	count := make(map[string]int)
	for i := range rs {
		count[rs[i].Group]++
	}
	fmt.Fprintf(&b, "%d of %d killed: %d in the mailbox, %d in package actor, %d in package supervisor. Seconds are those to build the tests with the\n"+
		"change and to run the killer, while others are tried beside it.\n\n", Killed(rs), len(rs), count[Mailbox], count[Actor], count[Supervisor])
	b.WriteString("| mutant | group | what is wrong with it | killed by | seconds |\n|---|---|---|---|--:|\n")
	for i := range rs {
		r := &rs[i]
		by := strings.ReplaceAll(r.KilledBy, "|", `\|`)
		if r.Hung {
			by += " (hangs)"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.1f |\n", r.Name, r.Group, r.Breaks, by, r.Took.Seconds())
	}
	return b.String()
}
