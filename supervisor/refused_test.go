package supervisor_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"tinyactor/supervisor"
)

// A child that a running supervisor refused is in no tree, and can be used in
// another.
func TestRefusedChildCanBeUsedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{d.worker("w")}})
		refused := d.worker("w")
		if err := s.Add(t.Context(), refused); !errors.Is(err, supervisor.ErrAlreadyStarted) {
			t.Fatalf("Add: %v", err)
		}
		other, err := supervisor.Start(t.Context(), &supervisor.Spec{Name: "other", Children: []supervisor.Child{refused}})
		if err != nil {
			t.Error(err)
		} else {
			stop(t, other)
		}
		stop(t, s)
	})
}
