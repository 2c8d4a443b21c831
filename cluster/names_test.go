package cluster

import (
	"errors"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for _, name := range []string{"orders", "a.b-c_D.9", strings.Repeat("x", maxName)} {
		if err := checkName("name", name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{
		"", ".", "a.", ".a", "a..b", "*", "a.*", ">", "a.>", "a b", "a\tb", "a\r\nPUB x 0\r\n", "ä", "a/b", "$SYS", "a\x00", strings.Repeat("x", maxName+1),
	} {
		if err := checkName("name", name); !errors.Is(err, ErrBadName) {
			t.Errorf("checkName(%q) = %v", name, err)
		}
	}
}

// What the package's doc says, under Security, of names with dots: permissions are
// written by it.
func TestNamesInSubjects(t *testing.T) {
	s := subjects{"my_shop.eu"}
	for want, got := range map[string]string{
		"my__shop_-eu-leases":             s.bucket(),
		"my_shop+eu=jobs+low":             s.stream("jobs.low"),
		"my_shop+eu=jobs+low=aside":       s.aside("jobs.low"),
		"my_shop.eu.durable.jobs+low.3":   s.stored("jobs.low", "3"),
		"my_shop.eu.aside.jobs+low.7":     s.setAside("jobs.low", "7"),
		"my_shop.eu.node.n-1.in.jobs.low": s.inbox("n-1", "jobs.low"),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// A reply subject is a node's control subject, or nothing is sent there.
func TestControlOf(t *testing.T) {
	s := subjects{"app"}
	if node, ok := s.controlOf(s.control("a_b-1")); !ok || node != "a_b-1" {
		t.Errorf("got %q, %v", node, ok)
	}
	for _, reply := range []string{"", "app.node..ctl", "app.node.*.ctl", "app.node.>.ctl", "other.node.a.ctl", "app.node.a.in.x", "app.node.ctl", "app.node.a.b.ctl", "$SYS.REQ.SERVER.PING"} {
		if node, ok := s.controlOf(reply); ok {
			t.Errorf("controlOf(%q) = %q", reply, node)
		}
	}
}

func FuzzNames(f *testing.F) {
	for _, seed := range []string{"orders", "a.*", "a..b", ">", "a b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if checkName("name", name) == nil && (strings.ContainsAny(name, "*> \t\r\n$") || strings.Contains("."+name+".", "..")) {
			t.Errorf("%q passes", name)
		}
	})
}
