package embedded_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// network is some machines that are connected by a switch, all of them network
// namespaces of this one. It needs Debian's package iproute2, and root.
type network string // what the names of the namespaces begin with

const cutEnv = "TINYACTOR_CLUSTER_TEST_NETWORK"

// newNetwork makes one for a test, which is skipped where that is not allowed.
func newNetwork(t testing.TB, machines ...string) network {
	t.Helper()
	n := network(fmt.Sprint("tinyactor", os.Getpid()))
	if _, err := exec.LookPath("ip"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no ip, of package iproute2: ", err)
		}
		t.Skip("there is no ip, of package iproute2: ", err)
	}
	for _, name := range append([]string{"switch"}, machines...) {
		if out, err := exec.Command("ip", "netns", "add", n.name(name)).CombinedOutput(); err != nil {
			t.Skipf("no network namespaces here: %v: %s", err, out)
		}
		t.Cleanup(func() { n.ip(t, "netns", "del", n.name(name)) })
	}
	n.ip(t, "-n", n.name("switch"), "link", "add", "name", "bridge", "type", "bridge")
	n.ip(t, "-n", n.name("switch"), "link", "set", "bridge", "up")
	for i, name := range machines {
		n.ip(t, "-n", n.name("switch"), "link", "add", "name", name, "type", "veth", "peer", "name", "eth0", "netns", n.name(name))
		n.ip(t, "-n", n.name("switch"), "link", "set", "dev", name, "master", "bridge", "up")
		n.ip(t, "-n", n.name(name), "addr", "add", n.address(i)+"/24", "dev", "eth0")
		n.ip(t, "-n", n.name(name), "link", "set", "eth0", "up")
		n.ip(t, "-n", n.name(name), "link", "set", "lo", "up")
	}
	return n
}

func (n network) name(machine string) string { return string(n) + "-" + machine }

// address is that of the machine with this number.
func (n network) address(i int) string { return "10.0.0." + strconv.Itoa(i+1) }

func (n network) ip(t testing.TB, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Errorf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// cut takes a machine from the network: nothing comes to it or from it, and
// nobody is told.
func (n network) cut(t testing.TB, machine string) {
	t.Helper()
	n.ip(t, "-n", n.name("switch"), "link", "set", "dev", machine, "down")
}

// heal connects it again.
func (n network) heal(t testing.TB, machine string) {
	t.Helper()
	n.ip(t, "-n", n.name("switch"), "link", "set", "dev", machine, "up")
}

// TestFaultsCut has three nodes with clustered servers on machines of their own,
// under load. The one on which a singleton runs is cut off, and connected again.
// Every message must be accounted for, and the singleton move.
func TestFaultsCut(t *testing.T) {
	machines := []string{"a", "b", "c", "parent"}
	if n := network(os.Getenv(cutEnv)); n != "" {
		n.faults(t, machines)
		return
	}
	t.Parallel()
	n := newNetwork(t, machines...)
	// This test once more, on a machine of that network.
	cmd := exec.Command("ip", "netns", "exec", n.name("parent"), os.Args[0],
		"-test.run=^TestFaultsCut$", "-test.v", "-test.timeout=10m", fmt.Sprint("-faults.n=", *faultRounds))
	cmd.Env = append(os.Environ(), cutEnv+"="+string(n))
	out, err := cmd.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "===") {
			fmt.Print("cut: ", line)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

func (n network) faults(t *testing.T, machines []string) {
	parent := slices.Index(machines, "parent")
	var routes []string
	for i := range machines {
		routes = append(routes, n.address(i)+":6222")
	}
	s := start(t, embedded.Config{Name: "parent", Route: routes[parent], Routes: routes})
	all := &trio{t: t, diary: t.TempDir() + "/diary"}
	for i, name := range machines[:parent] {
		c := &child{t: t, netns: n.name(name), cfg: childConfig{
			Name: name, Route: routes[i], Routes: routes[:parent], Listen: n.address(i) + ":4222",
			Log: t.TempDir() + "/" + name, Store: t.TempDir(), Diary: all.diary,
		}}
		c.launch()
		t.Cleanup(c.kill)
		all.children = append(all.children, c)
	}
	for _, c := range all.children {
		c.await()
	}
	books := newLedger()
	node := join(t, s, cluster.Config{Name: "parent", Undelivered: books.report})
	l := books.load(t, node, len(all.children))
	c, m := all.holder(0)
	for i := range *faultRounds {
		leads, bound := i%2 == 1, 5*time.Second
		if leads {
			bound = 15 * time.Second
		}
		all.lead(c, leads)
		n.cut(t, c.cfg.Name)
		begun := time.Now()
		l.gone("cut off", c)
		next, moved := all.holder(m.Fence)
		took := spent(begun, moved.At)
		if took < 0 {
			t.Errorf("the singleton moved %v before its node was cut off: that of the one before came back, and took the lease", -took)
		} else if took > bound {
			t.Errorf("the singleton moved after %v", took)
		}
		gaveUp := spent(begun, all.gaveUp(m))
		if gaveUp > 15*time.Second {
			t.Errorf("the one that was cut off gave up after %v", gaveUp)
		}
		fmt.Printf("cut off (leader of the bucket: %v): the singleton moved after %v, its old place gave it up after %v\n",
			leads, took.Round(time.Millisecond), gaveUp.Round(time.Millisecond))
		n.heal(t, c.cfg.Name)
		healed := time.Now()
		eventuallyIn(t, time.Minute, "it is back in the pool", func() bool { return len(l.work.Nodes()) == l.nodes })
		fmt.Printf("healed: back in the pool after %v\n", time.Since(healed).Round(time.Millisecond))
		c, m = next, moved
	}
	l.stop()
	var drains sync.WaitGroup // all at once: the last would wait for the KV store
	for _, c := range all.children {
		drains.Go(c.drain)
	}
	drains.Wait()
	if err := node.Drain(within(t, 10*time.Second)); err != nil {
		t.Error(err)
	}
	books.check(t, all.children)
	fmt.Printf("two were there at the same time for at most %v\n", all.check().Round(time.Millisecond))
}

// gaveUp returns when the singleton that began at m noticed that it had lost the
// lease.
func (all *trio) gaveUp(m moment) (at time.Time) {
	all.t.Helper()
	eventuallyIn(all.t, 30*time.Second, "it has given up", func() bool {
		notes := diary(all.t, all.diary)
		i := slices.IndexFunc(notes, func(n moment) bool { return n.Fence == m.Fence && n.What != "begin" && n.What != "there" })
		if i < 0 {
			return false
		}
		at = notes[i].At
		if !strings.Contains(notes[i].What, cluster.ErrLeaseLost.Error()) {
			all.t.Errorf("it ended with %s", notes[i].What)
		}
		return true
	})
	return at
}
