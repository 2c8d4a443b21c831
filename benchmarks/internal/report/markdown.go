package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"tinyactor/benchmarks/internal/contest"
)

// shown are the contestants of the document's first table and of the picture.
var shown = []string{"tinyactor", "chan-raw", "chan-select", "mutex+cond", "phony", "protoactor-go"}

// A Document is what docs/performance.md is made of.
type Document struct {
	*Results
	Verdicts []Verdict
	LeftOut  []contest.Listed
	Machine  string
	Date     string
	Commit   string
}

// Markdown writes the document.
func (d *Document) Markdown(out io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, docHead, d.Date, d.Commit, d.Machine, d.Rounds)
	d.overview(b)
	b.WriteString(docLooked)
	d.multiples(b, "unobserved", lookers)
	b.WriteString(docRemote)
	d.multiples(b, "nats", remotes)
	b.WriteString(docTargets)
	d.targets(b)
	b.WriteString(docMethod)
	b.WriteString("\n## What is left out\n\n")
	d.leftOut(b)
	b.WriteString(docAll)
	d.all(b)
	_, err := io.WriteString(out, b.String())
	return err
}

// row writes a row of a table.
func row(b *strings.Builder, fields ...string) {
	b.WriteString("| " + strings.Join(fields, " | ") + " |\n")
}

// head writes the first rows of a table whose first columns are text, and whose
// others are figures.
func head(b *strings.Builder, text int, columns ...string) {
	row(b, columns...)
	b.WriteString("|" + strings.Repeat("---|", text) + strings.Repeat("--:|", len(columns)-text) + "\n")
}

// overview is a table of medians.
func (d *Document) overview(b *strings.Builder) {
	head(b, 1, append([]string{""}, shown...)...)
	for _, name := range d.Rows {
		w := contest.Find(name)
		if w == nil || w.Remote {
			continue // a second value of a workload, or one of another table
		}
		fields := []string{w.Title}
		for _, contestant := range shown {
			fields = append(fields, d.median(name, contestant))
		}
		row(b, fields...)
	}
}

func (d *Document) median(name, contestant string) string {
	if c := d.Cell(name, contestant); c != nil {
		return number(c.Value.Median) + unit(c)
	}
	if c := d.Cell(name, contestant+"-16"); c != nil {
		return number(c.Value.Median) + unit(c) + "¹"
	}
	return "–"
}

// unit is empty for nanoseconds, which most figures are.
func unit(c *Cell) string {
	if c.Unit == "ns" {
		return ""
	}
	return " " + c.Unit
}

// lookers are the contestants that are this library while somebody looks.
var lookers = []string{"observed", "observed-viewer", "observed-prometheus", "observed-otel", "traced-unsampled", "traced-sampled"}

// remotes are the contestants between two nodes beside the first of them, NATS's
// client.
var remotes = []string{"nats-ids", "cluster", "nats-async", "nats-ids-async", "cluster-async"}

// multiples is a table of what some contestants take, as multiples of what the
// same takes one of them.
func (d *Document) multiples(b *strings.Builder, base string, others []string) {
	head(b, 1, append([]string{"", base}, others...)...)
	for _, name := range d.Rows {
		fields := []string{title(name), d.median(name, base)}
		any := false
		for _, contestant := range others {
			ratio, ok := d.Ratio(name, contestant, base)
			if any = any || ok; !ok {
				fields = append(fields, "–")
				continue
			}
			fields = append(fields, fmt.Sprintf("%.2f", ratio))
		}
		if any {
			row(b, fields...)
		}
	}
}

// title returns the title of a row: that of its workload, and what else the
// workload has measured.
func title(row string) string {
	name, what, ok := strings.Cut(row, "/")
	if ok {
		return contest.Find(name).Title + ", " + what
	}
	return contest.Find(name).Title
}

func (d *Document) targets(b *strings.Builder) {
	count := map[string]int{}
	for _, v := range d.Verdicts {
		count[v.Word()]++
	}
	fmt.Fprintf(b, "%s.\n\n", tallyWords(count))
	row(b, "", "contestant", "wanted", "reached", "")
	b.WriteString("|---|---|---|--:|---|\n")
	for _, v := range d.Verdicts {
		word := v.Word()
		if word != "met" {
			word = "**" + word + "**"
		}
		row(b, title(v.Row), v.Contestant, v.Wanted(), v.Figure(), word)
	}
}

// leftOut says why a cell is empty, once for all cells that are for the same
// reason.
func (d *Document) leftOut(b *strings.Builder) {
	for _, l := range d.LeftOut {
		reasons := map[string][]string{}
		for _, w := range contest.Workloads {
			if reason := l.LeftOut[w.Name]; reason != "" {
				reasons[reason] = append(reasons[reason], w.Name)
			}
		}
		for _, w := range contest.Workloads { // in the order of the table
			reason := l.LeftOut[w.Name]
			if names := reasons[reason]; len(names) > 0 {
				fmt.Fprintf(b, "- %s: %s (%s).\n", l.Contestant, reason, strings.Join(names, ", "))
				delete(reasons, reason)
			}
		}
	}
	b.WriteString(docLeftOut)
}

func (d *Document) all(b *strings.Builder) {
	head(b, 2, columns...)
	for _, name := range d.Rows {
		for _, contestant := range d.Contestants {
			if c := d.Cell(name, contestant); c != nil {
				fields := d.fields(c)
				if contestant == "tinyactor" {
					fields[1] = "**tinyactor**"
				}
				row(b, slices.Clone(fields)...)
			}
		}
	}
}
