package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"tinyactor/actor"
)

// A format is how a snapshot is written.
type format string

const (
	asJSON format = "json" // one object, {"word":count,…}
	asCSV  format = "csv"  // a line word,count for each word, below a headline
)

var formats = []format{asJSON, asCSV}

// snapshots is the state of the actor that writes one each period.
type snapshots struct {
	format  format
	written int
	err     error // why the latest was not written
}

// An errand has the snapshot actor run a function, if there is one, and is
// answered with the state after it.
type errand struct {
	actor.Reply[snapshots]
	run func(ctx context.Context, s *snapshots) error
}

func (m errand) to(r actor.Reply[snapshots]) errand { m.Reply = r; return m }

// startSnapshots starts the actor. Its exit value is its state. The inbox has
// room for one message, so that ticks are dropped, not queued, while a slow disk
// writes.
func startSnapshots(owner context.Context, file string, period time.Duration, store *actor.Address[request], s snapshots) (*actor.Child[errand, snapshots], *actor.Address[errand]) {
	cfg := actor.Config{
		Name:        "snapshot",
		Capacity:    actor.Bounded(1),
		Undelivered: func(any) {}, // a tick, or an errand whose asker is told
	}
	child, address := actor.SpawnValue(owner, cfg, func(ctx context.Context, in *actor.Inbox[errand]) (snapshots, error) {
		err := in.Serve(ctx, func(ctx context.Context, e errand) error {
			var err error
			if e.run != nil {
				err = e.run(ctx, &s)
			}
			e.Answer(s, err)
			return nil
		})
		return s, err
	})
	address.SendEvery(period, errand{run: func(ctx context.Context, s *snapshots) error {
		if err := s.write(ctx, file, store); err != nil {
			slog.Warn("no snapshot was written", "error", err) // the next may be
		}
		return nil
	}})
	return child, address
}

// write asks the store for the counts and writes them to the file.
func (s *snapshots) write(ctx context.Context, file string, store *actor.Address[request]) error {
	var counts map[string]int
	counts, s.err = actor.Ask(ctx, store, totals{}.to)
	if s.err == nil {
		s.err = writeSnapshot(file, s.format, counts)
	}
	if s.err == nil {
		s.written++
	}
	return s.err
}

// writeSnapshot writes a temporary file beside the file and renames it, so that
// whoever opens the file sees a whole snapshot or the one before.
func writeSnapshot(file string, f format, counts map[string]int) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(temp.Name())
		}
	}()
	out := bufio.NewWriter(temp)
	err = cmp.Or(encode(out, f, counts), out.Flush(), temp.Sync())
	// Some systems rename no file that is open.
	if err = cmp.Or(err, temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), file)
}

func encode(out io.Writer, f format, counts map[string]int) error {
	if f == asJSON {
		return json.NewEncoder(out).Encode(counts)
	}
	lines := csv.NewWriter(out)
	// An error stays with the writer until the end.
	_ = lines.Write([]string{"word", "count"})
	for _, word := range slices.Sorted(maps.Keys(counts)) {
		_ = lines.Write([]string{word, strconv.Itoa(counts[word])})
	}
	lines.Flush()
	return lines.Error()
}
