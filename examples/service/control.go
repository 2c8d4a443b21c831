package main

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"
)

const (
	crashPatience  = 3 * time.Second // for a worker that gets a piece
	healthPatience = time.Second     // for the store's answer
)

// getTask answers with what the task is doing.
func (s *service) getTask(w http.ResponseWriter, r *http.Request) {
	if isTask(w, r) {
		ask(w, r, s.commands, command{run: (*tasks).look}.to)
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
	ask(w, r, s.commands, command{run: func(t *tasks, ctx context.Context) error { return t.setFormat(ctx, f) }}.to)
}

// controlTask stops and starts the task. To stop one that has stopped and to
// start one that is running changes nothing.
func (s *service) controlTask(w http.ResponseWriter, r *http.Request) {
	if !isTask(w, r) {
		return
	}
	actions := map[string]func(*tasks, context.Context) error{"stop": (*tasks).stop, "start": (*tasks).start}
	run := actions[r.PathValue("action")]
	if run == nil {
		fail(w, http.StatusNotFound, "a task cannot %q; it can stop and start", r.PathValue("action"))
		return
	}
	ask(w, r, s.commands, command{run: run}.to)
}

func isTask(w http.ResponseWriter, r *http.Request) bool {
	if r.PathValue("task") == "snapshot" {
		return true
	}
	fail(w, http.StatusNotFound, "there is no task %q; there is snapshot", r.PathValue("task"))
	return false
}

// postCrash makes a worker that has a piece in hand panic, and answers with the
// piece.
func (s *service) postCrash(w http.ResponseWriter, r *http.Request) {
	if !s.allowCrash {
		fail(w, http.StatusForbidden, "a crash is not allowed; the service must be started with -allow-crash")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), crashPatience)
	defer cancel()
	id, err := s.workers.crash(ctx)
	if err != nil {
		fail(w, http.StatusConflict, "no worker had a piece in hand within %v: post a text", crashPatience)
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
	Restarts   int            `json:"restarts"`  // of workers
	Requests   int64          `json:"requests"`  // under way, this one too
	Queues     map[string]int `json:"queues"`    // how many messages wait, by actor
	Processes  map[string]int `json:"processes"` // how many live, by actor
}

func (s *service) getStats(w http.ResponseWriter, r *http.Request) {
	var (
		store storeInfo
		staff staffInfo
	)
	err := cmp.Or(
		askFor(r.Context(), s.address, inspect{}.to, &store),
		askFor(r.Context(), s.workers.orders, report{}.to, &staff),
	)
	a := store.account
	answer(w, http.StatusOK, stats{
		Accepted:   a.accepted,
		Processed:  a.processed,
		HandedBack: a.handedBack,
		Crashed:    a.crashed,
		Open:       a.open(),
		Refused:    store.refused,
		Restarts:   staff.restarts,
		Requests:   s.underWay.Load(),
		Queues: map[string]int{
			"workers": s.workers.pool.Len(), "foreman": s.workers.foreman.Len(), "store": s.store.Len(), "tasks": s.tasks.Len(),
		},
		Processes: map[string]int{
			"workers": s.workers.pool.Processes(), "foreman": s.workers.foreman.Processes(), "store": s.store.Processes(), "tasks": s.tasks.Processes(),
		},
	}, err)
}

// getHealth answers 200 as long as texts are taken.
func (s *service) getHealth(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), healthPatience)
	defer cancel()
	var store storeInfo
	err := askFor(ctx, s.address, inspect{}.to, &store)
	if err == nil && store.stopping {
		err = errStopping
	}
	if err == nil && s.workers.pool.Processes() == 0 {
		err = errors.New("there is no worker")
	}
	answer(w, http.StatusOK, map[string]string{"status": "ok"}, err)
}
