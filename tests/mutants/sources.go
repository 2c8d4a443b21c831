package mutants

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// readers are the functions by which a test comes to source text, or has other
// programs look at it.
var readers = []string{
	"parser.ParseFile", "parser.ParseDir", "build.Import", "build.ImportDir",
	"os.ReadFile", "os.ReadDir", "os.Open", "os.OpenFile", "os.DirFS", "exec.Command",
	"filepath.Glob", "filepath.Walk", "filepath.WalkDir",
}

// sourceReaders returns the tests in a folder that call one of the readers,
// themselves or through a function of their package's tests. (A test that has
// its own binary run again, with exec.CommandContext, reads nothing.)
func sourceReaders(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return nil, err
	}
	calls := make(map[string][]string) // function: what it names
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("mutants: %w", err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				calls[f.Name.Name] = append(calls[f.Name.Name], named(f)...)
			}
		}
	}
	reads := make(map[string]bool)
	for more := true; more; {
		more = false
		for f, names := range calls {
			if !reads[f] && slices.ContainsFunc(names, func(n string) bool { return reads[n] || slices.Contains(readers, n) }) {
				reads[f], more = true, true
			}
		}
	}
	var tests []string
	for f := range reads {
		if strings.HasPrefix(f, "Test") || strings.HasPrefix(f, "Fuzz") {
			tests = append(tests, f)
		}
	}
	slices.Sort(tests)
	return tests, nil
}

// named returns the names in a function, those of other packages with theirs.
func named(f *ast.FuncDecl) []string {
	var names []string
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if pkg, ok := n.X.(*ast.Ident); ok {
				names = append(names, pkg.Name+"."+n.Sel.Name)
			}
			names = append(names, n.Sel.Name) // a method
		case *ast.Ident:
			names = append(names, n.Name)
		}
		return true
	})
	return names
}
