package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"tinyactor/benchmarks/internal/contest"
	"tinyactor/benchmarks/internal/report"
)

// asProgram makes the test's own program one that has contestants.
const asProgram = "BENCH_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		contest.Main(
			contest.Entry{Name: "sound", New: newChannel(false), Enters: contest.In("tell", "ping-pong")},
			contest.Entry{Name: "broken", New: newChannel(true), Enters: contest.In("tell")},
		)
		return
	}
	os.Exit(m.Run())
}

// channel is a contestant that may lose each tenth message.
type channel struct {
	broken bool
	c      chan contest.Msg
	ended  chan struct{}
}

func newChannel(broken bool) func(context.Context) contest.Contestant {
	return func(context.Context) contest.Contestant { return channel{broken: broken} }
}

func (c channel) Spawn(_ contest.Options, receivers ...*contest.Receiver) contest.Mailbox {
	c.c, c.ended = make(chan contest.Msg, 10), make(chan struct{})
	go func() {
		defer close(c.ended)
		for m := range c.c {
			receivers[0].Take(m)
		}
	}()
	return c
}

func (channel) Serve(*contest.Receiver) contest.Server { panic("it has no questions") }

func (c channel) Send(m contest.Msg) { c.c <- m }
func (c channel) Stop()              { close(c.c); <-c.ended }

func (c channel) Feed(m contest.Msg, n int) {
	for i := range n {
		if !c.broken || i%10 != 9 {
			c.c <- contest.Msg{V: m.V + int64(i)}
		}
	}
}

// TestRounds checks the order of the runs, the raw lines, and that a contestant
// that loses messages has no figures and makes the command fail.
func TestRounds(t *testing.T) {
	t.Setenv(asProgram, "yes")
	var f field
	if err := f.add(t.Context(), os.Args[0], nil); err != nil {
		t.Fatal(err)
	}
	o := &options{rounds: 2, time: time.Millisecond}
	var raw bytes.Buffer
	lines, err := rounds(t.Context(), f.choose(o), o, &raw)
	if err == nil || !strings.Contains(err.Error(), "broken/tell: exit status 1") ||
		!strings.Contains(err.Error(), "message 10 of sender 0 instead of message 9 of sender 0") {
		t.Errorf("the error is %v", err)
	}
	var got []string
	for _, l := range lines {
		got = append(got, l.Contestant+"/"+l.Row)
		if l.Value.Value <= 0 || l.Round != len(got)/3 {
			t.Errorf("a line is %+v", l)
		}
	}
	want := "sound/tell sound/ping-pong sound/tell sound/ping-pong"
	if strings.Join(got, " ") != want {
		t.Errorf("the lines are of %s, want %s", got, want)
	}
	var decoded []report.Line
	for d := json.NewDecoder(&raw); ; {
		var l report.Line
		if err := d.Decode(&l); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		decoded = append(decoded, l)
	}
	if !reflect.DeepEqual(decoded, lines) {
		t.Errorf("the raw lines are %+v, want %+v", decoded, lines)
	}
}

// TestBench builds a program and runs it, as the command does.
func TestBench(t *testing.T) {
	file := filepath.Join(t.TempDir(), "raw")
	o := &options{
		only: list{"tell"}, contestants: list{"chan-raw*"}, rounds: 1, time: time.Millisecond,
		json: file, write: t.TempDir(),
	}
	if err := bench(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(file)
	if n := strings.Count(string(raw), "\n"); n != 2 || err != nil {
		t.Errorf("%d raw lines instead of 2, %v:\n%s", n, err, raw)
	}
	for _, name := range []string{"performance.md", "performance.svg"} {
		if text, err := os.ReadFile(filepath.Join(o.write, name)); len(text) < 500 || err != nil {
			t.Errorf("%s has %d bytes, %v", name, len(text), err)
		}
	}
	o = &options{run: "chan-raw/tell", n: 100, time: time.Millisecond, cpu: filepath.Join(t.TempDir(), "cpu"), memory: filepath.Join(t.TempDir(), "mem")}
	if err := bench(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{o.cpu, o.memory} {
		if info, err := os.Stat(name); err != nil || info.Size() == 0 {
			t.Errorf("there is no profile: %v", err)
		}
	}
}

func TestBenchErrors(t *testing.T) {
	for _, c := range []struct {
		o    options
		want string
	}{
		{options{contestants: list{"nobody"}}, "no contestant is called nobody"},
		{options{contestants: list{"chan-raw"}, only: list{"nothing"}}, "-only matches no workload"},
		{options{run: "chan-raw"}, "want contestant/workload"},
		{options{run: "chan-raw/nothing"}, "0 of these"},
		{options{run: "chan-raw/fan-in-*"}, "16 of these"},
	} {
		if err := bench(t.Context(), &c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.o, err, c.want)
		}
	}
}

// TestUntrusted checks that the command fails if the baselines are not as they
// should be.
func TestUntrusted(t *testing.T) {
	var lines []report.Line
	for _, row := range []string{"tell", "ping-pong"} {
		lines = append(lines, report.Line{Contestant: "chan-raw", Workload: row, Value: contest.Value{Row: row, Unit: "ns", Value: 50}})
	}
	if err := publish(lines, &field{}, &options{}); err == nil || !strings.Contains(err.Error(), "not to be trusted") {
		t.Errorf("the error is %v", err)
	}
}

func TestChoose(t *testing.T) {
	f := &field{}
	for _, contestant := range []string{"a", "b-16"} {
		for _, w := range []string{"spawn", "tell", "fan-in-8", "fan-in-64"} { // not in the order of the table
			f.jobs = append(f.jobs, job{contestant, contest.Find(w), "file"})
		}
	}
	for _, c := range []struct {
		o    options
		want string
	}{
		{options{}, "a/tell b-16/tell a/fan-in-8 b-16/fan-in-8 a/fan-in-64 b-16/fan-in-64 a/spawn b-16/spawn"},
		{options{only: list{"fan-in-*"}}, "a/fan-in-8 b-16/fan-in-8 a/fan-in-64 b-16/fan-in-64"},
		{options{only: list{"tell", "spawn"}, quick: true}, "a/tell a/spawn b-16/spawn"},
	} {
		var got []string
		for _, j := range f.choose(&c.o) {
			got = append(got, j.contestant+"/"+j.workload.Name)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v chooses %s, want %s", c.o, got, c.want)
		}
	}
}

func TestList(t *testing.T) {
	var l list
	if !l.matches("anything") {
		t.Error("an empty list does not match everything")
	}
	if err := l.Set("tell,fan-in-*"); err != nil {
		t.Fatal(err)
	}
	if err := l.Set("ring"); err != nil {
		t.Fatal(err)
	}
	if err := l.Set("[a"); err == nil {
		t.Error("a pattern that is none is accepted")
	}
	if l.String() != "tell,fan-in-*,ring" {
		t.Errorf("it says %q", l.String())
	}
	for name, want := range map[string]bool{"tell": true, "ring": true, "fan-in-8": true, "tell-bounded": false, "fan-in": false} {
		if l.matches(name) != want {
			t.Errorf("matches(%q) is not %v", name, want)
		}
	}
}
