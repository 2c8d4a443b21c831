package mutants

import (
	"regexp"
	"slices"
	"time"
)

// Result is what became of a mutant.
type Result struct {
	Mutant
	KilledBy string        // the test, or the scenario of the model checker; empty: not killed
	Hung     bool          // it did not fail, but the watchdog named it
	Why      string        // why it counts as not killed
	Took     time.Duration // to build it and to run the tests
}

var (
	failLine    = regexp.MustCompile(`(?m)^ *--- FAIL: ([^\s/]+)`)
	timeoutText = regexp.MustCompile(`(?m)^panic: test timed out after .*\n\trunning tests:\n((?:\t\t.+\n)+)`)
	runningTest = regexp.MustCompile(`(?m)^\t\t([^\s/]+)`)
	passLine    = regexp.MustCompile(`(?m)^--- PASS: (\S+) `)
)

// killer returns which of the tests the output of a test binary says has failed
// or, if the watchdog ended the run, was hanging. It is empty if it names none.
func killer(out string, tests []string) (test string, hung bool) {
	for _, m := range failLine.FindAllStringSubmatch(out, -1) {
		if slices.Contains(tests, m[1]) {
			return m[1], false
		}
	}
	if m := timeoutText.FindStringSubmatch(out); m != nil {
		for _, r := range runningTest.FindAllStringSubmatch(m[1], -1) {
			if slices.Contains(tests, r[1]) {
				return r[1], true
			}
		}
	}
	return "", false
}

// passed returns the tests that the output of a test binary, run with -test.v,
// says have passed.
func passed(out string) []string {
	var tests []string
	for _, m := range passLine.FindAllStringSubmatch(out, -1) {
		tests = append(tests, m[1])
	}
	return tests
}
