package report

import (
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tinyactor/benchmarks/internal/contest"
)

// everything is a document of a run in which each contestant takes ten times
// as long as the one before it, in all workloads.
func everything() *Document {
	var lines []Line
	for _, w := range contest.Workloads {
		for i, contestant := range append([]string{"chan-raw-16"}, shown...) {
			lines = append(lines, line(w.Name, contestant, 0, []float64{9, 10, 100, 1000, 1e4, 1e5, 1e6}[i], 0))
		}
	}
	lines = append(lines, line("tell", "unobserved", 0, 10, 0), line("tell", "observed-viewer", 0, 12.5, 0))
	lines = append(lines, line("remote-tell", "nats", 0, 4000, 0), line("remote-tell", "cluster-async", 0, 6000, 0))
	lines = append(lines, Line{Contestant: "tinyactor", Workload: "soak", Value: contest.Value{Row: "soak/growth", Unit: "B"}})
	r := Collect(lines)
	return &Document{
		Results: r, Verdicts: r.Judge(Targets), Machine: "a <machine>", Date: "May 2020", Commit: "abc1234",
		LeftOut: []contest.Listed{{Contestant: "phony", LeftOut: map[string]string{"tell": "why", "ring": "why", "spawn": "because"}}},
	}
}

func TestMarkdown(t *testing.T) {
	var b strings.Builder
	d := everything()
	if err := d.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{
		"May 2020, commit abc1234, on a <machine>; medians of 1 rounds",
		"\n| tell, 1 sender | 10.0 | 100 | 1000 | 10000 | 100000 | 1000000 |\n",
		"\n| tell, 1 sender | 10.0 | – | 1.25 | – | – | – | – |\n",
		"\n| remote tell, 1 sender | 4000 | – | – | – | – | 1.50 |\n",
		"\n| remote tell, 1 sender | cluster-async | ≤ 2.00 of nats | 1.50 | met |\n",
		"\n| tell, 1 sender | tinyactor | ≤ 0.45 of chan-raw | 0.10 | met |\n",
		"\n| ask, 1 caller | tinyactor | ≤ 0.80 of chan-select | 0.01 | met |\n",
		"\n| spawn, message, stop, wait | tinyactor | ≤ 1.25 of chan-raw-16 | 1.11 | met |\n",
		"\n| idle actor, one of 1,000,000 | tinyactor-recv | ≤ 1.25 of chan-raw-16 |  | **not measured** |\n",
		"\n| soak, 8 senders, 10⁸ messages, growth | tinyactor | ≤ 1048576 B | 0 B | met |\n",
		"\n- phony: why (tell, ring).\n- phony: because (spawn).\n",
		"\n| ring | **tinyactor** | 10.0 ns |  | 0.10 | 0.01 | 0.00 | 0 | 20.0 |\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not contain %q", want)
		}
	}
	for _, target := range Targets {
		if !strings.Contains(text, "| "+title(target.Row)+" | "+target.Contestant+" | "+target.Wanted()) {
			t.Errorf("the target %s of %s is not in it", target.Row, target.Contestant)
		}
	}
	checkTables(t, text)
	checkLinks(t, text)
}

// checkTables checks that the rows of a table have as many columns as its head.
func checkTables(t *testing.T, text string) {
	t.Helper()
	columns := 0
	for l := range strings.Lines(text) {
		switch n := strings.Count(l, "|"); {
		case n == 0:
			columns = 0
		case columns == 0:
			columns = n
		case n != columns:
			t.Errorf("%d columns instead of %d: %s", n, columns, l)
		}
	}
}

// checkLinks checks that the links lead somewhere from docs.
func checkLinks(t *testing.T, text string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`\]\((.*?)\)`).FindAllStringSubmatch(text, -1) {
		if m[1] == "performance.svg" {
			continue // is written beside it
		}
		if _, err := os.Stat(filepath.Join("../../../docs", m[1])); err != nil {
			t.Error(err)
		}
	}
}

// TestSVG checks that the picture can be read, that all bars end within their
// panel, and that no panel is missing.
func TestSVG(t *testing.T) {
	var b strings.Builder
	if err := everything().SVG(&b); err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(strings.NewReader(b.String()))
	bars, words := 0, ""
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.CharData:
			words += string(e) + "\n"
		case xml.StartElement:
			if e.Name.Local == "rect" && len(e.Attr) == 5 {
				bars++
			}
		}
	}
	for _, name := range pictured {
		if !strings.Contains(words, contest.Find(name).Title+"\n") {
			t.Errorf("there is no panel for %s", name)
		}
	}
	if want := len(pictured) * len(shown); bars != want {
		t.Errorf("there are %d bars instead of %d", bars, want)
	}
	if !strings.Contains(words, "a <machine>") {
		t.Error("the machine is not named")
	}
}

func TestBarLength(t *testing.T) {
	for _, c := range []struct{ ratio, want float64 }{{0, 0}, {1.5, barsWidth / 2.0}, {3, barsWidth}, {50, barsWidth}} {
		if got := barLength(c.ratio); got != c.want {
			t.Errorf("a bar for %v is %v long, want %v", c.ratio, got, c.want)
		}
	}
}

func TestCPUModel(t *testing.T) {
	for _, c := range []struct{ cpuinfo, want string }{
		{"", "unknown CPU"},
		{"processor\t: 0\nmodel name\t: Some CPU @ 3 GHz\nflags\t\t: fpu sse\n", "Some CPU @ 3 GHz"},
		{"model name\t: Some CPU\nflags\t\t: fpu hypervisor sse\nmodel name\t: Some CPU\n", "Some CPU (virtual machine)"},
		{"model name\t: Some CPU\nflags\t\t: fpu hypervisor\n", "Some CPU (virtual machine)"},
	} {
		if got := cpuModel(c.cpuinfo); got != c.want {
			t.Errorf("the CPU is %q, want %q", got, c.want)
		}
	}
}
