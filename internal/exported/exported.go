// Package exported compares the exported names of a package with a golden file.
// It is for tests.
package exported

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

// Compare fails the test if the exported names of the package in the working
// directory and their signatures are not those in api.txt, so that no change of
// them goes unnoticed. update writes the file instead. path is that of the package.
func Compare(t *testing.T, path string, update bool) {
	t.Helper()
	got := strings.Join(names(t, path), "\n") + "\n"
	if update {
		if err := os.WriteFile("api.txt", []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	file, err := os.ReadFile("api.txt")
	if err != nil {
		t.Fatal(err)
	}
	was, is := strings.Split(string(file), "\n"), strings.Split(got, "\n")
	for _, line := range was {
		if !slices.Contains(is, line) {
			t.Errorf("gone: %s", line)
		}
	}
	for _, line := range is {
		if !slices.Contains(was, line) {
			t.Errorf("new:  %s", line)
		}
	}
	if t.Failed() {
		t.Log("if that is meant: go test -run TestAPI -update in the package's folder")
	} else if !slices.Equal(was, is) {
		t.Error("api.txt is out of order: go test -run TestAPI -update in the package's folder")
	}
}

// names returns one line for each exported name of the package, sorted.
func names(t *testing.T, path string) []string {
	t.Helper()
	fset := token.NewFileSet()
	var files []*ast.File
	sources, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	pkg, err := doc.NewFromFiles(fset, files, path)
	if err != nil {
		t.Fatal(err)
	}
	l := &nameList{t: t, fset: fset}
	l.values("const", pkg.Consts)
	l.values("var", pkg.Vars)
	l.funcs("func", pkg.Funcs)
	for _, typ := range pkg.Types {
		l.values("const", typ.Consts)
		l.values("var", typ.Vars)
		l.funcs("func", typ.Funcs)
		l.funcs("method", typ.Methods)
		for _, s := range typ.Decl.Specs {
			l.typ(s.(*ast.TypeSpec))
		}
	}
	slices.Sort(l.lines)
	return slices.Compact(l.lines)
}

type nameList struct {
	t     *testing.T
	fset  *token.FileSet
	lines []string
}

func (l *nameList) add(format string, args ...any) {
	// One line each, however the source is broken.
	l.lines = append(l.lines, strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " "))
}

// text prints a node as gofmt does.
func (l *nameList) text(n any) string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, l.fset, n); err != nil {
		l.t.Fatal(err)
	}
	return b.String()
}

func (l *nameList) values(kind string, groups []*doc.Value) {
	for _, g := range groups {
		for _, s := range g.Decl.Specs {
			v := s.(*ast.ValueSpec)
			for i, name := range v.Names {
				if !name.IsExported() {
					continue
				}
				line := kind + " " + name.Name
				if v.Type != nil {
					line += " " + l.text(v.Type)
				}
				if i < len(v.Values) {
					line += " = " + l.text(v.Values[i])
				}
				l.add("%s", line)
			}
		}
	}
}

func (l *nameList) funcs(kind string, fs []*doc.Func) {
	for _, f := range fs {
		d := *f.Decl
		d.Doc, d.Body = nil, nil
		line := strings.TrimPrefix(l.text(&d), "func ")
		if kind == "method" {
			// The receiver's name is nobody's business.
			recv := d.Recv.List[0]
			_, rest, _ := strings.Cut(line, ")")
			line = "(" + l.text(recv.Type) + ")" + rest
		}
		l.add("%s %s", kind, line)
	}
}

// typ lists a type and its exported fields or methods.
func (l *nameList) typ(s *ast.TypeSpec) {
	name := s.Name.Name
	params := ""
	if s.TypeParams != nil {
		var ps []string
		for _, p := range s.TypeParams.List {
			var names []string
			for _, n := range p.Names {
				names = append(names, n.Name)
			}
			ps = append(ps, strings.Join(names, ", ")+" "+l.text(p.Type))
		}
		params = "[" + strings.Join(ps, ", ") + "]"
	}
	if s.Assign.IsValid() {
		l.add("type %s%s = %s", name, params, l.text(s.Type))
		return
	}
	switch u := s.Type.(type) {
	case *ast.StructType:
		l.add("type %s%s struct", name, params)
		for _, f := range u.Fields.List {
			for _, n := range f.Names {
				if n.IsExported() {
					l.add("field %s.%s %s", name, n.Name, l.text(f.Type))
				}
			}
		}
	case *ast.InterfaceType:
		sealed := ""
		if u.Incomplete { // a method that is not exported was left out
			sealed = " (sealed)"
		}
		l.add("type %s%s interface%s", name, params, sealed)
		for _, m := range u.Methods.List {
			for _, n := range m.Names {
				l.add("method %s.%s%s", name, n.Name, strings.TrimPrefix(l.text(m.Type), "func"))
			}
		}
	default:
		l.add("type %s%s %s", name, params, l.text(s.Type))
	}
}
