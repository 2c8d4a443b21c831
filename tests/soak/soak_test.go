package soak_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"tinyactor/tests/soak"
)

// Everything at once, for two seconds; make soak does it for as long as wanted.
func TestSoak(t *testing.T) {
	others := goleak.IgnoreCurrent()
	cfg := soak.Config{Duration: 2 * time.Second, Epoch: 400 * time.Millisecond}
	if testing.Short() {
		cfg = soak.Config{Epoch: 100 * time.Millisecond}
	}
	report := soak.Run(cfg)
	t.Log(report)
	for _, fault := range report.Faulty() {
		t.Error(fault)
	}
	if err := goleak.Find(others); err != nil {
		t.Error(err)
	}
	if report.Messages == 0 || len(report.Samples) < 2 {
		t.Error("too little has happened")
	}
}
