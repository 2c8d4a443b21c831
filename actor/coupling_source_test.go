package actor_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tinyactor/actor"
)

// rxSources parses the non-test files of a package.
func rxSources(t *testing.T, dir string) map[string]*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]*ast.File)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		if files[name], err = parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution); err != nil {
			t.Fatal(err)
		}
	}
	if len(files) == 0 {
		t.Fatalf("no sources in %s", dir)
	}
	return files
}

// Only the functions that spawn make an inbox or one of the handles of an
// actor, and nobody else can fill one in.
func TestC1OnlySpawnMakesActors(t *testing.T) {
	coupled := []string{"Inbox", "Address", "Child", "Pool"}
	var makers []string
	for _, file := range rxSources(t, ".") {
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !f.Name.IsExported() || f.Type.Results == nil {
				continue
			}
			ast.Inspect(f.Type.Results, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && slices.Contains(coupled, id.Name) && !slices.Contains(makers, f.Name.Name) {
					// What NoValue makes takes an inbox and does not give one.
					if f.Name.Name != "NoValue" {
						makers = append(makers, f.Name.Name)
					}
				}
				return true
			})
		}
	}
	slices.Sort(makers)
	if want := []string{"Spawn", "SpawnPool", "SpawnValue"}; !slices.Equal(makers, want) {
		t.Errorf("%v return an inbox or a handle, want only %v", makers, want)
	}
	for _, of := range []reflect.Type{
		reflect.TypeFor[actor.Inbox[int]](), reflect.TypeFor[actor.Address[int]](),
		reflect.TypeFor[actor.Child[int, int]](), reflect.TypeFor[actor.Pool[int, int]](),
	} {
		for f := range of.Fields() {
			if f.IsExported() {
				t.Errorf("%v has the exported field %s", of, f.Name)
			}
		}
	}
}

// The package in testdata copies what must not be copied.
func TestC3VetReportsCopies(t *testing.T) {
	const file = "testdata/copies/copies.go"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out, _ := exec.CommandContext(t.Context(), "go", "vet", "./testdata/copies").CombinedOutput()
	for i, line := range strings.Split(string(text), "\n") {
		reported := bytes.Contains(out, fmt.Appendf(nil, "copies.go:%d:", i+1))
		if reported != strings.HasSuffix(line, "// copy") {
			t.Errorf("%s:%d: %s\nreported as a copy: %v", file, i+1, line, reported)
		}
	}
	if t.Failed() {
		t.Logf("go vet says:\n%s", out)
	}
}

// Package actor stands on the standard library and internal/, the mailbox on
// the standard library and internal/sched, and on nothing that knows of contexts.
func TestE3Imports(t *testing.T) {
	for dir, c := range map[string]struct {
		internal string // the packages of this program that it may import
		without  []string
	}{
		".":                   {"tinyactor/internal/", []string{"C"}},
		"../internal/mailbox": {"tinyactor/internal/sched", []string{"C", "context", "log", "log/slog"}},
	} {
		for name, file := range rxSources(t, dir) {
			for _, spec := range file.Imports {
				path, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				root, _, _ := strings.Cut(path, "/")
				standard := !strings.Contains(root, ".") && root != "tinyactor"
				internal := strings.HasPrefix(path, c.internal)
				if !standard && !internal || slices.Contains(c.without, path) {
					t.Errorf("%s imports %s", name, path)
				}
			}
		}
	}
}

// No linkname, and of package unsafe what is no more than a question to the
// compiler.
func TestE2NothingUnsafe(t *testing.T) {
	for _, dir := range []string{".", "../internal/mailbox"} {
		for name, file := range rxSources(t, dir) {
			for _, group := range file.Comments {
				for _, c := range group.List {
					if strings.HasPrefix(c.Text, "//go:linkname") {
						t.Errorf("%s has a linkname", name)
					}
				}
			}
			ast.Inspect(file, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if id, ok := sel.X.(*ast.Ident); ok && id.Name == "unsafe" && sel.Sel.Name != "Sizeof" {
					t.Errorf("%s uses unsafe.%s", name, sel.Sel.Name)
				}
				return true
			})
		}
	}
}
