// Service is an HTTP service that counts words, built of actors: a pool of
// workers shares the pieces of the texts that are posted, a foreman says how many
// of them are on duty, a store, which owns all state, admits texts, merges the
// counts and answers questions, and a task writes snapshots. They are the
// children of a supervisor, which starts again what crashes:
//
//	service (rest_for_one)
//	├── store
//	├── workers   so many processes on one inbox
//	├── foreman
//	└── snapshot  the task
//
//	POST /texts?name=…             takes a text (202), or refuses it when the queue is full (429)
//	POST /texts?name=…&wait=true   waits until it is counted (200) or has failed (500)
//	GET  /texts/{name}             what is known about one text
//	GET  /words?n=10               the most frequent words of all texts
//	GET  /tasks/snapshot           what the task is doing
//	POST /tasks/snapshot/stop      stops the task
//	POST /tasks/snapshot/start     starts it again
//	POST /tasks/snapshot?format=…  has it write json or csv from now on
//	POST /crash?what=worker        makes a worker that has a piece in hand panic (with -allow-crash);
//	                               what=store: the store with a count in hand; what=task: the task
//	GET  /stats                    what became of the pieces, queues, processes and restarts
//	GET  /healthz                  200 as long as texts are taken
//	GET  /debug/actors/            a page that shows the actors, live; with -actions it can halt, abort
//	                               and restart them
//
// Posting a name again replaces that text's counts. A post of which a worker had
// a piece in hand when it panicked, or the store a count, fails as a whole: the
// piece is reported, nothing of the post counts, and the text is as it was
// before. Nothing else is lost by a restart.
//
// SIGINT or SIGTERM ends the service: it takes no more requests, finishes what
// is queued, writes a last snapshot, and prints what became of the pieces of
// text that it had accepted. A second signal, or the end of -grace, aborts what
// is not finished, says what that was, and makes the exit status 1. The service
// also ends, with status 1 and with the reason as its last line, when it would
// have to restart something more than -restarts times within -restarts-within.
//
// With -demo it starts itself on a free port, posts the source files below
// -dir for the given time, meanwhile crashes workers, the store and the task,
// floods the queue, stops and starts the task, ends in the same way, and compares
// what is left with the counts of a plain sequential program. With -keep as well it
// then starts again on that port, and goes on more gently until it is interrupted,
// for who wants to look at the page of the actors.
//
// What the page shows, names and the texts of panics, is not for everybody: the
// service listens on the loopback address unless -addr says otherwise, and a real one
// would ask for a password below /debug.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"tinyactor/observer"
)

func main() { os.Exit(runUntilSignals(countWords)) }

// runUntilSignals is the program, whose workers count with count.
func runUntilSignals(count func(string) map[string]int) (status int) {
	ctx, abort := signals()
	p := program{count: count, stdout: os.Stdout, stderr: os.Stderr}
	return p.run(ctx, abort, os.Args[1:])
}

// signals returns a context that ends with the first SIGINT or SIGTERM and one
// that ends with the second. The third ends the program.
func signals() (ctx, abort context.Context) {
	ctx, end := context.WithCancel(context.Background())
	abort, tearDown := context.WithCancelCause(context.Background())
	received := make(chan os.Signal, 2)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-received
		end()
		second := <-received
		signal.Stop(received)
		tearDown(fmt.Errorf("aborted by a second signal: %v", second))
	}()
	return ctx, abort
}

// A program is all but what can be there once only.
type program struct {
	count          func(string) map[string]int
	stdout, stderr io.Writer
}

// run ends in order when ctx does, and at once when abort does. It returns the
// exit status: 0, or 1 if something failed or did not add up, or 2 for wrong
// flags.
func (p program) run(ctx, abort context.Context, args []string) int {
	flags := flag.NewFlagSet("service", flag.ContinueOnError)
	flags.SetOutput(p.stderr)
	var set settings
	set.register(flags)
	addr := flags.String("addr", "127.0.0.1:8080", "`address` to listen on")
	demo := flags.Duration("demo", 0, "run a demonstration for this `time`, on a free port")
	keep := flags.Bool("keep", false, "go on after the demonstration until interrupted, more gently")
	dir := flags.String("dir", repository(), "`folder` whose *.go and *.md files the demonstration posts")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	err := set.validate()
	switch {
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case *demo < 0:
		err = fmt.Errorf("-demo is %v and must not be negative", *demo)
	case *keep && *demo == 0:
		err = errors.New("-keep goes on after a demonstration: it needs -demo")
	}
	if err != nil {
		fmt.Fprintln(p.stderr, "service:", err)
		return 2
	}

	if *demo > 0 {
		err = p.demonstrate(ctx, abort, set, *dir, *demo, *keep)
	} else {
		err = p.listenAndServe(ctx, abort, *addr, set)
	}
	if err != nil {
		fmt.Fprintln(p.stderr, "service:", err)
		return 1
	}
	return 0
}

func (p program) listenAndServe(ctx, abort context.Context, addr string, set settings) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	_, err = p.serve(ctx, abort, l, newObserver(set), set)
	return err
}

// serve starts a service, whose actors o watches, and serves it on l.
func (p program) serve(ctx, abort context.Context, l net.Listener, o *observer.Observer, set settings) (books, error) {
	s, err := newService(o.Watch(context.Background()), set, p.count)
	if err != nil {
		return books{}, errors.Join(err, l.Close())
	}
	return serve(ctx, abort, l, o, s, p.stdout)
}

// repository returns the nearest folder at or above the working directory that
// holds a go.work or go.mod, or the working directory if there is none.
func repository() string {
	dir, err := os.Getwd()
	if err != nil {
		return "."
	}
	for ; ; dir = filepath.Dir(dir) {
		for _, file := range []string{"go.work", "go.mod"} {
			if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
				return dir
			}
		}
		if dir == filepath.Dir(dir) {
			return "."
		}
	}
}
