package observer

import (
	"bytes"
	"log/slog"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"time"
)

// betweenTraces is the time between two traces that are kept.
const betweenTraces = 10 * time.Second

// flight keeps what the runtime's flight recorder had when something went wrong.
// The zero flight has no recorder and does nothing.
type flight struct {
	saves throttle
	on    atomic.Bool // there is a recorder
	log   *slog.Logger

	mu       sync.Mutex // also for the recorder's WriteTo, of which there may be one at a time
	recorder *trace.FlightRecorder
	saved    []byte
	at       time.Time
}

// start begins to record. There may be one recorder in a program, and so it may
// fail: then that is logged, and nothing is recorded.
func (f *flight) start(age time.Duration, log *slog.Logger) {
	r := trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: age})
	if err := r.Start(); err != nil {
		log.Warn("observer: Options.Trace: the flight recorder does not start; nothing is recorded", "err", err)
		return
	}
	f.recorder, f.log = r, log
	f.on.Store(true)
}

// stop ends the recording. What was saved stays.
func (f *flight) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.on.Swap(false) {
		f.recorder.Stop()
		f.recorder = nil
	}
}

// save keeps what is recorded, and reports false if there is nothing or it did so
// a moment ago. It does not wait for that: it takes some milliseconds, and other
// observers are to hear of the event.
func (f *flight) save() bool {
	if !f.on.Load() || !f.saves.pass(betweenTraces) {
		return false
	}
	at := time.Now()
	go func() {
		if err := f.keep(at); err != nil {
			defer func() { _ = recover() }() // of the log's handler
			f.log.Warn("observer: Options.Trace: what was recorded cannot be kept", "err", err)
		}
	}()
	return true
}

// keep keeps what is recorded at this moment.
func (f *flight) keep(at time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.recorder == nil {
		return nil
	}
	var b bytes.Buffer
	if _, err := f.recorder.WriteTo(&b); err != nil {
		return err
	}
	f.saved, f.at = b.Bytes(), at
	return nil
}

// trace returns the last trace that was saved and of when it is.
func (o *Observer) trace() (trace []byte, at time.Time, ok bool) {
	o.flight.mu.Lock()
	defer o.flight.mu.Unlock()
	return o.flight.saved, o.flight.at, o.flight.saved != nil
}
