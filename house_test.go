package tinyactor_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// promised are the two commands that the README promises and CI runs first.
var promised = []string{
	"go run ./examples/service -demo 10s",
	"go test work",
}

// TestNoRequirements keeps the promise that importing the library imports
// nothing else: the root module requires, replaces and ignores nothing.
func TestNoRequirements(t *testing.T) {
	want := []string{"module tinyactor", "go 1.26"}
	if got := statements(t, "go.mod"); !slices.Equal(got, want) {
		t.Errorf("go.mod has the statements %q, want %q", got, want)
	}
	if _, err := os.Stat("go.sum"); err == nil {
		t.Error("there is a go.sum, so the root module has got a dependency")
	}
}

// TestWorkspace checks that go test work is a test of everything: every module
// is in the workspace, but tools, which nobody imports and which pins
// versions of its own.
func TestWorkspace(t *testing.T) {
	work := strings.Join(statements(t, "go.work"), "\n")
	if !strings.HasPrefix(work, "go 1.26.0\n") { // as the dependencies of telemetry write it
		t.Errorf("go.work does not begin with the Go version of go.mod:\n%s", work)
	}
	var listed []string
	for field := range strings.FieldsSeq(work) {
		if field == "." || strings.HasPrefix(field, "./") {
			listed = append(listed, filepath.ToSlash(filepath.Clean(field)))
		}
	}
	for _, file := range files(t, "go.mod") {
		dir := filepath.ToSlash(filepath.Dir(file))
		if dir != "tools" && !slices.Contains(listed, dir) {
			t.Errorf("go.work does not use module %s", dir)
		}
	}
}

// TestNoPrograms: what is in the repository was written, not built: go build in the
// folder of a program leaves that there, and git add takes it along.
func TestNoPrograms(t *testing.T) {
	tracked, err := exec.Command("git", "ls-files", "-z").Output()
	if err != nil {
		t.Skip("this is not a git repository: ", err)
	}
	for file := range strings.SplitSeq(strings.TrimSuffix(string(tracked), "\x00"), "\x00") {
		if info, err := os.Lstat(file); err == nil && info.Size() > 1<<20 {
			t.Errorf("%s has %d bytes", file, info.Size())
		}
	}
}

func TestPromisedCommands(t *testing.T) {
	readme := strings.Split(read(t, "README.md"), "\n")
	ci := read(t, ".ci/run")
	for _, command := range promised {
		if !slices.Contains(readme, command) {
			t.Errorf("README.md has no line %q", command)
		}
		if stage := fmt.Sprintf("stage '%s' %s\n", command, command); !strings.Contains(ci, stage) {
			t.Errorf(".ci/run does not run %q as it stands in the README", command)
		}
	}
}

// TestReadmeProgram runs the programs of the README. A comment at the end of a
// line that prints is what it must print.
func TestReadmeProgram(t *testing.T) {
	for i, block := range goBlocks(read(t, "README.md")) {
		var want strings.Builder
		for line := range strings.Lines(block) {
			if _, comment, ok := strings.Cut(line, ") // "); ok && strings.Contains(line, "fmt.Print") {
				want.WriteString(comment)
			}
		}
		file := filepath.Join(t.TempDir(), "main.go")
		if err := os.WriteFile(file, []byte(block), 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := exec.CommandContext(t.Context(), "go", "run", file).CombinedOutput()
		if err != nil {
			t.Errorf("program %d: %v\n%s", i, err, got)
		} else if string(got) != want.String() {
			t.Errorf("program %d prints %q, and its comments say %q", i, got, want.String())
		}
	}
}

// TestImports keeps the arrows between packages pointing down, so that
// whoever imports one gets nothing from above it, and no package of the
// library anything but the standard library.
func TestImports(t *testing.T) {
	allowed := map[string][]string{
		"actor":            {"internal/"},
		"internal/mailbox": {"internal/sched"},
		"internal/hold":    {},
		"internal/inspect": {},
		"internal/remote":  {},
		"internal/sched":   {"internal/sched/explore"},
		"supervisor":       {"actor", "internal/"},
		"observer":         {"actor", "supervisor", "internal/hold", "internal/inspect"},
		"internal/tally":   {"observer"},
		"actortest":        {"actor", "internal/"},
	}
	for _, file := range files(t, ".go") {
		dir := filepath.ToSlash(filepath.Dir(file))
		below, ok := allowed[dir]
		if !ok || strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			root, _, _ := strings.Cut(path, "/")
			local, inModule := strings.CutPrefix(path, "tinyactor/")
			switch {
			case inModule && !slices.ContainsFunc(below, func(b string) bool {
				return local == b || strings.HasSuffix(b, "/") && strings.HasPrefix(local, b)
			}):
				t.Errorf("%s imports %s, which is not below it", file, path)
			case !inModule && strings.Contains(root, "."):
				t.Errorf("%s imports %s, which is not of the standard library", file, path)
			}
		}
	}
}

// read returns the text of a file of the house.
func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// statements returns the lines of a go.mod or go.work that say something.
func statements(t *testing.T, file string) []string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(read(t, file)) {
		line, _, _ = strings.Cut(line, "//")
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// files returns the regular files below the root whose path ends with suffix,
// but for what stands in hidden folders and in testdata.
func files(t *testing.T, suffix string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.Type().IsRegular() && strings.HasSuffix(path, suffix):
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// goBlocks returns the Go programs among the code blocks of a Markdown text.
func goBlocks(text string) []string {
	var blocks []string
	for {
		_, rest, found := strings.Cut(text, "```go\n")
		if !found {
			return blocks
		}
		block, after, _ := strings.Cut(rest, "\n```")
		if strings.HasPrefix(block, "package main\n") {
			blocks = append(blocks, block+"\n")
		}
		text = after
	}
}

// What does not go through internal/sched, the model checker does not see. In
// mailbox and actor only closing a channel, and a signal that need not be taken,
// may do without: both happen under a lock.
func TestOnlySchedSchedules(t *testing.T) {
	calls := []string{
		"time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "time.AfterFunc", "time.NewTimer", "time.NewTicker", "time.Tick",
		"runtime.Gosched", "runtime.Goexit", "runtime.AddCleanup", "runtime.SetFinalizer", "context.AfterFunc", "weak.Make",
	}
	allowed := []string{
		"actor/reach.go: time.Now",                 // asks what kind of clock there is
		"internal/mailbox/receiver.go: SelectStmt", // signal, under the lock
		"internal/mailbox/receiver.go: SendStmt",
	}
	for _, file := range files(t, ".go") {
		dir := filepath.ToSlash(filepath.Dir(file))
		if dir != "actor" && dir != "internal/mailbox" || strings.HasSuffix(file, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		found := func(at ast.Node, what string) {
			if what = filepath.ToSlash(file) + ": " + what; !slices.Contains(allowed, what) {
				t.Errorf("%s, in line %d", what, set.Position(at.Pos()).Line)
			}
		}
		for _, spec := range parsed.Imports {
			if slices.Contains([]string{`"sync"`, `"sync/atomic"`, `"weak"`}, spec.Path.Value) {
				found(spec, spec.Path.Value)
			}
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt, *ast.SelectStmt, *ast.SendStmt:
				found(n, strings.TrimPrefix(fmt.Sprintf("%T", n), "*ast."))
			case *ast.UnaryExpr:
				if n.Op == token.ARROW {
					found(n, "receive")
				}
			case *ast.SelectorExpr:
				if pkg, ok := n.X.(*ast.Ident); ok && slices.Contains(calls, pkg.Name+"."+n.Sel.Name) {
					found(n, pkg.Name+"."+n.Sel.Name)
				}
			}
			return true
		})
	}
}
