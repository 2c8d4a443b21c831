package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/gdamore/tcell/v3"

	"tinyactor/observer"
)

// execute carries out a command line, with a terminal of so many columns, or none.
func execute(t *testing.T, columns int, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = run(t.Context(), world{
		stdout: &out,
		stderr: &err,
		width:  func() int { return columns },
		screen: func() (tcell.Screen, error) { return nil, errors.New("no such \x1b device") },
	}, args)
	return status, out.String(), err.String()
}

func TestCommands(t *testing.T) {
	for _, c := range []struct {
		args           string
		status         int
		stdout, stderr string
	}{
		{"", exitUsage, "", usage},
		{"help", exitOK, usage, ""},
		{"--help", exitOK, usage, ""},
		{"help top", exitOK, "tinyactor top [flags] ADDRESS", ""},
		{"top -h", exitOK, "  -sort column", ""},
		{"version", exitOK, "tinyactor ", ""},
		{"tap", exitUsage, "", "tinyactor: there is no command \"tap\"\n\nTinyactor looks at"},
		{"top", exitUsage, "", "tinyactor: top needs one address, such as http://127.0.0.1:8080/debug/actors\n"},
		{"top a b", exitUsage, "", "tinyactor: top needs one address"},
		{"top -x a", exitUsage, "", "flag provided but not defined: -x\ntinyactor help top says which flags there are\n"},
		{"top a -once -json", exitUsage, "", "tinyactor: give -once or -json, not both\n"},
		{"top -top -1 a", exitUsage, "", "tinyactor: -top must not be negative\n"},
		{"top -every 1ms a", exitUsage, "", "tinyactor: -every must be 100ms or more\n"},
		{"top -every x a", exitUsage, "", `invalid value "x" for flag -every`},
		{"top -sort size a", exitUsage, "", `invalid value "size" for flag -sort: there is no such column; there are name, state,`},
		{"top -H x a", exitUsage, "", `invalid value "x" for flag -H: write it as name: value`},
		{"top ftp://a", exitUsage, "", "tinyactor: the address is none of HTTP: write it like http://"},
		{"top 127.0.0.1:1", exitFailed, "", "tinyactor: this is not a terminal: give -once for a table, or -json for the snapshot\n"},
		{"top -once 127.0.0.1:1", exitFailed, "", "tinyactor: nobody listens at 127.0.0.1:1: start the program, or correct the address\n"},
		{"top -json 127.0.0.1:1", exitFailed, "", "tinyactor: nobody listens at 127.0.0.1:1: start the program, or correct the address\n"},
	} {
		status, stdout, stderr := execute(t, 0, strings.Fields(c.args)...)
		if status != c.status || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) ||
			c.stdout == "" && stdout != "" || c.stderr == "" && stderr != "" {
			t.Errorf("tinyactor %s: %d\nstdout %s\nstderr %s", c.args, status, stdout, stderr)
		}
	}
	if status, _, stderr := execute(t, 0, "top", "a", "-H", "X: a\r\nY: b"); status != exitUsage || strings.Contains(stderr, "\r") {
		t.Errorf("a header with a line break: %d, %q", status, stderr)
	}
}

func TestNoScreen(t *testing.T) {
	status, _, stderr := execute(t, 80, "top", serve(t, snapshots(sample())))
	if want := `tinyactor: this terminal cannot be used (no such \x1b device): give -once for a table, or -json for the snapshot` + "\n"; status != exitFailed || stderr != want {
		t.Errorf("%d, %q", status, stderr)
	}
	status, _, stderr = execute(t, 80, "top", "127.0.0.1:1")
	if status != exitFailed || !strings.Contains(stderr, "nobody listens") {
		t.Errorf("the screen comes first: %d, %q", status, stderr)
	}
}

func TestOnce(t *testing.T) {
	address := serve(t, snapshots(sample()))
	for name, c := range map[string]struct {
		columns int
		args    []string
	}{
		"once":       {0, nil},
		"once-wide":  {160, nil},
		"once-small": {40, nil},
		"once-queue": {0, []string{"-sort", "queue"}},
		"once-least": {80, []string{"-sort", "-queue"}},
		"once-top":   {0, []string{"-top", "3"}},
	} {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr := execute(t, c.columns, append([]string{"top", address, "-once"}, c.args...)...)
			if status != exitOK || stderr != "" {
				t.Fatalf("%d, %s", status, stderr)
			}
			width := c.columns
			if width == 0 {
				width = 100
			}
			for line := range strings.Lines(stdout) {
				if line = strings.TrimSuffix(line, "\n"); cells(line) > width || strings.HasSuffix(line, " ") {
					t.Errorf("in %d columns: %q", width, line)
				}
			}
			golden(t, name, stdout)
		})
	}
	t.Run("empty", func(t *testing.T) {
		_, stdout, _ := execute(t, 0, "top", "-once", serve(t, snapshots(observer.Snapshot{Schema: 1})))
		golden(t, "once-empty", stdout)
	})
}

func TestDumbTerminal(t *testing.T) {
	t.Setenv("TERM", "dumb")
	if _, err := openScreen(); err == nil || err.Error() != "TERM says that it is dumb" {
		t.Errorf("got %v", err)
	}
}

// badWriter is a disk that is full.
type badWriter struct{}

func (badWriter) Write([]byte) (int, error) { return 0, errors.New("it is full") }

// TestFullDisk: what is not written is not passed over in silence.
func TestFullDisk(t *testing.T) {
	address := serve(t, snapshots(sample()))
	for _, how := range []string{"-once", "-json"} {
		var stderr bytes.Buffer
		w := world{stdout: badWriter{}, stderr: &stderr, width: func() int { return 0 }}
		if status := run(t.Context(), w, []string{"top", how, address}); status != exitFailed || stderr.String() != "tinyactor: it is full\n" {
			t.Errorf("%s: %d, %s", how, status, &stderr)
		}
	}
}

func TestJSON(t *testing.T) {
	want := sample()
	want.Program.Name = "c1 \u009b31m \u202e \U000e0041 \x7f \" \\ é"
	status, stdout, stderr := execute(t, 0, "top", "-json", serve(t, snapshots(want)))
	if status != exitOK || stderr != "" {
		t.Fatalf("%d, %s", status, stderr)
	}
	if strings.ContainsFunc(stdout, func(r rune) bool { return r != '\n' && safe(string(r)) != string(r) }) {
		t.Errorf("it contains what a terminal may act on: %q", stdout)
	}
	var got observer.Snapshot
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || !reflect.DeepEqual(&got, want) {
		t.Errorf("it is another: %v\n%s", err, stdout)
	}
	if !strings.HasPrefix(stdout, "{\n  \"schema\": 1,\n  \"time\"") || !strings.HasSuffix(stdout, "\n}\n") {
		t.Errorf("it is not indented: %s", stdout)
	}

	// Another schema, fields that this command does not know, and bytes that are no text.
	odd := "{\"schema\":9,  \"new\":[1.50,1e400],\"text\":\"\xff\"}"
	_, stdout, _ = execute(t, 0, "top", "-json", serve(t, answer(http.StatusOK, "application/json", odd)))
	if want := "{\n  \"schema\": 9,\n  \"new\": [\n    1.50,\n    1e400\n  ],\n  \"text\": \"\\ufffd\"\n}\n"; stdout != want {
		t.Errorf("got %s", stdout)
	}
	status, stdout, stderr = execute(t, 0, "top", "-json", serve(t, answer(http.StatusOK, "application/json", "[]")))
	if status != exitFailed || stdout != "" || !strings.Contains(stderr, "is not a snapshot") {
		t.Errorf("a list: %d, %s, %s", status, stdout, stderr)
	}
}
