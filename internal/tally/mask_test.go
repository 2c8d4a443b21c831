package tally_test

import (
	"testing"

	"tinyactor/internal/tally"
)

func TestMask(t *testing.T) {
	for name, want := range map[string]string{
		"":               "",
		"cache":          "cache",
		"worker-1":       "worker-*",
		"worker-12":      "worker-*",
		"worker12":       "worker*",
		"worker 7 of 16": "worker * of *",
		"http2server":    "http*server",
		"#17":            "#*",
		"orders/3/items": "orders/*/items",
		"10.0.0.1:8080":  "*.*.*.*:*",
		"session-550e8400-e29b-41d4-a716-446655440000":      "session-*",
		"session-550E8400-E29B-41D4-A716-446655440000.x":    "session-*.x",
		"550e8400-e29b-41d4-a716-446655440000abcdefghijklm": "*-e*b-*-a*-*", // is none
		"trace-4bf92f3577b34da6a3ce929d0e0e4736":            "trace-*",
		"upload_01ARZ3NDEKTSV4RRFFQ69G5FAV":                 "upload_*",
		"user3f2a":                                          "user*",
		"3f2a":                                              "*",
		"deadbeef":                                          "deadbeef", // a word, for all we know
		"deadbee5":                                          "*",
		"characterful":                                      "characterful",
		"Grüße-3":                                           "Grüße-*",
		"アクター9号":                                            "アクター*号",
	} {
		if got := tally.Mask(name); got != want {
			t.Errorf("Mask(%q) = %q, want %q", name, got, want)
		}
		if got := tally.Mask(tally.Mask(name)); got != want {
			t.Errorf("%q is masked once more to %q", want, got)
		}
	}
}

func BenchmarkMask(b *testing.B) {
	for b.Loop() {
		tally.Mask("sessions/worker-12")
	}
}
