// Command tinyactor looks at running programs that serve an observer: see
// package observer.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/gdamore/tcell/v3"
	"golang.org/x/term"
)

const usage = `Tinyactor looks at running programs that serve an observer.

Usage:

	tinyactor <command> [arguments]

Commands:

	top      show the actors of a program, live, once, or as JSON
	help     say what a command does
	version  say which version this is
`

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1 // and a sentence says what to do
	exitUsage  = 2
)

// world is what a command sees of the system that it runs on.
type world struct {
	stdout, stderr io.Writer
	width          func() int // of the terminal that stdout is; 0 if it is none
	screen         func() (tcell.Screen, error)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	status := run(ctx, world{
		stdout: os.Stdout,
		stderr: os.Stderr,
		width:  func() int { return width(os.Stdout) },
		screen: openScreen,
	}, os.Args[1:])
	stop()
	os.Exit(status)
}

// openScreen returns the terminal that the program runs on.
func openScreen() (tcell.Screen, error) {
	if os.Getenv("TERM") == "dumb" {
		return nil, errors.New("TERM says that it is dumb")
	}
	return tcell.NewScreen()
}

// width returns how many columns the terminal has that f is, or 0.
func width(f *os.File) int {
	w, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return w
}

// run carries out the command line and returns the exit status.
func run(ctx context.Context, w world, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(w.stderr, usage)
		return exitUsage
	}
	switch name := args[0]; name {
	case "top":
		return runTop(ctx, w, args[1:])
	case "help", "-h", "-help", "--help":
		if len(args) > 1 && args[1] == "top" {
			return runTop(ctx, w, []string{"-help"})
		}
		fmt.Fprint(w.stdout, usage)
		return exitOK
	case "version", "-version", "--version":
		fmt.Fprintln(w.stdout, version())
		return exitOK
	default:
		fmt.Fprintf(w.stderr, "tinyactor: there is no command %q\n\n%s", name, usage)
		return exitUsage
	}
}

// version is what the linker knows of what this program was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "tinyactor, built without module information"
	}
	words := []string{"tinyactor", info.Main.Version}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			words = append(words, s.Value)
		case s.Key == "vcs.modified" && s.Value == "true":
			words = append(words, "(modified)")
		}
	}
	return strings.Join(append(words, info.GoVersion), " ")
}
