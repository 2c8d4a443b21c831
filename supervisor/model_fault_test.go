package supervisor

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var modelFaults = flag.String("model.faults", "", "plant those faults in the machine whose change matches this `regexp`; each takes some seconds. Without it only some are planted")

// machineFaults are changes of one line that TestModel must find.
var machineFaults = []struct {
	file, from, into string
	n                int  // in so many schedules
	always           bool // it is planted in every ordinary run
}{
	{"window.go", "< now-l.Period", "<= now-l.Period", 2000, true},
	{"window.go", "<= l.Restarts", "< l.Restarts", 2000, false},
	{"machine.go", "c.restart == Transient && k.abnormal()", "c.restart == Transient", 2000, false},
	{"machine.go", "if t == m.group {", "if t.purpose == timerGroup {", 2000, false},
	{"machine.go", "|| len(c.numbers) > 1", "", 2000, false},
	{"group.go", "case x.phase == down && x.anyBlocked():", "case x.phase == down:", 2000, false},
	{"group.go", "case x.phase == stopping && x.failing == nil:", "case x.phase == stopping:", 20_000, false},
	{"group.go", "after := max(m.groupDelay, m.groupUntil-m.now)", "after := m.groupDelay", 20_000, false},
	{"group.go", "delay = max(delay, m.groupDelay) //", "//", 20_000, false},
	{"group.go", "m.groupDue || ran || posted || delay > 0", "ran && m.groupUntil > m.now || posted || delay > 0", 20_000, false},
	{"group.go", "c.failing = nil", "", 20_000, false},
	{"group.go", "n.state == delayed || n.state == gated", "n.state == delayed", 2000, false},
	{"group.go", "|| m.newcomer > 0 {", "|| m.newcomer > 0 || m.doomed > 0 {", 2000, false},
	{"exit.go", "x.phase != down && x.phase != closing", "x.phase != down", 20_000, false},
	{"exit.go", "m.over(c, s == up && k != exitIgnored)", "m.over(c, s == up)", 2000, false},
	{"exit.go", "n.failures = 0", "", 2000, false},
	{"exit.go", "ghosts[i]--", "", 2000, false},
	{"exit.go", "counts := c.doomed || n.told == replaced", "counts := c.doomed", 20_000, false},
	{"exit.go", "m.gone(c, n, i, s, told, exitFailed, err)", "if !m.ending || c.phase == stopping { m.gone(c, n, i, s, told, exitFailed, err) }", 20_000, false},
	{"exit.go", "regular := c.request == 0 && !c.new", "regular := !c.new", 2000, false},
	{"start.go", "if c.live == 0 && !c.wasUp {", "if c.live == 0 {", 20_000, false},
	{"start.go", "if add || !m.kept(c) {", "if add && !m.kept(c) {", 2000, false},
	{"start.go", "if delay == 0 && !posted {", "if delay == 0 {", 2000, false},
	{"start.go", "if n.anew {", "if n.swap {", 20_000, false},
	{"start.go", "n.wasUp = false //", "//", 200_000, false},
	{"stop.go", "case c.live > 0 && !(forGood && c.drain):", "case c.live > 0 && !c.drain:", 2000, false},
	{"stop.go", "if c.abortAfter > 0 && !m.aborting {", "if c.abortAfter > 0 {", 2000, false},
	{"stop.go", "for len(c.calls) > 0 {", "for len(c.calls) > 1 {", 2000, false},
	{"stop.go", "case c.doomed && !c.let:", "case c.doomed:", 2000, true},
	{"admin.go", "m.notNew(c)", "", 2000, false},
	{"admin.go", "c.failing = nil", "", 2000, false},
	{"admin.go", "case c.anyBlocked():", "case false:", 2000, false},
	{"admin.go", "m.figures.Specs >= m.cfg.max", "m.figures.Active >= m.cfg.max", 2000, false},
	{"list.go", "m.waitingFrom = c.next", "m.waitingFrom = nil", 20_000, false},
}

// TestModelFindsMachineFaults plants faults in the machine. All of them:
// go test -run TestModelFindsMachineFaults -model.faults . ./supervisor
func TestModelFindsMachineFaults(t *testing.T) {
	chosen, err := regexp.Compile(*modelFaults)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range machineFaults {
		text, err := os.ReadFile(f.file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), f.from); n != 1 {
			t.Errorf("%s has %q %d times, not once", f.file, f.from, n)
			continue
		}
		name := fmt.Sprintf("%s: %s → %s", f.file, f.from, f.into)
		if *modelFaults == "" && (!f.always || testing.Short() || underRace()) || !chosen.MatchString(name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(string(text), f.from, f.into, 1)
			out, err := testChanged(t, f.file, changed, "-run=^TestModel$", fmt.Sprintf("-model.n=%d", f.n))
			switch {
			case strings.Contains(out, "[build failed]"):
				t.Errorf("the change does not compile:\n%s", out)
			case err == nil || !strings.Contains(out, "to play it again"):
				t.Errorf("%d schedules do not find it:\n%s", f.n, out)
			case *modelFaults != "":
				t.Log(out)
			}
		})
	}
}

// testChanged runs tests of the model with another text of one file.
func testChanged(t *testing.T, file, text string, flags ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	changed := filepath.Join(dir, file)
	if err := os.WriteFile(changed, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	original, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{original: changed}
	tests, err := filepath.Glob(filepath.Join(filepath.Dir(original), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		if !strings.HasPrefix(filepath.Base(test), "model_") {
			files[test] = "" // to compile them takes seconds
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": files})
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(at, overlay, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"test", "-vet=off", "-timeout=1m", "-overlay=" + at, "."}, flags...)...)
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestModelFindsModelFaults plants faults in the model.
func TestModelFindsModelFaults(t *testing.T) {
	for f := faultNone + 1; f < refFaults; f++ {
		t.Run(refFaultNames[f], func(t *testing.T) {
			t.Parallel()
			_, seed := compareMany(20_000, f)
			if seed == 0 {
				t.Fatal("20,000 schedules do not find it")
			}
			if words := explain(seed, f); !strings.Contains(words, "are enough") || !strings.Contains(words, "in supervisor ") {
				t.Errorf("the schedule does not fail again:\n%s", words)
			} else {
				t.Log(words)
			}
		})
	}
}
