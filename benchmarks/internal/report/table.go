package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// columns are those of the table. Where the channels with 1024 slots are not in
// a row, those with 16 slots stand for them.
var columns = []string{
	"row", "contestant", "median", "min–max", "of chan-raw", "of chan-select", "allocs", "bytes", "CPU ns",
}

// Print prints all cells, and then all targets that have a cell.
func (r *Results) Print(out io.Writer, verdicts []Verdict) error {
	if err := r.printCells(out); err != nil {
		return err
	}
	return printVerdicts(out, verdicts)
}

func (r *Results) printCells(out io.Writer) error {
	w := newTable(out, columns...)
	for i, row := range r.Rows {
		if i > 0 {
			w.line(make([]string, len(columns))...)
		}
		for _, contestant := range r.Contestants {
			if c := r.Cell(row, contestant); c != nil {
				w.line(r.fields(c)...)
			}
		}
	}
	return w.Flush()
}

func printVerdicts(out io.Writer, verdicts []Verdict) error {
	w := newTable(out, "", "", "", "", "")
	w.line("target", "contestant", "wanted", "reached", "")
	count := map[string]int{}
	for _, v := range verdicts {
		count[v.Word()]++
		if v.Measured {
			w.line(v.Row, v.Contestant, v.Wanted(), v.Figure(), v.Word())
		}
	}
	if count["met"]+count["missed"] == 0 {
		return nil
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, "targets:", tallyWords(count))
	return err
}

func tallyWords(count map[string]int) string {
	words := fmt.Sprintf("%d met, %d missed", count["met"], count["missed"])
	if n := count["not measured"]; n > 0 {
		words += fmt.Sprintf(", %d not measured", n)
	}
	return words
}

// aligned is a table of columns that are aligned to the right.
type aligned struct{ *tabwriter.Writer }

func newTable(out io.Writer, head ...string) aligned {
	w := aligned{tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)}
	w.line(head...)
	return w
}

func (w aligned) line(fields ...string) { fmt.Fprintln(w, strings.Join(fields, "\t")+"\t") }

// fields are the columns of a cell's line.
func (r *Results) fields(c *Cell) []string {
	f := []string{
		c.Row, c.Contestant, number(c.Value.Median) + " " + c.Unit,
		number(c.Value.Min) + "–" + number(c.Value.Max),
		r.ratio(c, "chan-raw"), r.ratio(c, "chan-select"), "", "", "",
	}
	if c.Rounds == 1 {
		f[3] = ""
	}
	if c.Measured {
		f[6], f[7], f[8] = strconv.FormatFloat(c.Allocs, 'f', 2, 64), number(c.Bytes), number(c.CPU)
	}
	return f
}

func (r *Results) ratio(c *Cell, channel string) string {
	ratio, ok := r.Ratio(c.Row, c.Contestant, r.baseline(c.Row, channel))
	if !ok {
		return ""
	}
	return strconv.FormatFloat(ratio, 'f', 2, 64)
}

// number prints three digits or more.
func number(v float64) string {
	switch {
	case v < 0.005:
		return "0"
	case v < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}
