// Service is an HTTP service that counts words, built of actors: a pool of
// workers shares the pieces of the texts that are posted, and a store, which
// owns all state, admits texts, merges the counts and answers questions.
//
//	POST /texts?name=…   takes a text (202), or refuses it when the queue is full (429)
//	GET  /texts/{name}   what is known about one text
//	GET  /words?n=10     the most frequent words of all texts
//
// SIGINT or SIGTERM ends it: it takes no more requests, finishes what is
// queued, and prints what became of the pieces of text that it had accepted.
//
// With -demo it starts itself on a free port, posts the source files below
// -dir for the given time, ends in the same way, and compares the counts with
// those of a plain sequential program.
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
	"runtime"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal ends the service in order, a second one at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program without what can be there once only. It returns the exit
// status: 0, or 1 if something failed or did not add up, or 2 for wrong flags.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("service", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var set settings
	flags.IntVar(&set.workers, "workers", runtime.GOMAXPROCS(0), "`number` of workers")
	flags.IntVar(&set.queue, "queue", 256, "`number` of pieces of text that may be accepted and not yet counted")
	flags.Int64Var(&set.maxBytes, "max-bytes", 1<<20, "size of the largest text in `bytes`")
	addr := flags.String("addr", "127.0.0.1:8080", "`address` to listen on")
	demo := flags.Duration("demo", 0, "run a demonstration for this `time`, on a free port")
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
	}
	if err != nil {
		fmt.Fprintln(stderr, "service:", err)
		return 2
	}

	if *demo > 0 {
		err = runDemo(ctx, set, *dir, *demo, stdout)
	} else {
		err = listenAndServe(ctx, *addr, set, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, "service:", err)
		return 1
	}
	return 0
}

func listenAndServe(ctx context.Context, addr string, set settings, out io.Writer) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	_, err = serve(ctx, l, newService(context.Background(), set, countWords), out)
	return err
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
