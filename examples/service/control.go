package main

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"tinyactor/supervisor"
)

const (
	crashPatience  = 3 * time.Second // for somebody that gets a piece
	healthPatience = time.Second     // for the store's answer
)

// getTask answers with what the task is doing.
func (s *service) getTask(w http.ResponseWriter, r *http.Request) {
	if isTask(w, r) {
		reply(w, http.StatusOK, s.task.info())
	}
}

// changeTask changes what the task does, while it does it.
func (s *service) changeTask(w http.ResponseWriter, r *http.Request) {
	if !isTask(w, r) {
		return
	}
	f := format(r.URL.Query().Get("format"))
	if !slices.Contains(formats, f) {
		fail(w, http.StatusBadRequest, "format is %q and must be one of %v", f, formats)
		return
	}
	err := s.task.setFormat(r.Context(), f)
	answer(w, http.StatusOK, s.task.info(), err)
}

// controlTask stops and starts the task. To stop one that has stopped and to
// start one that is running changes nothing.
func (s *service) controlTask(w http.ResponseWriter, r *http.Request) {
	if !isTask(w, r) {
		return
	}
	actions := map[string]func(*task, context.Context) error{"stop": (*task).stop, "start": (*task).start}
	run := actions[r.PathValue("action")]
	if run == nil {
		fail(w, http.StatusNotFound, "a task cannot %q; it can stop and start", r.PathValue("action"))
		return
	}
	err := run(s.task, r.Context())
	answer(w, http.StatusOK, s.task.info(), err)
}

func isTask(w http.ResponseWriter, r *http.Request) bool {
	if r.PathValue("task") == taskName {
		return true
	}
	fail(w, http.StatusNotFound, "there is no task %q; there is snapshot", r.PathValue("task"))
	return false
}

// postCrash makes a child of the tree panic, and answers when it has: a worker
// that has a piece in hand, the store with the count of a piece in hand (with the
// piece), or the task.
func (s *service) postCrash(w http.ResponseWriter, r *http.Request) {
	if !s.allowCrash {
		fail(w, http.StatusForbidden, "a crash is not allowed; the service must be started with -allow-crash")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), crashPatience)
	defer cancel()
	var orders crashes
	switch what := cmp.Or(r.URL.Query().Get("what"), "worker"); what {
	case "worker":
		orders = s.workers.crashes
	case "store":
		orders = s.store.crashes
	case "task":
		if err := s.task.crash(ctx); err != nil {
			fail(w, http.StatusConflict, "the task did not crash: %v", err)
			return
		}
		reply(w, http.StatusOK, s.task.info())
		return
	default:
		fail(w, http.StatusBadRequest, "what is %q and must be worker, store or task", what)
		return
	}
	id, err := orders.order(ctx)
	if err != nil {
		fail(w, http.StatusConflict, "nobody had a piece in hand within %v: post a text", crashPatience)
		return
	}
	reply(w, http.StatusOK, id)
}

// stats are figures of the service. Those of the account are of one moment, so
// that accepted = processed + handed back + crashed + open; the others may be
// of a moment later.
type stats struct {
	Accepted   int            `json:"accepted"`
	Processed  int            `json:"processed"`
	HandedBack int            `json:"handed_back"`
	Crashed    int            `json:"crashed"`
	Open       int            `json:"open"`      // pieces that wait or are in hand
	Refused    int            `json:"refused"`   // posts
	Requests   int64          `json:"requests"`  // under way, this one too
	Staff      int            `json:"staff"`     // workers on duty
	Queues     map[string]int `json:"queues"`    // how many messages wait, by child
	Processes  map[string]int `json:"processes"` // how many live, by child; of the workers, those that work
	Restarts   map[string]int `json:"restarts"`  // how many there were because of a child, by child
}

func (s *service) getStats(w http.ResponseWriter, r *http.Request) {
	var store storeInfo
	err := askFor(r.Context(), s.store.address, inspect{}.to, &store)
	a := store.account
	got := stats{
		Accepted:   a.accepted,
		Processed:  a.processed,
		HandedBack: a.handedBack,
		Crashed:    a.crashed,
		Open:       a.open(),
		Refused:    store.refused,
		Requests:   s.underWay.Load(),
		Staff:      s.workers.roster.size(),
		Queues: map[string]int{
			"store": s.store.address.Len(), "workers": s.workers.child.Address().Len(), taskName: s.task.child.Address().Len(),
		},
		Processes: make(map[string]int),
		Restarts:  make(map[string]int),
	}
	for _, child := range s.tree.Children() {
		got.Processes[child.Name], got.Restarts[child.Name] = child.Processes, child.Restarts
	}
	got.Processes["workers"] = int(s.workers.roster.working.Load())
	answer(w, http.StatusOK, got, err)
}

// getHealth answers 200 as long as texts are taken. A restart takes no longer
// than the store's answer may.
func (s *service) getHealth(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), healthPatience)
	defer cancel()
	var store storeInfo
	err := askFor(ctx, s.store.address, inspect{}.to, &store)
	if err == nil && store.stopping {
		err = errStopping
	}
	if workers, known := s.tree.Which("workers"); err == nil && (!known || workers.State == supervisor.Stopped) {
		err = errors.New("there is no worker")
	}
	answer(w, http.StatusOK, map[string]string{"status": "ok"}, err)
}
