package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"
)

// safe returns a text from the network as it may be sent to a terminal: what is
// not printed, or changes how others are printed, is written as an escape.
func safe(s string) string {
	if plainASCII(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case !strconv.IsPrint(r), i == 0 && unicode.Is(unicode.M, r):
			// A mark at the beginning would change what stands before the text.
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

func plainASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// safeLines is safe for a text of several lines, such as a stack.
func safeLines(s string) []string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i, line := range lines {
		lines[i] = safe(strings.ReplaceAll(strings.TrimSuffix(line, "\r"), "\t", "    "))
	}
	return lines
}

// cells returns how many columns s takes.
func cells(s string) int { return displaywidth.String(s) }

// clip shortens s to w columns, and shows that it did.
func clip(s string, w int) string {
	if w <= 0 {
		return ""
	}
	return displaywidth.TruncateString(s, w, "…")
}

// clipLeft is clip from the other end, which tells more of a path.
func clipLeft(s string, w int) string {
	if w <= 0 {
		return ""
	}
	have := cells(s)
	if have <= w {
		return s
	}
	left := s
	for g := displaywidth.StringGraphemes(s); have > w-1 && g.Next(); {
		have -= g.Width()
		left = left[len(g.Value()):]
	}
	return "…" + left
}

// pad brings s, which is no wider, to w columns.
func pad(s string, w int, right bool) string {
	space := strings.Repeat(" ", max(0, w-cells(s)))
	if right {
		return space + s
	}
	return s + space
}

// wrap breaks s into lines of at most w columns, at spaces where there are some.
func wrap(s string, w int) []string { return wrapTo(math.MaxInt, s, w) }

// wrapTo is wrap with at most so many lines; the last one shows it if there were more.
func wrapTo(most int, s string, w int) []string {
	if w <= 0 {
		return nil
	}
	var lines []string
	for cells(s) > w {
		if len(lines) == most-1 {
			return append(lines, clip(s, w))
		}
		line := displaywidth.TruncateString(s, w, "")
		if line == "" {
			return append(lines, clip(s, w)) // not even one character fits
		}
		if i := strings.LastIndexByte(line, ' '); i > 0 && s[len(line)] != ' ' {
			line = line[:i]
		}
		lines = append(lines, line)
		s = strings.TrimPrefix(s[len(line):], " ")
	}
	return append(lines, s)
}

// count writes a number with at most four characters.
func count[N int | uint64](number N) string {
	if number < 0 {
		return "-" + count(uint64(-number))
	}
	n := uint64(number)
	if n < 10_000 {
		return strconv.FormatUint(n, 10)
	}
	units := "kMGTPE"
	for n >= 1_000_000 {
		n, units = n/1000, units[1:]
	}
	// Now n is in thousandths of the unit.
	if n < 10_000 {
		return fmt.Sprintf("%d.%d%c", n/1000, n/100%10, units[0])
	}
	return fmt.Sprintf("%d%c", n/1000, units[0])
}

// rate writes a number per second with at most four characters.
func rate(f float64) string {
	switch {
	case f <= 0:
		return "0"
	case f < 0.1:
		return "<0.1"
	case f < 10:
		return strconv.FormatFloat(float64(int(f*10))/10, 'f', -1, 64)
	case f < 1e18:
		return count(uint64(f))
	}
	return ">1E"
}

// short writes a duration with at most six characters, up to years.
func short(d time.Duration) string {
	tenths := func(unit time.Duration, name string) string {
		return fmt.Sprintf("%d.%d%s", d/unit, d/(unit/10)%10, name)
	}
	whole := func(unit time.Duration, name string) string {
		return fmt.Sprintf("%d%s", d/unit, name)
	}
	const day = 24 * time.Hour
	switch {
	case d <= 0:
		return "0s"
	case d < time.Microsecond:
		return whole(1, "ns")
	case d < 10*time.Microsecond:
		return tenths(time.Microsecond, "µs")
	case d < time.Millisecond:
		return whole(time.Microsecond, "µs")
	case d < 10*time.Millisecond:
		return tenths(time.Millisecond, "ms")
	case d < time.Second:
		return whole(time.Millisecond, "ms")
	case d < 10*time.Second:
		return tenths(time.Second, "s")
	case d < time.Minute:
		return whole(time.Second, "s")
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d/time.Second%60)
	case d < day:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d/time.Minute%60)
	case d < 100*day:
		return fmt.Sprintf("%dd%02dh", d/day, d/time.Hour%24)
	}
	return whole(day, "d")
}
