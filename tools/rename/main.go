// Command rename gives the module, and those nested in it, another path. It is
// what make rename runs:
//
//	cd tools && go run ./rename example.com/you/tinyactor
//
// It replaces the path where it stands for the module: in front of a slash, as
// in imports, in package documentation and in the function names of stack
// traces; and in the statements and flags of go.mod. The name alone, as in
// prose, stays, and so does everything that merely ends with it, such as
// ../tinyactor. Go files are formatted afterwards, because imports are sorted
// by path.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "rename:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("needs one argument, the new module path: make rename MODULE=example.com/you/tinyactor")
	}
	to := args[0]
	if !modulePath.MatchString(to) || strings.Contains(to, "..") {
		return fmt.Errorf("%q is no module path; example.com/you/tinyactor is one", to)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		return err
	}
	goMod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return err
	}
	found := moduleLine.FindSubmatch(goMod)
	if found == nil {
		return fmt.Errorf("%s has no module line", filepath.Join(root, "go.mod"))
	}
	from := string(found[1])
	if from == to {
		return fmt.Errorf("the module is already called %s", to)
	}
	changed, err := tree(root, newReplacer(from, to))
	if err != nil {
		return err
	}
	fmt.Printf("%s is now %s, in %d files\n", from, to, changed)
	return nil
}

var (
	modulePath = regexp.MustCompile(`^[a-z0-9][A-Za-z0-9._~-]*(/[A-Za-z0-9_~][A-Za-z0-9._~-]*)*$`)
	moduleLine = regexp.MustCompile(`(?m)^module\s+(\S+)$`)
)

// newReplacer returns a function that replaces one module path by another in a
// text.
func newReplacer(from, to string) func([]byte) []byte {
	path := regexp.QuoteMeta(from)
	patterns := []*regexp.Regexp{
		// An import path, or whatever else is below the module.
		regexp.MustCompile(`(^|[^\w./~-])` + path + `(/)`),
		// A statement of go.mod, and prose such as "module tinyactor".
		regexp.MustCompile(`(\b(?:module|require|replace)\s+)` + path + `($|[^\w./~-])`),
		// go mod edit -require=PATH@VERSION -replace=PATH=DIR, PATH => DIR
		regexp.MustCompile(`(^|[^\w./~-])` + path + `(@|=| =>| v[0-9])`),
	}
	return func(text []byte) []byte {
		for _, p := range patterns {
			text = p.ReplaceAll(text, []byte("${1}"+to+"${2}"))
		}
		return text
	}
}

// tree applies replace to all text files below root and returns how many it
// has changed.
func tree(root string, replace func([]byte) []byte) (changed int, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return filepath.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		was, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.IndexByte(was, 0) >= 0 {
			return nil // not a text
		}
		is := replace(was)
		if bytes.Equal(was, is) {
			return nil
		}
		if filepath.Ext(path) == ".go" {
			formatted, err := format.Source(is)
			if err == nil {
				is = formatted // else it was no Go before: testdata
			}
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		changed++
		return os.WriteFile(path, is, info.Mode().Perm())
	})
	return changed, err
}
