package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// settings are what the flags say about the service itself.
type settings struct {
	workersMin     int           // how many count when there is little to do
	workersMax     int           // how many count when there is much
	queue          int           // how many pieces may be accepted and not yet counted
	maxBytes       int64         // the size of a text
	snapshot       string        // the file of the snapshots
	period         time.Duration // from one snapshot to the next
	grace          time.Duration // for an end in order
	restarts       int           // how many the service makes within restartsWithin before it gives up
	restartsWithin time.Duration
	allowCrash     bool // whether one may order a crash
	actions        bool // whether the page of the actors may halt, abort and restart them
}

func (s *settings) register(flags *flag.FlagSet) {
	flags.IntVar(&s.workersMin, "workers-min", 1, "`number` of workers when there is little to do")
	flags.IntVar(&s.workersMax, "workers-max", max(2, runtime.GOMAXPROCS(0)), "`number` of workers when there is much to do")
	flags.IntVar(&s.queue, "queue", 256, "`number` of pieces of text that may be accepted and not yet counted")
	flags.Int64Var(&s.maxBytes, "max-bytes", 1<<20, "size of the largest text in `bytes`")
	flags.StringVar(&s.snapshot, "snapshot", filepath.Join(os.TempDir(), "tinyactor-service.snapshot"), "`file` for the snapshots of the counts")
	flags.DurationVar(&s.period, "snapshot-every", 10*time.Second, "`time` from one snapshot to the next")
	flags.DurationVar(&s.grace, "grace", 10*time.Second, "`time` that an end in order may take")
	flags.BoolVar(&s.allowCrash, "allow-crash", false, "allow POST /crash, which makes a part of the service panic")
	flags.BoolVar(&s.actions, "actions", false, "let whoever sees the page of the actors halt, abort and restart them")
	flags.IntVar(&s.restarts, "restarts", 10, "`number` of restarts within -restarts-within after which the service ends")
	flags.DurationVar(&s.restartsWithin, "restarts-within", time.Second, "`time` in which that many restarts are too many")
}

func (s *settings) validate() error {
	switch {
	case s.workersMin < 1:
		return fmt.Errorf("-workers-min is %d and must be at least 1", s.workersMin)
	case s.workersMax < s.workersMin:
		return fmt.Errorf("-workers-max is %d and must be at least -workers-min, %d", s.workersMax, s.workersMin)
	case s.queue < 1:
		return fmt.Errorf("-queue is %d and must be at least 1", s.queue)
	case s.maxBytes < 1:
		return fmt.Errorf("-max-bytes is %d and must be at least 1", s.maxBytes)
	case s.snapshot == "":
		return fmt.Errorf("-snapshot is empty and must be the name of a file")
	case s.period <= 0:
		return fmt.Errorf("-snapshot-every is %v and must be positive", s.period)
	case s.restarts < 0:
		return fmt.Errorf("-restarts is %d and must not be negative", s.restarts)
	case s.restartsWithin <= 0:
		return fmt.Errorf("-restarts-within is %v and must be positive", s.restartsWithin)
	case s.grace <= 0:
		return fmt.Errorf("-grace is %v and must be positive", s.grace)
	}
	return nil
}
