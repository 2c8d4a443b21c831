package tinyactor_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The Go blocks of the documents are checked like this:
//
//   - A block that begins with a package clause is a file of its own.
//   - Any other block is a list of declarations or, if it is not, the body of
//     a function. It imports by itself what fragmentImports knows.
//   - What such a block takes for granted is declared in a comment, which
//     readers do not see, on the line before it:
//
//     <!-- given: ctx context.Context; addr *actor.Address[int] -->
//
//   - Code of other libraries stands below a comment that names them. It is
//     only parsed.
//
//     <!-- not compiled: github.com/example/library -->

// fragmentImports are the packages that documents may import, by the name that
// a block without a package clause uses.
var fragmentImports = map[string]string{
	"actor":      "actor",
	"actortest":  "actortest",
	"cluster":    "cluster",
	"embedded":   "cluster/embedded",
	"observer":   "observer",
	"supervisor": "supervisor",
	"context":    "context",
	"errors":     "errors",
	"fmt":        "fmt",
	"log":        "log",
	"maps":       "maps",
	"nats":       "github.com/nats-io/nats.go",
	"net":        "net",
	"http":       "net/http",
	"os":         "os",
	"signal":     "os/signal",
	"slices":     "slices",
	"slog":       "log/slog",
	"strings":    "strings",
	"sync":       "sync",
	"synctest":   "testing/synctest",
	"syscall":    "syscall",
	"testing":    "testing",
	"time":       "time",
}

// ownImports are those of them that are below the module.
var ownImports = []string{"actor", "actortest", "cluster", "cluster/embedded", "observer", "supervisor"}

// maxNotCompiled is how many blocks may show other libraries' code.
const maxNotCompiled = 6

// docBlock is a Go block of a document.
type docBlock struct {
	file        string
	line        int // of the first line of text
	text        string
	given       string
	notCompiled string
}

var (
	givenComment       = regexp.MustCompile(`^<!-- given: (.+) -->$`)
	notCompiledComment = regexp.MustCompile(`^<!-- not compiled: (\S+) -->$`)
	runComment         = regexp.MustCompile(`^<!-- run: (\w+) -->$`)
)

// documents returns the paths of all documents.
func documents(t *testing.T) []string {
	t.Helper()
	return files(t, ".md")
}

// readBlocks returns the Go blocks of a document.
func readBlocks(t *testing.T, file string) []docBlock {
	t.Helper()
	var blocks []docBlock
	var block docBlock
	last, fence := "", ""
	for i, line := range strings.Split(read(t, file), "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case fence == "" && strings.HasPrefix(trimmed, "```"):
			fence = trimmed
			block = docBlock{file: file, line: i + 2}
			if m := givenComment.FindStringSubmatch(last); m != nil {
				block.given = m[1]
			}
			if m := notCompiledComment.FindStringSubmatch(last); m != nil {
				block.notCompiled = m[1]
			}
			if fence != "```go" && strings.HasPrefix(last, "<!-- ") && !runComment.MatchString(last) {
				t.Errorf("%s:%d: %s is above a block that is not Go", file, i, last)
			}
		case fence != "" && trimmed == "```":
			if fence == "```go" {
				blocks = append(blocks, block)
			}
			fence = ""
		case fence != "":
			block.text += line + "\n"
		case strings.HasPrefix(trimmed, "<!-- given:") && !givenComment.MatchString(trimmed),
			strings.HasPrefix(trimmed, "<!-- not compiled:") && !notCompiledComment.MatchString(trimmed):
			t.Errorf("%s:%d: a comment that cannot be read: %s", file, i+1, trimmed)
		}
		last = trimmed
	}
	if fence != "" {
		t.Errorf("%s: a block is not closed", file)
	}
	return blocks
}

// source returns the block as a Go file whose positions are those in the
// document.
func (b docBlock) source(module string) string {
	at := fmt.Sprintf("//line %s:%d\n", filepath.Base(b.file), b.line)
	if b.isFile() {
		return at + b.text
	}
	var head strings.Builder
	head.WriteString("package fragment\n")
	for _, name := range slices.Sorted(maps.Keys(fragmentImports)) {
		if regexp.MustCompile(`(^|[^\w."])` + name + `\.`).MatchString(b.text + "\n" + b.given) {
			path := fragmentImports[name]
			if slices.Contains(ownImports, path) {
				path = module + "/" + path
			}
			fmt.Fprintf(&head, "import %q\n", path)
		}
	}
	if b.given != "" {
		for v := range strings.SplitSeq(b.given, ";") {
			if v = strings.TrimSpace(v); !strings.HasPrefix(v, "type ") && !strings.HasPrefix(v, "func ") {
				v = "var " + v
			}
			head.WriteString(v + "\n")
		}
	}
	whole := head.String() + at + b.text
	if _, err := parser.ParseFile(token.NewFileSet(), "", whole, parser.SkipObjectResolution); err == nil {
		return whole
	}
	results := ""
	if regexp.MustCompile(`(?m)^\s*return \S`).MatchString(b.text) {
		results = " error"
	}
	return head.String() + "func _()" + results + " {\n" + at + b.text + "panic(0)\n}\n"
}

// isFile reports whether the block begins with a package clause.
func (b docBlock) isFile() bool {
	_, err := parser.ParseFile(token.NewFileSet(), "", b.text, parser.PackageClauseOnly)
	return err == nil
}

// TestDocsCompile type-checks every Go block of the documents. That variables
// and imports are not used is no error in them.
func TestDocsCompile(t *testing.T) {
	module, imports := docImporter(t)
	notCompiled := 0
	for _, file := range documents(t) {
		for _, block := range readBlocks(t, file) {
			fset := token.NewFileSet()
			parsed, err := parser.ParseFile(fset, file, block.source(module), parser.SkipObjectResolution)
			if err != nil {
				t.Error(err)
				continue
			}
			if block.notCompiled != "" {
				notCompiled++
				if strings.HasPrefix(block.notCompiled, module+"/") || !strings.Contains(block.notCompiled, ".") {
					t.Errorf("%s:%d: %s is not another's library", file, block.line, block.notCompiled)
				}
				continue
			}
			config := types.Config{Importer: imports(fset), Error: func(err error) {
				if e, ok := errors.AsType[types.Error](err); !ok || !e.Soft {
					t.Error(err)
				}
			}}
			config.Check("fragment", fset, []*ast.File{parsed}, nil) // the errors are told above
		}
	}
	if notCompiled > maxNotCompiled {
		t.Errorf("%d blocks are not compiled, more than %d", notCompiled, maxNotCompiled)
	}
}

// docImporter returns the module's path and an importer for what the documents
// may import.
func docImporter(t *testing.T) (string, func(*token.FileSet) types.Importer) {
	t.Helper()
	args := []string{"list", "-export", "-deps", "-json=ImportPath,Export,Module"}
	for _, path := range fragmentImports {
		if slices.Contains(ownImports, path) {
			path = "./" + path
		}
		args = append(args, path)
	}
	out, err := exec.CommandContext(t.Context(), "go", args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	module, exports := "", map[string]string{}
	for list := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath, Export string
			Module             *struct{ Path string }
		}
		if err := list.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		if path, own := strings.CutSuffix(p.ImportPath, "/actor"); own && p.Module != nil && path == p.Module.Path {
			module = path
		}
	}
	return module, func(fset *token.FileSet) types.Importer {
		return importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
			if exports[path] == "" {
				return nil, fmt.Errorf("not in fragmentImports: %s", path)
			}
			return os.Open(exports[path])
		})
	}
}

var docLink = regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)

// TestDocsLinks checks that links between documents lead somewhere.
func TestDocsLinks(t *testing.T) {
	for _, file := range documents(t) {
		for _, m := range docLink.FindAllStringSubmatch(read(t, file), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", file, m[1])
			}
		}
	}
}

var (
	testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark|Example)\w*)`)
	testName = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark|Example)[A-Z]\w+`)
)

// TestDocsTests checks that the tests of which documents speak are there, or one
// that begins so, as go test -run finds it.
func TestDocsTests(t *testing.T) {
	var there []string
	for _, file := range files(t, "_test.go") {
		for _, m := range testFunc.FindAllStringSubmatch(read(t, file), -1) {
			there = append(there, m[1])
		}
	}
	for _, file := range documents(t) {
		for _, name := range testName.FindAllString(read(t, file), -1) {
			if !slices.ContainsFunc(there, func(f string) bool { return strings.HasPrefix(f, name) }) {
				t.Errorf("%s speaks of %s, which is not there", file, name)
			}
		}
	}
}

// TestDocsRun checks that CI runs the commands below a comment that says so.
func TestDocsRun(t *testing.T) {
	ci := read(t, ".ci/run")
	for _, file := range documents(t) {
		for line := range strings.Lines(read(t, file)) {
			if m := runComment.FindStringSubmatch(strings.TrimSpace(line)); m != nil && !strings.Contains(ci, " imported "+m[1]+"\n") {
				t.Errorf(".ci/run does not run the commands %q of %s", m[1], file)
			}
		}
	}
}
