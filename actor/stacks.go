package actor

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime"

	"tinyactor/internal/sched"
)

// dumpLimit is how much of a goroutine dump is looked at.
const dumpLimit = 16 << 20

// search is a wish to know where processes are.
type search struct {
	procs []*process
	found map[*process]string // nil until a dump was made for it
}

// searches are those of the whole program, as a dump stops all of it. Many are
// made at once when many actors are torn down and the program is slow; if each
// made its own dump, it would be slower, and more of them would seem stuck.
var searches struct {
	dumping sched.Mutex // held by who makes a dump

	mu      sched.Mutex
	waiting []*search
}

// findStacks returns where each of the processes is, unless a dump of at most
// dumpLimit bytes does not show it. The program stands still meanwhile: some
// 15 ms for ten thousand goroutines. Of those who call it at the same time, one
// makes the dump for all.
func findStacks(procs []*process) map[*process]string {
	if sched.Modeled {
		return nil // coroutines have no stacks to be seen
	}
	s := &search{procs: procs}
	searches.mu.Lock()
	searches.waiting = append(searches.waiting, s)
	searches.mu.Unlock()

	searches.dumping.Lock()
	defer searches.dumping.Unlock()
	if s.found == nil {
		searches.mu.Lock()
		all := searches.waiting
		searches.waiting = nil
		searches.mu.Unlock()
		findAll(all)
	}
	return s.found
}

// findAll makes a dump and ends the searches with it.
func findAll(all []*search) {
	of := make(map[string][]*search) // by the process's address, as the dump has it
	at := make(map[string]*process)
	for _, s := range all {
		s.found = make(map[*process]string, len(s.procs))
		for _, p := range s.procs {
			name := fmt.Sprintf("%p", p)
			at[name] = p
			of[name] = append(of[name], s)
		}
	}
	for goroutine := range bytes.SplitSeq(dump(), []byte("\n\n")) {
		for _, frame := range processFrames {
			i := bytes.LastIndex(goroutine, frame)
			if i < 0 {
				continue
			}
			arg := goroutine[i+len(frame):]
			arg = arg[:len(arg)-len(bytes.TrimLeft(arg, "0123456789abcdefx"))]
			if p := at[string(arg)]; p != nil {
				stack := string(goroutine) // a copy: reports are kept, the dump is not
				for _, s := range of[string(arg)] {
					s.found[p] = stack
				}
			}
		}
	}
}

// dump returns where all goroutines are.
func dump() []byte {
	buf := make([]byte, min(dumpLimit, max(64<<10, runtime.NumGoroutine()<<10))) // most take less than a kilobyte
	for {
		n := sched.Stacks(buf)
		if n < len(buf) || len(buf) >= dumpLimit {
			return buf[:n]
		}
		buf = make([]byte, min(4*len(buf), dumpLimit))
	}
}

// processFrames are how the functions whose argument is the process begin in a dump.
var processFrames = [][]byte{
	[]byte(reflect.TypeFor[process]().PkgPath() + ".runBody("),
	[]byte(reflect.TypeFor[process]().PkgPath() + ".runHandBack("),
	[]byte(reflect.TypeFor[process]().PkgPath() + ".runCrash("),
}
