package actor_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEveryNameIsInAnExample checks that each exported top-level name of the
// package is used in a file with an Example, or in a program under examples.
func TestEveryNameIsInAnExample(t *testing.T) {
	used := make(map[string]bool)
	for _, file := range parseFiles(t, "example_*_test.go") {
		if hasExample(file) {
			addUses(used, file)
		}
	}
	for _, file := range parseFiles(t, "../examples/*/*.go") {
		addUses(used, file)
	}
	names := make(map[string]bool)
	for path, file := range parseFiles(t, "*.go") {
		if !strings.HasSuffix(path, "_test.go") {
			addTopLevel(names, file)
		}
	}
	if len(names) < 30 {
		t.Fatalf("only %d names were found: %v", len(names), slices.Sorted(maps.Keys(names)))
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !used[name] {
			t.Errorf("no Example uses actor.%s", name)
		}
	}
}

// parseFiles parses the Go files that match pattern.
func parseFiles(t *testing.T, pattern string) map[string]*ast.File {
	t.Helper()
	paths, err := filepath.Glob(filepath.FromSlash(pattern))
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]*ast.File)
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files[path] = file
	}
	if len(files) == 0 {
		t.Fatalf("no file matches %s", pattern)
	}
	return files
}

// hasExample reports whether a file has an Example function.
func hasExample(file *ast.File) bool {
	return slices.ContainsFunc(file.Decls, func(decl ast.Decl) bool {
		f, ok := decl.(*ast.FuncDecl)
		return ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Example")
	})
}

// addUses adds each X that stands in a file as actor.X.
func addUses(used map[string]bool, file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if pkg, ok := s.X.(*ast.Ident); ok && pkg.Name == "actor" {
				used[s.Sel.Name] = true
			}
		}
		return true
	})
}

// addTopLevel adds the exported names that a file declares at its top level.
func addTopLevel(names map[string]bool, file *ast.File) {
	add := func(ids ...*ast.Ident) {
		for _, id := range ids {
			if id.IsExported() {
				names[id.Name] = true
			}
		}
	}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				add(d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					add(s.Name)
				case *ast.ValueSpec:
					add(s.Names...)
				}
			}
		}
	}
}
