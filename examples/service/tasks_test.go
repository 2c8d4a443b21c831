package main

import (
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// task tells the task something, or asks about it.
func (s *service) askTask(t *testing.T, method, target string) taskInfo {
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
		is("at first", s.askTask(t, "GET", "/tasks/snapshot"), true, asJSON, 0)
		time.Sleep(s.period + time.Second)
		is("after a period", s.askTask(t, "GET", "/tasks/snapshot"), true, asJSON, 1)
		if got, want := s.snapshotWords(t, asJSON), countWords("one word"); !maps.Equal(got, want) {
			t.Errorf("the snapshot is %v, want %v", got, want)
		}

		is("stopped", s.askTask(t, "POST", "/tasks/snapshot/stop"), false, asJSON, 1)
		is("stopped again", s.askTask(t, "POST", "/tasks/snapshot/stop"), false, asJSON, 1)
		s.post(t, "b", "more words")
		time.Sleep(10 * s.period)
		is("after ten periods more", s.askTask(t, "GET", "/tasks/snapshot"), false, asJSON, 1)
		is("with a format for later", s.askTask(t, "POST", "/tasks/snapshot?format=csv"), false, asCSV, 1)
		if got, want := s.snapshotWords(t, asJSON), countWords("one word"); !maps.Equal(got, want) {
			t.Errorf("the snapshot is %v, want %v", got, want)
		}

		is("started", s.askTask(t, "POST", "/tasks/snapshot/start"), true, asCSV, 1)
		is("started again", s.askTask(t, "POST", "/tasks/snapshot/start"), true, asCSV, 1)
		time.Sleep(s.period + time.Second)
		is("after a period", s.askTask(t, "GET", "/tasks/snapshot"), true, asCSV, 2)
		s.snapshotWords(t, asCSV)

		is("with a new format", s.askTask(t, "POST", "/tasks/snapshot?format=json"), true, asJSON, 3)
		if got, want := s.snapshotWords(t, asJSON), countWords("one word more words"); !maps.Equal(got, want) {
			t.Errorf("the snapshot is %v, want %v", got, want)
		}

		// The end writes a last snapshot, though the task has stopped.
		s.askTask(t, "POST", "/tasks/snapshot/stop")
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
		if got := s.askTask(t, "GET", "/tasks/snapshot"); !got.Running || got.Error == "" || got.Format != asCSV {
			t.Errorf("the task is %+v", got)
		}
		if err := os.Mkdir(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		time.Sleep(s.period + time.Second)
		if got := s.askTask(t, "GET", "/tasks/snapshot"); got.Error != "" || got.Written != 1 {
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

// A task that has panicked is started again, with the format that it had, and one
// that was stopped stays so when those before it are restarted.
func TestTaskRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestService(t, testSettings(t, 1, 8, 1000), countWords)
		s.askTask(t, "POST", "/tasks/snapshot?format=csv")
		s.askTask(t, "POST", "/crash?what=task")
		time.Sleep(s.period + time.Second)
		if got := s.askTask(t, "GET", "/tasks/snapshot"); !got.Running || got.Written != 2 || got.Format != asCSV {
			t.Errorf("after a crash the task is %+v", got)
		}
		s.snapshotWords(t, asCSV)

		s.askTask(t, "POST", "/tasks/snapshot/stop")
		if status, failure := s.request(t, "POST", "/crash?what=task", "", nil); status != http.StatusConflict || !strings.Contains(failure, "stopped") {
			t.Errorf("to crash a stopped task: status %d, %s", status, failure)
		}
		told := s.order(t, "store")
		synctest.Wait()
		s.post(t, "a", "a word")
		<-told
		time.Sleep(2 * s.period)
		if got := s.askTask(t, "GET", "/tasks/snapshot"); got.Running || got.Written != 2 {
			t.Errorf("after a restart of the store the stopped task is %+v", got)
		}
		s.askTask(t, "POST", "/tasks/snapshot/start")
		time.Sleep(s.period + time.Second)
		if got := s.askTask(t, "GET", "/tasks/snapshot"); !got.Running || got.Written != 3 {
			t.Errorf("started again the task is %+v", got)
		}
		var got stats
		s.request(t, "GET", "/stats", "", &got)
		if want := map[string]int{"store": 1, "workers": 0, "foreman": 0, "snapshot": 1}; !maps.Equal(got.Restarts, want) {
			t.Errorf("the restarts are %v, want %v", got.Restarts, want)
		}
	})
}

// A task that waits for a store that crashes does not hold up the restart, and
// writes what it was sent for when both are back.
func TestTaskWaitsForStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestService(t, testSettings(t, 1, 8, 1000), countWords)
		told := s.order(t, "store")
		held := make(chan struct{})
		if err := s.store.address.Send(t.Context(), hold(held)); err != nil {
			t.Fatal(err)
		}
		s.store.tell(counted{pieceID: pieceID{Text: "none"}}) // the store crashes on it
		written := make(chan taskInfo)
		go func() { written <- s.askTask(t, "POST", "/tasks/snapshot?format=csv") }()
		synctest.Wait()
		start := time.Now()
		close(held)
		<-told
		if got := <-written; got.Written != 1 || got.Format != asCSV {
			t.Errorf("the task is %+v", got)
		}
		if took := time.Since(start); took > 0 {
			t.Errorf("the restart took %v", took)
		}
	})
}
