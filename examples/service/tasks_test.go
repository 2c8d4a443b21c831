package main

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// task tells the task something, or asks about it.
func (s *service) task(t *testing.T, method, target string) taskInfo {
	t.Helper()
	var got taskInfo
	if status, failure := s.request(t, method, target, "", &got); status != http.StatusOK {
		t.Fatalf("%s %s: status %d, %s", method, target, status, failure)
	}
	return got
}

// snapshotWords returns the words of the snapshot, which must be in the format given.
func (s *service) snapshotWords(t *testing.T, f format) map[string]int {
	t.Helper()
	text, err := os.ReadFile(s.snapshot)
	if err != nil {
		t.Fatal(err)
	}
	words, err := readSnapshot(text, f)
	if err != nil {
		t.Error(err)
	}
	return words
}

// The task writes periodically, stops, starts, and changes its format while it
// runs and while it does not.
func TestTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestService(t, testSettings(t, 1, 8, 1000), countWords)
		is := func(when string, got taskInfo, running bool, f format, written int) {
			t.Helper()
			if want := (taskInfo{Task: "snapshot", Running: running, Format: f, File: s.snapshot, Written: written}); got != want {
				t.Errorf("%s the task is %+v, want %+v", when, got, want)
			}
		}
		s.post(t, "a", "one word")
		synctest.Wait()
		is("at first", s.task(t, "GET", "/tasks/snapshot"), true, asJSON, 0)
		time.Sleep(s.period + time.Second)
		is("after a period", s.task(t, "GET", "/tasks/snapshot"), true, asJSON, 1)
		if got, want := s.snapshotWords(t, asJSON), countWords("one word"); !maps.Equal(got, want) {
			t.Errorf("the snapshot is %v, want %v", got, want)
		}

		is("stopped", s.task(t, "POST", "/tasks/snapshot/stop"), false, asJSON, 1)
		is("stopped again", s.task(t, "POST", "/tasks/snapshot/stop"), false, asJSON, 1)
		s.post(t, "b", "more words")
		time.Sleep(10 * s.period)
		is("after ten periods more", s.task(t, "GET", "/tasks/snapshot"), false, asJSON, 1)
		is("with a format for later", s.task(t, "POST", "/tasks/snapshot?format=csv"), false, asCSV, 1)
		if got, want := s.snapshotWords(t, asJSON), countWords("one word"); !maps.Equal(got, want) {
			t.Errorf("the snapshot is %v, want %v", got, want)
		}

		is("started", s.task(t, "POST", "/tasks/snapshot/start"), true, asCSV, 1)
		is("started again", s.task(t, "POST", "/tasks/snapshot/start"), true, asCSV, 1)
		time.Sleep(s.period + time.Second)
		is("after a period", s.task(t, "GET", "/tasks/snapshot"), true, asCSV, 2)
		s.snapshotWords(t, asCSV)

		is("with a new format", s.task(t, "POST", "/tasks/snapshot?format=json"), true, asJSON, 3)
		if got, want := s.snapshotWords(t, asJSON), countWords("one word more words"); !maps.Equal(got, want) {
			t.Errorf("the snapshot is %v, want %v", got, want)
		}

		// The end writes a last snapshot, though the task has stopped.
		s.task(t, "POST", "/tasks/snapshot/stop")
		s.post(t, "c", "last words")
		left, err := s.finish(t.Context())
		if err != nil {
			t.Error(err)
		}
		if got := s.snapshotWords(t, asJSON); !maps.Equal(got, left.total) || got["last"] != 1 {
			t.Errorf("the last snapshot is %v, and the books have %v", got, left.total)
		}
		onlyFile(t, s.snapshot)
	})
}

// A snapshot that cannot be written is told to whoever asks, and by the end of
// the service; the task goes on.
func TestTaskFails(t *testing.T) {
	logged(t)
	synctest.Test(t, func(t *testing.T) {
		set := testSettings(t, 1, 8, 1000)
		folder := filepath.Join(t.TempDir(), "later")
		set.snapshot = filepath.Join(folder, "snapshot")
		s := newTestService(t, set, countWords)
		status, failure := s.request(t, "POST", "/tasks/snapshot?format=csv", "", nil)
		if status != http.StatusInternalServerError || !strings.Contains(failure, "no snapshot was written") {
			t.Errorf("status %d, %s", status, failure)
		}
		if got := s.task(t, "GET", "/tasks/snapshot"); !got.Running || got.Error == "" || got.Format != asCSV {
			t.Errorf("the task is %+v", got)
		}
		if err := os.Mkdir(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		time.Sleep(s.period + time.Second)
		if got := s.task(t, "GET", "/tasks/snapshot"); got.Error != "" || got.Written != 1 {
			t.Errorf("when there is a folder the task is %+v", got)
		}
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
		if _, err := s.finish(t.Context()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the end without a last snapshot says %v", err)
		}
	})
}

// A task that has panicked is not running, and can be started again.
func TestTaskPanics(t *testing.T) {
	logged(t)
	synctest.Test(t, func(t *testing.T) {
		s := newTestService(t, testSettings(t, 1, 8, 1000), countWords)
		_, err := actor.Ask(t.Context(), s.commands, command{run: func(tasks *tasks, ctx context.Context) error {
			_, err := actor.Ask(ctx, tasks.address, errand{run: func(context.Context, *snapshots) error { panic("a disk too full") }}.to)
			return err
		}}.to)
		if !errors.Is(err, actor.ErrNoReply) {
			t.Errorf("the errand says %v", err)
		}
		synctest.Wait()
		if got := s.task(t, "GET", "/tasks/snapshot"); got.Running {
			t.Errorf("the task is %+v", got)
		}
		if got := s.task(t, "POST", "/tasks/snapshot/start"); !got.Running {
			t.Errorf("the task is %+v", got)
		}
	})
}
