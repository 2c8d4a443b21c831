package supervisor_test

import (
	"testing"

	"tinyactor/supervisor"
)

func TestParityTree(t *testing.T) {
	otp(t, "tree", func(t *testing.T, d *diary) {
		c4 := d.worker("child4")
		once := d.worker("once", restart(supervisor.Temporary))
		c3 := d.worker("child3")
		top := start(t, &supervisor.Spec{Name: "top", Strategy: supervisor.OneForAll, Limit: limit(4)})
		add(t, top,
			&supervisor.Spec{Name: "sup1", Limit: limit(4), Children: []supervisor.Child{d.worker("child1"), d.worker("child2"), once}},
			&supervisor.Spec{Name: "sup2", Limit: limit(1)},
			&supervisor.Spec{Name: "sup3", Limit: limit(4), Restart: supervisor.Transient})
		wantErr(t, "Terminate", top.Terminate(soon(t), "sup3"), nil)
		wantCount(t, top, 3, 2, 3, 0)
		sup1, _ := top.Sub("sup1")
		sup2, _ := top.Sub("sup2")
		sup3, _ := top.Sub("sup3")
		tell(t, once, "return")
		wantCount(t, sup1, 2, 2, 0, 2)
		wantCount(t, sup2, 0, 0, 0, 0)
		add(t, sup2, c3, c4)
		wantCount(t, sup2, 2, 2, 0, 2)
		d.take()

		tell(t, c4, "crash") // only that one is restarted
		d.want(t, "-child4 +child4")
		wantCount(t, sup2, 2, 2, 0, 2)

		// One more is too many for sup2. The top restarts all, also sup3, which
		// was stopped by hand; but not what was added to sup2.
		tell(t, c3, "crash")
		d.want(t, "-child3 -child4 -child2 -child1 +child1 +child2")
		wantStates(t, top, "sup1=running sup2=running sup3=running")
		wantCount(t, top, 3, 3, 3, 0)
		// In OTP a temporary child that has ended is in the list again when its
		// supervisor was restarted. Here it has ended for good: it has an address,
		// and that is closed.
		wantStates(t, sup1, "child1=running child2=running")
		wantCount(t, sup2, 0, 0, 0, 0)
		wantCount(t, sup3, 0, 0, 0, 0)
		if !once.Address().Closed() || !c3.Address().Closed() {
			t.Error("the address of a child that is no more is open")
		}
		stop(t, top)
	})
	// family is a supervisor of one child, below another one. In OTP both have
	// global names; here their addresses are what stays.
	family := func(t *testing.T, d *diary) (top, sup2 *supervisor.Supervisor, sibling, server *supervisor.Worker[order]) {
		t.Helper()
		sibling, server = d.worker("sibling"), d.worker("server")
		top = start(t, &supervisor.Spec{Name: "top", Strategy: supervisor.OneForAll, Limit: limit(3), Children: []supervisor.Child{
			sibling,
			&supervisor.Spec{Name: "sup2", Strategy: supervisor.OneForAll, Limit: limit(3), AbortTimer: -1, Children: []supervisor.Child{server}},
		}})
		sup2, _ = top.Sub("sup2")
		d.take()
		return top, sup2, sibling, server
	}
	otp(t, "simple_global_supervisor", func(t *testing.T, d *diary) {
		top, sup2, sibling, server := family(t, d)
		tell(t, sibling, "crash") // sup2 is killed, because that is its abort timer
		d.want(t, "-sibling -server +sibling +server")
		for _, end := range []string{"goexit", "return"} {
			tell(t, server, end)
			d.want(t, "-server +server")
		}
		wantErr(t, "Terminate", sup2.Terminate(soon(t), "server"), nil)
		wantErr(t, "Restart", sup2.Restart(soon(t), "server"), nil)
		tell(t, server, "work")
		d.want(t, "-server +server server:work")
		stop(t, top)
		<-server.Address().Done()
		<-sup2.Done()
	})
}
