package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a terminal of 100 columns and 30 lines.
func openTerminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("this machine has no pseudo-terminals: ", err)
	}
	t.Cleanup(func() { ours.Close() })
	conn, err := ours.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var number int
	var failed error
	if err := conn.Control(func(fd uintptr) {
		if failed = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); failed == nil {
			number, failed = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
		if failed == nil {
			failed = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: 30, Col: 100})
		}
	}); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close() })
	return ours, theirs
}

// TestTerminal runs the command on a terminal, as people do.
func TestTerminal(t *testing.T) {
	address := serve(t, snapshots(sample()))
	for _, c := range []struct {
		name     string
		env      []string
		end      func(*exec.Cmd, *os.File) error
		coloured bool
	}{
		{"quit", nil, func(_ *exec.Cmd, tty *os.File) error { _, err := tty.WriteString("q"); return err }, true},
		{"ctrl-c without colours", []string{"NO_COLOR=1"}, func(_ *exec.Cmd, tty *os.File) error { _, err := tty.WriteString("\x03"); return err }, false},
		{"SIGTERM", nil, func(cmd *exec.Cmd, _ *os.File) error { return cmd.Process.Signal(unix.SIGTERM) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			ours, theirs := openTerminal(t)
			before, err := unix.IoctlGetTermios(int(theirs.Fd()), unix.TCGETS)
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), os.Args[0], "top", address)
			cmd.Env = append(os.Environ(), append([]string{asProgram + "=yes", "TERM=xterm-256color", "NO_COLOR=", "COLUMNS=", "LINES="}, c.env...)...)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, theirs
			cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			_ = ours.SetDeadline(time.Now().Add(60 * time.Second))
			seen := readUntil(t, ours, "store-b")
			if err := c.end(cmd, ours); err != nil {
				t.Fatal(err)
			}
			seen = append(seen, readUntil(t, ours, "\x1b[?1049l")...) // back from the alternate screen
			if err := cmd.Wait(); err != nil {
				t.Errorf("it ends with %v:\n%q", err, seen)
			}
			after, err := unix.IoctlGetTermios(int(theirs.Fd()), unix.TCGETS)
			if err != nil || after.Lflag != before.Lflag || after.Iflag != before.Iflag {
				t.Errorf("the terminal is left as %+v, was %+v; %v", after, before, err)
			}
			if got := colours.Match(seen); got != c.coloured {
				t.Errorf("coloured is %v:\n%q", got, seen)
			}
			if bytes.Contains(seen, []byte("owned\a")) || !strings.Contains(string(seen), `\x1b]0;ow`) {
				t.Errorf("a name is not escaped:\n%q", seen)
			}
		})
	}
}

// colours are those of the palette.
var colours = regexp.MustCompile(`\x1b\[([0-9]*;)*[34][0-8](;[0-9]+)*m`)

// readUntil reads what is shown, and answers when a terminal is asked what it is.
func readUntil(t *testing.T, tty *os.File, text string) (seen []byte) {
	t.Helper()
	buf := make([]byte, 4096)
	answered := false
	for !bytes.Contains(seen, []byte(text)) {
		n, err := tty.Read(buf)
		seen = append(seen, buf[:n]...)
		if err != nil {
			t.Fatalf("%v before %q, after %q", err, text, seen)
		}
		if !answered && bytes.Contains(seen, []byte("\x1b[c")) {
			answered = true
			if _, err := tty.WriteString("\x1b[?62;22c"); err != nil {
				t.Fatal(err)
			}
		}
	}
	return seen
}
