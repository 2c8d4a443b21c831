package mutants

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
)

// testFile is what a test file declares for, and uses of, its package.
type testFile struct {
	name, pkg string
	declares  map[string]bool     // functions, types, variables, constants
	methods   map[string][]string // of each type that it declares some of
	uses      map[string]bool
}

// unneeded returns the test files of a folder that some of its tests do without:
// to compile all of a package's tests takes many times as long as to compile
// one of them. A file is needed if it declares something that a needed one
// mentions, or a method of a type that a needed one declares, or a method that a
// needed one calls of a type that is declared elsewhere.
func unneeded(dir string, tests []string) ([]string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return nil, err
	}
	var files []*testFile
	needed := make(map[*testFile]bool)
	for _, name := range names {
		f, err := readTestFile(name)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
		needed[f] = f.declares["TestMain"]
		for _, t := range tests {
			needed[f] = needed[f] || f.declares[t]
		}
	}
	for more := true; more; {
		more = false
		for _, f := range files {
			for _, g := range files {
				if !needed[f] && needed[g] && f.pkg == g.pkg && f.servesTo(g) {
					needed[f], more = true, true
				}
			}
		}
	}
	var rest []string
	for _, f := range files {
		if !needed[f] {
			rest = append(rest, f.name)
		}
	}
	return rest, nil
}

func (f *testFile) servesTo(g *testFile) bool {
	for name := range f.declares {
		if g.uses[name] {
			return true
		}
	}
	for of, methods := range f.methods {
		if g.declares[of] {
			return true
		}
		// It may be a type of the library.
		if !f.declares[of] && slices.ContainsFunc(methods, func(m string) bool { return g.uses[m] }) {
			return true
		}
	}
	return false
}

func readTestFile(name string) (*testFile, error) {
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("mutants: %w", err)
	}
	f := &testFile{name, file.Name.Name, map[string]bool{}, map[string][]string{}, map[string]bool{}}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				f.declares[d.Name.Name] = true
			} else {
				of := receiver(d)
				f.methods[of] = append(f.methods[of], d.Name.Name)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					f.declares[s.Name.Name] = true
				case *ast.ValueSpec:
					for _, n := range s.Names {
						f.declares[n.Name] = true
					}
				}
			}
		}
	}
	delete(f.declares, "_")
	ast.Inspect(file, func(n ast.Node) bool {
		if n, ok := n.(*ast.Ident); ok {
			f.uses[n.Name] = true
		}
		return true
	})
	return f, nil
}

// receiver returns the name of the type that a method is of.
func receiver(d *ast.FuncDecl) (name string) {
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name
		}
		return true
	})
	return name
}
