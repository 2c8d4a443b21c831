package mutants

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// library is a small repository to be broken.
var library = map[string]string{
	"go.mod":      "module small\n\ngo 1.26\n",
	"bin/garbage": "not to be copied",
	"lib/lib.go": `package lib

func Double(n int) int { return 2 * n }

func Unused() int { return 1 }
`,
	"lib/lib_test.go": `package lib

import (
	"os"
	"testing"
)

func TestDouble(t *testing.T) {
	if n := Double(4); n != 8 {
		t.Error(n)
	}
}

func TestReads(t *testing.T) {
	if _, err := os.ReadFile("lib.go"); err != nil {
		t.Error(err)
	}
}

func TestSkipped(t *testing.T) { t.Skip() }
`,
}

func newLibraryLab(t *testing.T) *Lab {
	t.Helper()
	from := t.TempDir()
	for name, text := range library {
		file := filepath.Join(from, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	lab, err := NewLab(from, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(lab.dir, "bin")); err == nil {
		t.Error("bin was copied")
	}
	return lab
}

// small returns a mutant of the small library.
func small(from, into string) Mutant {
	return Mutant{Name: "small", File: "lib/lib.go", From: from, Into: into, By: "TestDouble", Watchdog: time.Second}
}

// TestTry checks every fate that a mutant can have.
func TestTry(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles for seconds")
	}
	lab := newLibraryLab(t)
	for _, c := range []struct {
		from, into string
		by, why    string // why: how it begins
		hung       bool
	}{
		{from: "2 * n", into: "3 * n", by: "TestDouble"},
		{from: "2 * n", into: `func() int { panic("no") }()`, by: "TestDouble"},
		{from: "2 * n", into: "func() int { for n > 0 {}; return n }()", by: "TestDouble", hung: true},
		{from: "return 1", into: "return 2", why: "survives"},
		{from: "2 * n", into: "two * n", why: "does not compile: "},
		{from: "return", into: "return", why: "does not apply: "},
		{from: "4 * n", into: "n", why: "does not apply: "},
		{from: "2 * n", into: `func() int { go func() { panic("no") }(); select {} }()`, why: "ends without a test that says so: "},
	} {
		r := lab.Try(t.Context(), small(c.from, c.into))
		if r.KilledBy != c.by || r.Hung != c.hung || (r.Why == "") != (c.why == "") || !strings.HasPrefix(r.Why, c.why) {
			t.Errorf("with %q for %q it is killed by %q (hung %v), not killed because of %q; want %q (%v), %q",
				c.into, c.from, r.KilledBy, r.Hung, r.Why, c.by, c.hung, c.why)
		}
	}
}

// TestBaseline checks what is asked of the unmutated tests.
func TestBaseline(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles for seconds")
	}
	lab := newLibraryLab(t)
	for by, want := range map[string]string{
		"TestDouble":           "",
		"TestDouble TestReads": "reads source text",
		"TestSkipped":          "or it is skipped",
		"TestNothing":          "has no TestNothing",
		"":                     "says not who",
	} {
		m := small("2 * n", "3 * n")
		m.By = by
		err := lab.Baseline(t.Context(), []Mutant{m}, t.Logf)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("with %q for a killer the baseline says %v, want %q", by, err, want)
		}
	}
}

// TestUnneeded checks which test files of a package are left out.
func TestUnneeded(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a_test.go":       "package p\nfunc TestA(t *T) { help(); q.extra() }\n",
		"help_test.go":    "package p\nfunc help() { var _ thing }\n",
		"thing_test.go":   "package p\ntype thing struct{}\n",
		"methods_test.go": "package p\nfunc (t *thing) ofThing() {}\n",
		"extra_test.go":   "package p\nfunc (q *Queue[M]) extra() {}\n",
		"main_test.go":    "package p\nfunc TestMain(m *M) {}\n",
		"b_test.go":       "package p\ntype own struct{}\nfunc (own) extra() {}\nfunc TestB(t *T) { help() }\n",
		"other_test.go":   "package p_test\nfunc help() {}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	rest, err := unneeded(dir, []string{"TestA"})
	for i := range rest {
		rest[i] = filepath.Base(rest[i])
	}
	if want := []string{"b_test.go", "other_test.go"}; err != nil || !slices.Equal(rest, want) {
		t.Errorf("%v are left out, want %v; %v", rest, want, err)
	}
}
