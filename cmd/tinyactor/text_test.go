package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestSafe(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "",
		"plain name/1":           "plain name/1",
		"naïve 日本語 ok":           "naïve 日本語 ok",
		"\x1b[2J":                `\x1b[2J`,
		"a\nb\tc\rd\ae\x7f":      `a\nb\tc\rd\ae\x7f`,
		"c1 \u009b31m":           `c1 \u009b31m`,
		"bidi \u202eabc\u2066":   `bidi \u202eabc\u2066`,
		"zero\u200bwidth\ufeff":  `zero\u200bwidth\ufeff`,
		"bad \xff\xc3 utf8":      `bad \xff\xc3 utf8`,
		"tag \U000e0041":         `tag \U000e0041`,
		"\u0301mark first":       `\u0301mark first`,
		"e\u0301 mark later":     "e\u0301 mark later",
		"replacement \ufffd":     "replacement \ufffd",
		"line\u2028par\u2029":    `line\u2028par\u2029`,
		"no-break\u00a0space":    `no-break\u00a0space`,
		"private \ue000":         `private \ue000`,
		`a backslash \x1b stays`: `a backslash \x1b stays`,
	} {
		if got := safe(in); got != want {
			t.Errorf("safe(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestSafeBytes: whatever the bytes, what comes out is printed as it is.
func TestSafeBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		in := make([]byte, r.IntN(40))
		for i := range in {
			in[i] = byte(r.IntN(256))
		}
		out := safe(string(in))
		if !utf8.ValidString(out) || strings.ContainsFunc(out, func(r rune) bool { return !strconv.IsPrint(r) }) {
			t.Fatalf("safe(%q) = %q", in, out)
		}
	}
}

func TestSafeLines(t *testing.T) {
	got := safeLines("a\r\n\tb\x1b\n\nc\n\n")
	if want := []string{"a", `    b\x1b`, "", "c"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestClip(t *testing.T) {
	for _, c := range []struct {
		s           string
		w           int
		right, left string
	}{
		{"service", 7, "service", "service"},
		{"service", 6, "servi…", "…rvice"},
		{"service", 1, "…", "…"},
		{"service", 0, "", ""},
		{"service", -3, "", ""},
		{"日本語", 5, "日本…", "…本語"},
		{"日本語", 4, "日…", "…語"}, // no half characters
		{"ae\u0301x", 2, "a…", "…x"},
	} {
		if got := clip(c.s, c.w); got != c.right {
			t.Errorf("clip(%q, %d) = %q, want %q", c.s, c.w, got, c.right)
		}
		if got := clipLeft(c.s, c.w); got != c.left {
			t.Errorf("clipLeft(%q, %d) = %q, want %q", c.s, c.w, got, c.left)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		s    string
		w    int
		want []string
	}{
		{"", 5, []string{""}},
		{"one two three", 8, []string{"one two", "three"}},
		{"one two three", 7, []string{"one two", "three"}},
		{"one two three", 5, []string{"one", "two", "three"}},
		{"unbroken", 3, []string{"unb", "rok", "en"}},
		{"日本", 1, []string{"…"}},
		{"x", 0, nil},
	} {
		if got := wrap(c.s, c.w); !slices.Equal(got, c.want) {
			t.Errorf("wrap(%q, %d) = %q, want %q", c.s, c.w, got, c.want)
		}
	}
	for most, want := range map[int][]string{1: {"one two t…"}, 2: {"one two", "three four"}, 3: {"one two", "three four"}} {
		if got := wrapTo(most, "one two three four", 10); !slices.Equal(got, want) {
			t.Errorf("in at most %d lines it is %q, want %q", most, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0", 9999: "9999", 10_000: "10k", 12_999: "12k", 999_999: "999k", 1_000_000: "1.0M", 9_999_999: "9.9M",
		10_000_000: "10M", 1_234_567_890: "1.2G", math.MaxUint64: "18E",
	} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int]string{-5: "-5", -12_000: "-12k"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %s, want %s", n, got, want)
		}
	}
	for f, want := range map[float64]string{0: "0", -1: "0", 0.01: "<0.1", 0.1: "0.1", 2: "2", 9.96: "9.9", 12.7: "12", 54321: "54k", 1e300: ">1E"} {
		if got := rate(f); got != want {
			t.Errorf("rate(%v) = %s, want %s", f, got, want)
		}
	}
	for n, want := range map[uint64]string{0: "0B", 9999: "9999B", 10_240: "10KiB", 1 << 30: "1024MiB", math.MaxUint64: "15EiB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 999: "999ns", 1500: "1.5µs", 12 * time.Microsecond: "12µs", 9960 * time.Microsecond: "9.9ms",
		123 * time.Millisecond: "123ms", 1200 * time.Millisecond: "1.2s", 59 * time.Second: "59s", 61 * time.Second: "1m01s",
		time.Hour + 2*time.Minute: "1h02m", 49 * time.Hour: "2d01h", 400 * 24 * time.Hour: "400d",
	} {
		if got := short(d); got != want {
			t.Errorf("short(%d) = %s, want %s", d, got, want)
		}
	}
}

// TestColumnsHold: whatever is counted fits its column.
func TestColumnsHold(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 10_000 {
		n := r.Uint64() >> r.IntN(64)
		if got := count(n); len(got) > 4 {
			t.Fatalf("count(%d) = %s", n, got)
		}
		if got := rate(float64(n) / 7); len(got) > 4 {
			t.Fatalf("rate(%d/7) = %s", n, got)
		}
		if got := short(time.Duration(n >> 1)); cells(got) > 7 {
			t.Fatalf("short(%d) = %s", n>>1, got)
		}
	}
}
