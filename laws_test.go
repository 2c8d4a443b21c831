package tinyactor_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var breakLaws = flag.String("break", "", "break each law whose id matches this `regexp` with the change in docs/laws.md, and check that its tests fail")

// laws are the ids of what package actor promises.
var laws = numbered("C", 5, "S", 11, "R", 9, "H", 3, "A", 5, "X", 7, "O", 5, "E", 4)

func numbered(groups ...any) []string {
	var ids []string
	for i := 0; i < len(groups); i += 2 {
		for n := range groups[i+1].(int) {
			ids = append(ids, fmt.Sprintf("%s%d", groups[i], n+1))
		}
	}
	return ids
}

// law is a row of docs/laws.md.
type law struct {
	id         string
	tests      []string
	file       string
	from, into string // the one-line change that breaks the law
}

var lawRow = regexp.MustCompile("^\\| ([A-Z][0-9]+) \\| [^|]+ \\| ([^|]+) \\| (\\S+): `([^`]+)` → `([^`]*)` \\|$")

// readLaws parses docs/laws.md.
func readLaws(t *testing.T) []law {
	t.Helper()
	var rows []law
	for line := range strings.Lines(read(t, "docs/laws.md")) {
		line = strings.TrimSuffix(line, "\n")
		if m := lawRow.FindStringSubmatch(line); m != nil {
			rows = append(rows, law{m[1], strings.Split(m[2], ", "), m[3], m[4], m[5]})
		} else if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| law ") {
			t.Errorf("docs/laws.md: a row that cannot be read: %s", line)
		}
	}
	return rows
}

// TestLaws checks that docs/laws.md has a row for every law, that each test in
// it exists, runs and is not skipped, and that each change can be made. That
// the changes make the tests fail takes minutes: go test -run TestLaws -break .
func TestLaws(t *testing.T) {
	rows := readLaws(t)
	var ids, tests []string
	for _, row := range rows {
		ids = append(ids, row.id)
		tests = append(tests, row.tests...)
		if n := strings.Count(read(t, row.file), row.from); n != 1 {
			t.Errorf("law %s: %s has %q %d times, not once", row.id, row.file, row.from, n)
		}
	}
	for _, id := range laws {
		if !slices.Contains(ids, id) {
			t.Errorf("docs/laws.md has no row for law %s", id)
		}
	}
	for _, id := range ids {
		if !slices.Contains(laws, id) {
			t.Errorf("docs/laws.md has a row for %s, which is no law", id)
		}
	}
	out := runTests(t, ".", tests)
	if strings.Contains(out, "[build failed]") {
		t.Fatalf("the tests do not compile: %s", out)
	}
	for _, test := range tests {
		if !strings.Contains(out, "\n--- PASS: "+test+" ") {
			t.Errorf("docs/laws.md names %s, which does not exist, did not pass, or was skipped", test)
		}
	}
	if t.Failed() && testing.Verbose() {
		t.Log(out)
	}
	if *breakLaws == "" {
		return
	}
	chosen, err := regexp.Compile("^(?:" + *breakLaws + ")$")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if *breakLaws == "." || chosen.MatchString(row.id) {
			t.Run(row.id, row.mustFail)
		}
	}
}

// mustFail makes the law's change in a copy of the library and checks that one
// of its tests fails there.
func (l law) mustFail(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"go.mod", "actor", "internal"} {
		copyTree(t, name, filepath.Join(dir, name))
	}
	file := filepath.Join(dir, l.file)
	changed := strings.Replace(read(t, l.file), l.from, l.into, 1)
	if err := os.WriteFile(file, []byte(changed), 0o666); err != nil {
		t.Fatal(err)
	}
	out := runTests(t, dir, l.tests)
	if strings.Contains(out, "[build failed]") {
		t.Fatalf("the change does not compile: %s", out)
	}
	for _, test := range l.tests {
		if strings.Contains(out, "\n--- FAIL: "+test+" ") || strings.Contains(out, "\npanic: ") {
			return
		}
	}
	t.Errorf("%s: with %q for %q none of %v fails:\n%s", l.file, l.into, l.from, l.tests, out)
}

// runTests runs tests of the core in the module in dir and returns their output.
func runTests(t *testing.T, dir string, tests []string) string {
	t.Helper()
	out, _ := goCommand(dir, "test", "-v", "-vet=off", "-timeout=1m", "-run=^("+strings.Join(tests, "|")+")$", "./actor/...", "./internal/...")
	return "\n" + out
}

func goCommand(dir string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// copyTree copies a file or a folder.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if d.IsDir() {
			return os.MkdirAll(target, 0o777)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o666)
	})
	if err != nil {
		t.Fatal(err)
	}
}
