package supervisor_test

import (
	"testing"
	"weak"

	"tinyactor/supervisor"
)

// A worker that is in no tree is collected with its channel and what is in it, and
// so is one that was removed.
func TestH3AWorkerThatIsNeverStartedIsCollected(t *testing.T) {
	var workers []weak.Pointer[supervisor.Worker[*bulk]]
	var messages []weak.Pointer[bulk]
	template := func(int) *supervisor.Worker[*bulk] {
		w := &supervisor.Worker[*bulk]{Name: "w", Run: idlerOf[*bulk]}
		m := new(bulk)
		w.Address().SendNow(m)
		workers, messages = append(workers, weak.Make(w)), append(messages, weak.Make(m))
		return w
	}
	d := &supervisor.Dynamic[int, *bulk]{Name: "d", Template: template}
	s := start(t, &supervisor.Spec{Name: "root", Children: []supervisor.Child{d}})
	for i := range 5 {
		template(i)
		w, err := d.Add(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Remove(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	if !collected(workers) || !collected(messages) {
		t.Error("some are not collected")
	}
	stop(t, s)
}
