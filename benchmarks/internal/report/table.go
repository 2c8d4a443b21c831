package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Table prints all cells, one a line.
func (r *Results) Table(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "row\tcontestant\tmedian\tmin–max\tof chan-raw\tof chan-select\tallocs\tbytes\tCPU ns\t")
	for i, row := range r.Rows {
		if i > 0 {
			fmt.Fprintln(w, strings.Repeat("\t", 9))
		}
		for _, contestant := range r.Contestants {
			if c := r.Cell(row, contestant); c != nil {
				fmt.Fprintln(w, strings.Join(r.fields(c), "\t")+"\t")
			}
		}
	}
	return w.Flush()
}

// fields are the columns of a cell's line.
func (r *Results) fields(c *Cell) []string {
	f := []string{
		c.Row, c.Contestant, number(c.Value.Median) + " " + c.Unit,
		number(c.Value.Min) + "–" + number(c.Value.Max),
		r.ratio(c, "chan-raw"), r.ratio(c, "chan-select"), "", "", "",
	}
	if c.Measured {
		f[6], f[7], f[8] = strconv.FormatFloat(c.Allocs, 'f', 2, 64), number(c.Bytes), number(c.CPU)
	}
	return f
}

func (r *Results) ratio(c *Cell, against string) string {
	ratio, ok := r.Ratio(c.Row, c.Contestant, against)
	if !ok {
		return ""
	}
	return strconv.FormatFloat(ratio, 'f', 2, 64)
}

// number prints three digits or more.
func number(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v < 9.95:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 99.5:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}
