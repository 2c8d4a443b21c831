package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"tinyactor/internal/sched/explore"
	"tinyactor/tests/internal/repo"
)

// planted is a bug that others have had, put into the code that is explored.
type planted struct {
	name string
	file string // from the root of the repository
	old  string // occurs there once
	new  string
	in   string // scenario that must find it
	says string // part of what it says
}

var plants = []planted{
	{
		name: "a halt in two steps, as in tiny-actor: a receiver sees the close before the halt",
		file: "internal/mailbox/queue.go",
		old: `	q.halted = true
	for p := q.seats.first; p != nil; p = p.next {
		p.of.halt(p.of.place.in)
	}
`,
		new: `	early := q.close()
	q.unlock()
	early.all()
	q.lock()
	q.halted = true
	for p := q.seats.first; p != nil; p = p.next {
		p.of.halt(p.of.place.in)
	}
`,
		in:   "mailbox, empty: recv | halt",
		says: "was told of the close before the halt",
	},
	{
		name: "a sender that looks and then waits, as in tiny-actor: room made meanwhile wakes nobody",
		file: "internal/mailbox/sender.go",
		old: `	q.senders.join(&s.place)
	q.quota = 0
	q.lend()               // from now on, the holder makes room under the lock
	wake := q.admit(false) // what it made since the look at the queue is this one's, if it is its turn
`,
		new: `	q.unlock()
	q.lock()
	q.senders.join(&s.place)
	q.quota = 0
	q.lend()
	var wake wakeup[M]
`,
		in:   "mailbox, full: send | recv",
		says: "sleeps though there is something to do",
	},
	{
		name: "a receiver that says it is idle without another look, as in hollywood#173: a message wakes nobody",
		file: "internal/mailbox/receiver.go",
		old:  `	return state.CompareAndSwap(calm, awaited) // step 2: fails if anybody has had the lock since`,
		new: `	state.Store(awaited)
	return true`,
		in:   "actor, empty: send | send",
		says: "sleeps though there is something to do",
	},
}

// findPlanted fails unless each planted bug is found.
func findPlanted(ctx context.Context, dir string, opts options) error {
	for i, bug := range plants {
		bin := filepath.Join(dir, fmt.Sprintf("planted%d", i))
		overlay, err := bug.overlay(dir)
		if err != nil {
			return fmt.Errorf("planting %q: %w", bug.name, err)
		}
		if err := build(ctx, bin, overlay); err != nil {
			return fmt.Errorf("planting %q: %w", bug.name, err)
		}
		p, err := program(bug.in)
		if err != nil {
			return err
		}
		one := opts
		one.jobs = 1
		results, err := exploreAll(ctx, bin, one, []explore.Program{p})
		f, found := errors.AsType[*explore.Failure](err)
		if !found || !strings.Contains(f.Why, bug.says) {
			return fmt.Errorf("the planted bug %q was not found in %q: %w", bug.name, bug.in, err)
		}
		fmt.Printf("planted: %s\nfound in schedule %d of %q: %s\n\n", bug.name, results[0].Schedules, bug.in, f.Why)
	}
	return nil
}

// overlay writes the file with the bug, and one that tells the compiler of it.
func (b planted) overlay(dir string) (string, error) {
	root, err := repo.Root()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, b.file)
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), b.old); n != 1 {
		return "", fmt.Errorf("%s has the code %d times", b.file, n)
	}
	bad := filepath.Join(dir, filepath.Base(b.file))
	if err := os.WriteFile(bad, []byte(strings.Replace(string(text), b.old, b.new, 1)), 0o600); err != nil {
		return "", err
	}
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{path: bad}})
	if err != nil {
		return "", err
	}
	overlay := bad + ".json"
	return overlay, os.WriteFile(overlay, list, 0o600)
}
