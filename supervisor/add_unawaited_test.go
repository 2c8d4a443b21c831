package supervisor_test

import (
	"context"
	"errors"
	"testing"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// A worker that Add returned together with its ctx's error is started all the
// same, so it can be removed, whether the supervisor has come to the Add or not.
func TestRemoveAfterAnAddThatNobodyWaitedFor(t *testing.T) {
	d := &supervisor.Dynamic[int, int]{
		Name: "dynamic",
		Template: func(int) *supervisor.Worker[int] {
			return &supervisor.Worker[int]{Run: func(ctx context.Context, in *actor.Inbox[int]) error {
				_, err := in.Recv(ctx)
				return err
			}}
		},
	}
	s, err := supervisor.Start(t.Context(), &supervisor.Spec{Name: "root", Children: []supervisor.Child{d}})
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	for range 1000 {
		w, err := d.Add(ended, 0)
		if w == nil || err != nil && !errors.Is(err, context.Canceled) {
			t.Fatalf("Add: %v, %v", w, err)
		}
		if err := d.Remove(t.Context(), w); err != nil {
			t.Fatalf("Remove: %v", err)
		}
		<-w.Address().Done()
	}
	if n := d.Supervisor().Count().Specs; n != 0 {
		t.Errorf("%d workers are left", n)
	}
	if _, err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
