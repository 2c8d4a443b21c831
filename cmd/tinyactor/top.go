package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

const topUsage = `Usage:

	tinyactor top [flags] ADDRESS

Top shows the actors of a running program. ADDRESS is where the program mounts
its observer, such as ` + example + `; it may
hold user:password@ before the host. In the live view ? says what keys do; its
colours are left out if NO_COLOR is set. The exit status is 1 if there is nothing
to show, and a sentence says what to do, and 2 if the command line is wrong.

Flags:

`

// options are the flags of top.
type options struct {
	once, json bool
	arrangement
	every  time.Duration
	header http.Header
}

const (
	defaultEvery = time.Second
	leastEvery   = 100 * time.Millisecond

	// printWidth is how wide a table is that is not printed on a terminal.
	printWidth = 100
)

// flags declares them.
func (o *options) flags(w world) *flag.FlagSet {
	f := flag.NewFlagSet("top", flag.ContinueOnError)
	f.SetOutput(w.stderr)
	f.Usage = func() {} // see runTop
	o.header = http.Header{}
	f.BoolVar(&o.once, "once", false, "print a table and end; its rates are means since somebody looked last")
	f.BoolVar(&o.json, "json", false, "print the snapshot as JSON and end")
	f.IntVar(&o.limit, "top", 0, "show only the first `N` actors; without -sort, those with the longest queues")
	f.DurationVar(&o.every, "every", defaultEvery, "time between two looks of the live view")
	f.Func("sort", "show a list in the order of a `column`, reversed after a minus sign, instead of the tree: "+strings.Join(orders(), ", "), o.setOrder)
	f.Func("H", "send a `header` with every request, such as 'Authorization: Bearer …'; may be repeated", o.addHeader)
	return f
}

func (o *options) setOrder(name string) error {
	name, o.reverse = strings.CutPrefix(name, "-")
	if !slices.Contains(orders(), name) {
		return errors.New("there is no such column; there are " + strings.Join(orders(), ", "))
	}
	o.order, o.flat = name, true
	return nil
}

func (o *options) addHeader(h string) error {
	name, value, ok := strings.Cut(h, ":")
	if !ok || name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("write it as name: value")
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return errors.New("the value must not contain control characters")
	}
	o.header.Add(name, strings.TrimSpace(value))
	return nil
}

// runTop carries out the command top.
func runTop(ctx context.Context, w world, args []string) int {
	var o options
	f := o.flags(w)
	address, err := parse(f, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(w.stdout, topUsage)
		f.SetOutput(w.stdout)
		f.PrintDefaults()
		return exitOK
	case err != nil: // and f has said which
		fmt.Fprintln(w.stderr, "tinyactor help top says which flags there are")
		return exitUsage
	}
	src, err := o.check(address)
	if err != nil {
		fmt.Fprintf(w.stderr, "tinyactor: %v\n", err)
		return exitUsage
	}
	if err := o.show(ctx, w, src); err != nil {
		fmt.Fprintf(w.stderr, "tinyactor: %s\n", safe(err.Error()))
		return exitFailed
	}
	return exitOK
}

// parse returns the arguments that are no flags. These may stand behind them, too.
func parse(f *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := f.Parse(args); err != nil {
			return nil, err
		}
		if f.NArg() == 0 {
			return rest, nil
		}
		rest, args = append(rest, f.Arg(0)), f.Args()[1:]
	}
}

// check says what is wrong with the command line.
func (o *options) check(args []string) (*source, error) {
	switch {
	case len(args) != 1:
		return nil, errors.New("top needs one address, such as " + example)
	case o.once && o.json:
		return nil, errors.New("give -once or -json, not both")
	case o.limit < 0:
		return nil, errors.New("-top must not be negative")
	case o.every < leastEvery:
		return nil, fmt.Errorf("-every must be %v or more", leastEvery)
	}
	if o.limit > 0 && o.order == "" {
		o.order, o.flat = "queue", true
	}
	return newSource(args[0], o.header)
}

// show gets the snapshot and shows it in the way that is asked for.
func (o *options) show(ctx context.Context, w world, src *source) error {
	if o.json {
		return o.printJSON(ctx, w, src)
	}
	columns := w.width()
	if !o.once && columns == 0 {
		return errors.New("this is not a terminal: give -once for a table, or -json for the snapshot")
	}
	snap, err := src.snapshot(ctx)
	if err != nil {
		return err
	}
	if o.once {
		if columns == 0 {
			columns = printWidth
		}
		var b bytes.Buffer
		newLook(snap).print(&b, o.arrangement, columns)
		_, err := w.stdout.Write(b.Bytes())
		return err
	}
	screen, err := w.screen()
	if err == nil {
		v := &view{arrangement: o.arrangement, address: safe(src.base), now: time.Now(), every: o.every}
		v.take(snap)
		err = live(ctx, screen, src, v, o.every)
	}
	if err != nil {
		return fmt.Errorf("this terminal cannot be used (%w): give -once for a table, or -json for the snapshot", err)
	}
	return nil
}

// printJSON prints the snapshot as it came, but for spaces and for characters
// that terminals act on, which JSON can write in another way.
func (o *options) printJSON(ctx context.Context, w world, src *source) error {
	data, err := src.fetch(ctx)
	if err != nil {
		return err
	}
	if _, err := src.schema(data); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		return src.notSnapshot("not JSON")
	}
	_, err = w.stdout.Write(append(bytes.TrimSpace(safeJSON(b.Bytes())), '\n'))
	return err
}

// safeJSON escapes what is not printed. In JSON that is only within strings.
func safeJSON(data []byte) []byte {
	safe := make([]byte, 0, len(data))
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		switch {
		case r == '\n', strconv.IsPrint(r) && (r != utf8.RuneError || size > 1):
			safe = append(safe, data[:size]...)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			safe = fmt.Appendf(safe, `\u%04x\u%04x`, hi, lo)
		default:
			safe = fmt.Appendf(safe, `\u%04x`, r)
		}
		data = data[size:]
	}
	return safe
}
