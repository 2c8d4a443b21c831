// Package mutants holds changes that break the library on purpose, and finds out
// whether its tests notice: that measures the tests. See cmd/mutants.
//
// A mutant is killed if the unmutated tests pass, the change can be made in
// exactly one place, code and tests compile with it, and then a test that is
// named beforehand fails, or hangs and is named by the test binary's own
// watchdog. Whatever else happens is a failure: also a crash that no test owns
// up to. Tests that read source text are not asked, since they would notice any
// change.
package mutants

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Mutant is one change and who must notice it.
type Mutant struct {
	Name   string // words joined by hyphens
	Breaks string // what is wrong with it, in one sentence
	File   string // from the root of the repository, with slashes
	From   string // occurs exactly once in File
	Into   string

	// By is who must notice: whole names of tests, separated by spaces. They
	// are in package Pkg, or in that of File if it is empty.
	By  string
	Pkg string
	// Scenario is, if not empty, the one of the model checker that must notice.
	Scenario string
	// Watchdog ends a run in which a test hangs; 0 means a long time.
	Watchdog time.Duration

	Group string // set by All
}

// The groups, in their order.
const (
	Mailbox    = "mailbox"
	Actor      = "actor"
	Supervisor = "supervisor"
)

// All returns all mutants.
func All() []Mutant {
	var all []Mutant
	for _, g := range []struct {
		name    string
		mutants []Mutant
	}{{Mailbox, mailbox}, {Actor, actor}, {Supervisor, supervisor}} {
		for _, m := range g.mutants {
			m.Group = g.name
			all = append(all, m)
		}
	}
	return all
}

// Apply makes the change in the text of the mutant's file.
func (m *Mutant) Apply(text string) (string, error) {
	if n := strings.Count(text, m.From); n != 1 {
		return "", fmt.Errorf("%s has %q %d times, not once", m.File, m.From, n)
	}
	return strings.Replace(text, m.From, m.Into, 1), nil
}

// tests are the names in By.
func (m *Mutant) tests() []string { return strings.Fields(m.By) }

// suite is where the killers are: a folder of the root module.
func (m *Mutant) suite() string {
	switch {
	case m.Scenario != "":
		return modelSuite
	case m.Pkg != "":
		return m.Pkg
	}
	return m.File[:strings.LastIndexByte(m.File, '/')]
}

// modelSuite stands for the scenarios of the model checker.
const modelSuite = "tests/cmd/model"

// suites are those of the mutants, each once.
func suites(ms []Mutant) []string {
	var all []string
	for i := range ms {
		all = append(all, ms[i].suite())
	}
	slices.Sort(all)
	return slices.Compact(all)
}
