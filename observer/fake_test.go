package observer

import (
	"strconv"
	"sync"

	"tinyactor/internal/inspect"
)

// fake is an actor that a test makes up.
type fake struct {
	mu      sync.Mutex
	reading inspect.Reading
	waits   []inspect.Wait
	stacks  map[int]string
	parked  func() inspect.Parking // nil: its processes are asleep
	dump    func()                 // called by each Parked, if set
	told    []string
}

func (f *fake) Read() inspect.Reading {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reading
}

func (f *fake) Waits() []inspect.Wait {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]inspect.Wait(nil), f.waits...)
}

func (f *fake) Parked(all []inspect.Sleeper) []inspect.Parking {
	f.mu.Lock()
	dump := f.dump
	f.mu.Unlock()
	if dump != nil {
		dump()
	}
	found := make([]inspect.Parking, len(all))
	for i, w := range all {
		x := w.Actor.Source.(*fake)
		x.mu.Lock()
		parked := x.parked
		x.mu.Unlock()
		found[i] = inspect.Asleep
		if parked != nil {
			found[i] = parked()
		}
	}
	return found
}

func (f *fake) Stacks() map[int]string { return f.stacks }
func (f *fake) Halt()                  { f.told = append(f.told, "halt") }

func (f *fake) Abort() bool {
	f.told = append(f.told, "abort")
	return len(f.told) == 1
}

// set changes what a fake shows.
func (f *fake) set(change func(*fake)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// bear makes an observer see a fake, which the caller has to keep.
func bear(o *Observer, id uint64, name string, f *fake) *inspect.Actor {
	if f.reading.Path == "" {
		f.reading.Path = name
		if name == "" {
			f.reading.Path = "#" + strconv.FormatUint(id, 10)
		}
	}
	a := &inspect.Actor{Source: f, ID: id, Name: name, Message: "int"}
	(*sink)(o).Born(a)
	return a
}
