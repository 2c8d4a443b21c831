package mutants

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is that of the repository.
const root = "../.."

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTable checks, without building anything, that each mutant can be made and
// that its killers exist and look at no source text.
func TestTable(t *testing.T) {
	wellFormed := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	all := All()
	count := make(map[string]int)
	seen := make(map[string]bool)
	for i := range all {
		m := &all[i]
		count[m.Group]++
		if seen[m.Name] || !wellFormed.MatchString(m.Name) {
			t.Errorf("%q is no good name, or not the only one", m.Name)
		}
		seen[m.Name] = true
		if m.Breaks == "" || strings.ContainsAny(m.Breaks, "|\n") || strings.HasSuffix(m.Breaks, ".") {
			t.Errorf("%s: what it breaks must be a sentence for a table: %q", m.Name, m.Breaks)
		}
		if _, err := m.Apply(read(t, m.File)); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		if (m.By == "") == (m.Scenario == "") {
			t.Errorf("%s wants either tests or a scenario", m.Name)
		}
	}
	if len(all) < 30 || count[Mailbox]+count[Actor] < 15 || count[Supervisor] < 10 {
		t.Errorf("there are %v mutants: too few", count)
	}
	for _, suite := range suites(all) {
		if suite != modelSuite {
			checkKillers(t, suite, all)
		}
	}
}

// checkKillers checks the tests of one suite that the mutants name.
func checkKillers(t *testing.T, suite string, all []Mutant) {
	t.Helper()
	blind, err := sourceReaders(filepath.Join(root, suite))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, suite, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(data)
	}
	for i := range all {
		m := &all[i]
		if m.suite() != suite {
			continue
		}
		for _, test := range m.tests() {
			switch {
			case slices.Contains(blind, test):
				t.Errorf("%s: %s reads source text", m.Name, test)
			case !strings.Contains(text.String(), "\nfunc "+test+"(t *testing.T) {\n"):
				t.Errorf("%s: %s has no %s", m.Name, suite, test)
			}
		}
	}
}

// TestDocument checks that docs/mutants.md has all mutants, each killed by one
// who is named for it.
func TestDocument(t *testing.T) {
	row := regexp.MustCompile(`(?m)^\| ([a-z0-9-]+) \| (\w+) \| ([^|]+) \| ((?:model: .*?)|\w+)(?: \(hangs\))? \| [0-9.]+ \|$`)
	rows := make(map[string][]string)
	// A scenario's name has bars in it, which a table wants with a backslash.
	for _, r := range row.FindAllStringSubmatch(read(t, "docs/mutants.md"), -1) {
		rows[r[1]] = r[2:]
	}
	all := All()
	for i := range all {
		m := &all[i]
		r := rows[m.Name]
		delete(rows, m.Name)
		if r == nil {
			t.Errorf("docs/mutants.md has no %s: make mutants", m.Name)
			continue
		}
		by := strings.ReplaceAll(r[2], `\|`, "|")
		if r[0] != m.Group || r[1] != m.Breaks || !slices.Contains(m.tests(), by) && by != "model: "+m.Scenario {
			t.Errorf("docs/mutants.md says of %s: %q", m.Name, r)
		}
	}
	for name := range rows {
		t.Errorf("docs/mutants.md has %s, which does not exist", name)
	}
}

// TestKiller checks what counts as a word of a test.
func TestKiller(t *testing.T) {
	const hang = "=== RUN   TestA\npanic: test timed out after 1s\n\trunning tests:\n\t\tTestA (1s)\n\t\tTestA/sub (1s)\n\ngoroutine 1:\n"
	for _, c := range []struct {
		out, test string
		hung      bool
	}{
		{"=== RUN   TestA\n--- PASS: TestA (0.00s)\nPASS\n", "", false},
		{"=== RUN   TestA\n    a_test.go:1: no\n--- FAIL: TestA (0.00s)\nFAIL\n", "TestA", false},
		{"--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/sub (0.00s)\npanic: no [recovered]\n", "TestA", false},
		{"    --- FAIL: TestA/sub (0.00s)\npanic: no\n", "TestA", false},
		{"--- FAIL: TestOther (0.00s)\nFAIL\n", "", false},
		{"--- FAIL: TestAB (0.00s)\nFAIL\n", "", false},
		{"=== RUN   TestA\npanic: on another goroutine\n", "", false},
		{"=== RUN   TestA\nfatal error: all goroutines are asleep - deadlock!\n", "", false},
		{hang, "TestA", true},
		{strings.ReplaceAll(hang, "TestA", "TestOther"), "", false},
	} {
		if test, hung := killer(c.out, []string{"TestA", "TestB"}); test != c.test || hung != c.hung {
			t.Errorf("the killer is %q (hung %v), want %q (%v), in:\n%s", test, hung, c.test, c.hung, c.out)
		}
	}
}
