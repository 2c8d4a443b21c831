package actor_test

import (
	"encoding/hex"
	"flag"
	"math/rand/v2"
	"testing"
	"testing/synctest"
)

var fuzzSeeds = flag.Int("seeds", 2000, "how many random sequences to try")

// FuzzS3Sequences runs sequences of operations on one actor against a plain
// model: see fuzz_model_test.go. The first byte says what actor it is, each
// further pair of bytes is an operation and its argument.
func FuzzS3Sequences(f *testing.F) {
	for _, ops := range []string{
		// kind, then (operation, argument) pairs; the kinds are in fuzzKinds.
		"\x01" + "\x00\x00\x00\x01\x00\x02\x05\x00\x05\x00\x05\x00", // waiting senders get room in order
		"\x01" + "\x00\x00\x00\x01\x00\x02\x0f\x00\x05\x00\x05\x00", // one of them is cancelled
		"\x01" + "\x00\x00\x00\x01\x00\x02\x09\x00\x05\x00\x05\x00", // close with waiting senders
		"\x00" + "\x05\x00\x07\x01\x00\x00\x10\x07\x00\x00\x0a\x00", // a batch gathers, then halt
		"\x00" + "\x07\x0b\x00\x00\x00\x00\x0c\x00\x0d\x00",         // abort gives a batch back
		"\x03" + "\x05\x00\x05\x01\x05\x02\x00\x00\x0b\x02\x00\x00\x0e\x00\x05\x01",
		"\x04" + "\x03\x00\x03\x00\x05\x00\x05\x01\x12\x00\x0d\x00\x0d\x01\x12\x01", // asks, answers, exits
		"\x04" + "\x03\x00\x03\x00\x03\x00\x05\x00\x05\x01\x0c\x00\x0e\x00\x0d\x02",
		"\x02" + "\x00\x00\x00\x00\x00\x00\x11\x03\x05\x00\x00\x01\x09\x00", // backpressure
		"\x03" + "\x0e\x00\x0e\x00\x0d\x00\x0d\x00\x0d\x00\x0d\x00\x0e\x00\x00\x00",
	} {
		f.Add([]byte(ops))
	}
	f.Fuzz(func(t *testing.T, ops []byte) {
		captureLogs(t) // who is aborted before it looked at its halt is reported
		fuzzSequence(t, ops[:min(len(ops), 200)])
	})
}

// TestS3RandomSequences does the same for some thousand random seeds.
func TestS3RandomSequences(t *testing.T) {
	captureLogs(t)
	for seed := range *fuzzSeeds {
		rnd := rand.New(rand.NewPCG(uint64(seed), 1))
		ops := make([]byte, 1+2*(5+rnd.IntN(30)))
		for i := range ops {
			ops[i] = byte(rnd.Uint32())
		}
		if fuzzSequence(t, ops); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// fuzzSequence runs one sequence in a bubble, which makes it deterministic: an
// operation starts when everything that the one before it caused has happened.
func fuzzSequence(t *testing.T, ops []byte) {
	complete := false
	defer func() {
		if !complete || t.Failed() { // also a panic, a deadlock for one
			t.Logf("sequence %s", hex.EncodeToString(ops))
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		if len(ops) == 0 {
			return
		}
		r := newFuzzRun(t, ops[0])
		defer r.cleanUp()
		for i := 1; i+1 < len(ops) && !t.Failed(); i += 2 {
			r.step(ops[i], int(ops[i+1]))
			r.check()
		}
		r.finish()
	})
	complete = true
}
