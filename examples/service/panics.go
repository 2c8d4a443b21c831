package main

import (
	"errors"
	"log/slog"

	"tinyactor/actor"
)

// panics is an observer that logs the panics in actors instead of the library,
// but for those that were ordered: whoever has ordered one is told of it.
type panics struct{}

func (panics) LogsPanics() bool { return true }

func (panics) Observe(e actor.Event) {
	if e.Kind != actor.EventPanicked || isOrdered(e.Err) {
		return
	}
	slog.Error("actor panicked", "actor", e.Name, "process", e.Process, "error", e.Err, "stack", e.Stack)
}

func isOrdered(err error) bool {
	var panicked *actor.PanicError
	if !errors.As(err, &panicked) {
		return false
	}
	_, is := panicked.Value.(ordered)
	return is
}
