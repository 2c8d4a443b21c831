package supervisor

import (
	"testing"

	"tinyactor/actor"
)

// An incarnation that only closes what the one before has stopped goes on with its
// report: the children were not "not running", they were aborted.
func TestReportGoesOnWithWhatTheIncarnationBeforeTold(t *testing.T) {
	c := &cell{ref: new(actor.Address[int])}
	before := &shell{story: story{told: []*telling{{Report: Report{Name: "child", Ending: Aborted}, cell: c, aborted: true}}}}
	after := &shell{m: &machine{ending: true}, cells: map[int]*cell{1: c, 2: {ref: c.ref}}}
	after.story.goOn(before)
	if got := after.story.find(after, 1); got.Ending != Aborted || got.Name != "child" || !got.aborted {
		t.Errorf("the child that was aborted before is reported as %+v", got)
	}
	if got := after.story.find(after, 2); got.Ending != NotRunning {
		t.Errorf("the other one is reported as %+v", got)
	}
}
