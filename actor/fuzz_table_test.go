package actor_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// fuzzed says which test gives anything to each exported function, method and
// field that takes a number, a duration or a structure.
var fuzzed = map[string]func(*testing.F){
	"func Bounded":                   FuzzO5Bounded,
	"func Backpressure":              FuzzO5Backpressure,
	"func SpawnPool":                 FuzzO5SpawnPool,
	"func Spawn[M any]":              FuzzO1Config,
	"func SpawnValue":                FuzzO1Config,
	"field Config.AbortTimer":        FuzzO1Config,
	"method (*Address[M]) SendAfter": FuzzS11Timers,
	"method (*Address[M]) SendEvery": FuzzS11Timers,
	"method (*Child[M, E]) Attach":   FuzzO1Attach,
	"method (*Pool[M, E]) Attach":    FuzzO1Attach,
	"method (*Pool[M, E]) HaltSome":  FuzzO5SpawnPool,
	"method (*Inbox[M]) RecvBatch":   FuzzR7RecvBatch,
	"field PanicError.Stack":         FuzzE4PanicError,
	"field Config.Capacity Capacity": FuzzO5Backpressure,
	"method (*PanicError) Error":     FuzzE4PanicError,
}

// given are the exported names that users get and do not give: there is nothing
// to fuzz.
var given = regexp.MustCompile(`^(field (Event|Exit)\.|method Observer\.)`)

// TestO5InputsAreFuzzed finds what is new and takes numbers, durations or
// structures.
func TestO5InputsAreFuzzed(t *testing.T) {
	api, err := os.ReadFile("api.txt")
	if err != nil {
		t.Fatal(err)
	}
	input := regexp.MustCompile(`^(func|method) .*?\w\([^)]*(\bint|float64|time\.Duration|\bConfig|Event\))|^field .*( int| float64|time\.Duration| Capacity|\[\]byte)$`)
	for line := range strings.Lines(string(api)) {
		line = strings.TrimSuffix(line, "\n")
		if !input.MatchString(line) || given.MatchString(line) {
			continue
		}
		found := false
		for name := range fuzzed {
			found = found || strings.HasPrefix(line, name)
		}
		if !found {
			t.Errorf("no fuzz test gives anything to: %s", line)
		}
	}
}
