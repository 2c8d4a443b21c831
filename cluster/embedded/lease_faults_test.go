package embedded_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tinyactor/actor"
	"tinyactor/cluster"
)

var leaderKills = flag.Int("faults.leaders", 1, "how often TestFaultsSingleton kills the server that leads the KV bucket")

// moment is a line in the diary that the singletons of several processes keep in
// one file.
type moment struct {
	At    time.Time
	Node  string
	Fence uint64
	What  string // begin, there, end; or why it was aborted
}

// keepDiary is the body of a singleton that writes down that it is there.
func keepDiary(node *cluster.Node, path string) func(context.Context, *actor.Inbox[actor.None]) error {
	return func(ctx context.Context, in *actor.Inbox[actor.None]) error {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer file.Close()
		write := func(what string) error {
			line, err := json.Marshal(moment{time.Now(), node.ID(), cluster.Fence(ctx), what})
			if err == nil {
				_, err = file.Write(append(line, '\n')) // one write, which outlives the process
			}
			return err
		}
		if err := write("begin"); err != nil {
			return err
		}
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if err := write("there"); err != nil {
					return err
				}
			case <-in.Halting():
				if ctx.Err() != nil {
					return write(context.Cause(ctx).Error())
				}
				return write("end")
			}
		}
	}
}

// diary reads the file.
func diary(t testing.TB, path string) (notes []moment) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasSuffix(line, "\n") {
			break // it is being written
		}
		var n moment
		if err := json.Unmarshal([]byte(line), &n); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		notes = append(notes, n)
	}
	return notes
}

// trio is three processes with a server each that keep the leases together, and
// are candidates for one singleton.
type trio struct {
	t        testing.TB
	children []*child
	diary    string
}

func newTrio(t testing.TB) *trio {
	t.Helper()
	routes, clients := free(t, 3), free(t, 3)
	all := &trio{t: t, diary: t.TempDir() + "/diary"}
	for i := range 3 {
		name := string(rune('a' + i))
		c := &child{t: t, cfg: childConfig{
			Name: name, Route: routes[i], Routes: routes, Listen: clients[i],
			Log: t.TempDir() + "/" + name, Store: t.TempDir(), Diary: all.diary,
		}}
		c.launch() // all at once: a server that misses the first election waits for the next
		t.Cleanup(c.kill)
		all.children = append(all.children, c)
	}
	for _, c := range all.children {
		c.await()
	}
	return all
}

// holder returns where the singleton runs, waiting for a fencing number that is
// larger than the one given.
func (all *trio) holder(after uint64) (c *child, n moment) {
	all.t.Helper()
	within := 30 * time.Second
	eventuallyIn(all.t, within, fmt.Sprintf("the singleton runs with a fencing number after %d", after), func() bool {
		notes := diary(all.t, all.diary)
		i := slices.IndexFunc(notes, func(n moment) bool { return n.What == "begin" && n.Fence > after })
		if i < 0 {
			return false
		}
		n = notes[i]
		return true
	})
	i := slices.IndexFunc(all.children, func(c *child) bool { return c.id == n.Node })
	if i < 0 {
		all.t.Fatalf("%s is no child", n.Node)
	}
	return all.children[i], n
}

// bucket calls f with the stream of the leases as a living server other than c's
// knows it.
func (all *trio) bucket(c *child, f func(nc *nats.Conn, info *jetstream.StreamInfo) bool) bool {
	all.t.Helper()
	var urls []string
	for _, other := range all.children {
		if other != c {
			urls = append(urls, "nats://"+other.cfg.Listen)
		}
	}
	nc, err := nats.Connect(strings.Join(urls, ","))
	if err != nil {
		return false
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		all.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(all.t.Context(), 2*time.Second)
	defer cancel()
	s, err := js.Stream(ctx, "KV_tinyactor-leases")
	return err == nil && s.CachedInfo().Cluster != nil && f(nc, s.CachedInfo())
}

// lead waits until the child's server leads the bucket, or does not, and what was
// written under that leader is in all replicas: one that was cut off may be in the
// pool again long before, as each account has connections of its own between
// servers, and TCP waits longer for each time that it has heard nothing.
func (all *trio) lead(c *child, want bool) {
	all.t.Helper()
	leader, since := "", uint64(0)
	eventuallyIn(all.t, time.Minute, fmt.Sprintf("replicas are current, and that %s leads is %v", c.cfg.Name, want), func() bool {
		return all.bucket(nil, func(nc *nats.Conn, info *jetstream.StreamInfo) bool {
			if len(info.Cluster.Replicas) != 2 || slices.ContainsFunc(info.Cluster.Replicas, func(p *jetstream.PeerInfo) bool { return !p.Current || p.Offline || p.Lag > 0 }) {
				return false
			}
			if (info.Cluster.Leader == c.cfg.Name) == want {
				if leader != info.Cluster.Leader {
					leader, since = info.Cluster.Leader, info.State.LastSeq
				}
				return info.State.LastSeq > since
			}
			to := c.cfg.Name
			if !want {
				to = info.Cluster.Replicas[0].Name
			}
			nc.Request("$JS.API.STREAM.LEADER.STEPDOWN."+info.Config.Name, []byte(`{"placement":{"preferred":"`+to+`"}}`), time.Second)
			return false
		})
	})
}

// eventuallyIn is eventually for what takes longer.
func eventuallyIn(t testing.TB, d time.Duration, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	over := time.After(d)
	for !is() {
		select {
		case <-tick.C:
		case <-over:
			t.Fatalf("not within %v: %s", d, what)
		}
	}
}

// check reads the whole diary: numbers grow with every holder, and nobody is
// there for longer than the lease after the next one has begun. It returns the
// longest time for which two were there.
func (all *trio) check() (overlap time.Duration) {
	all.t.Helper()
	last := map[uint64]moment{}
	var begins []moment
	for _, n := range diary(all.t, all.diary) {
		if n.What == "begin" {
			begins = append(begins, n)
		}
		last[n.Fence] = n
	}
	for i, n := range begins[1:] {
		before := begins[i]
		if n.Fence <= before.Fence {
			all.t.Errorf("%s began with number %d, after %s with %d", n.Node, n.Fence, before.Node, before.Fence)
			continue
		}
		overlap = max(overlap, last[before.Fence].At.Sub(n.At))
	}
	if overlap > 15*time.Second {
		all.t.Errorf("two were there at the same time for %v", overlap)
	}
	return overlap
}

func TestSingletonFaults(t *testing.T) {
	t.Parallel()
	all := newTrio(t)
	c, n := all.holder(0)
	all.lead(c, false)

	c.kill()
	begun := time.Now()
	next, n := all.holder(n.Fence)
	if took := spent(begun, n.At); took > 5*time.Second {
		t.Errorf("killed: moved after %v", took)
	} else {
		t.Logf("killed: moved after %v", took)
	}
	c.run()
	c = next
	all.lead(c, false)

	c.signal(syscall.SIGSTOP)
	begun = time.Now()
	next, n = all.holder(n.Fence)
	if took := spent(begun, n.At); took > 5*time.Second {
		t.Errorf("frozen: moved after %v", took)
	} else {
		t.Logf("frozen: moved after %v", took)
	}
	thawed := time.Now()
	c.signal(syscall.SIGCONT)
	eventually(t, "the thawed one has stopped", func() bool {
		notes := diary(t, all.diary)
		i := slices.IndexFunc(notes, func(n moment) bool { return n.Node == c.id && strings.Contains(n.What, cluster.ErrLeaseLost.Error()) })
		if i < 0 {
			return false
		}
		if took := spent(thawed, notes[i].At); took > time.Second {
			t.Errorf("the thawed one stopped after %v", took)
		} else {
			t.Logf("the thawed one stopped after %v: %s", took, notes[i].What)
		}
		return true
	})

	begun = time.Now()
	next.drain()
	_, n = all.holder(n.Fence)
	if took := spent(begun, n.At); took > 2*time.Second {
		t.Errorf("drained: moved after %v", took)
	} else {
		t.Logf("drained: moved after %v", took)
	}
	t.Logf("two were there at the same time for at most %v", all.check())
}

// TestFaultsSingleton kills the node of a singleton, when its server also leads
// the bucket of the leases: both have to be replaced.
func TestFaultsSingleton(t *testing.T) {
	t.Parallel()
	all := newTrio(t)
	c, n := all.holder(0)
	var slowest time.Duration
	for i := range *leaderKills {
		all.lead(c, true)
		c.kill()
		begun := time.Now()
		next, moved := all.holder(n.Fence)
		took := spent(begun, moved.At)
		fmt.Printf("leader kill %d: the singleton moved from %s to %s after %v\n", i+1, c.cfg.Name, next.cfg.Name, took.Round(time.Millisecond))
		if took > 15*time.Second {
			t.Errorf("moved after %v", took)
		}
		slowest = max(slowest, took)
		c.run()
		c, n = next, moved
	}
	fmt.Printf("%d leaders killed: the slowest move took %v; two were there at the same time for at most %v\n",
		*leaderKills, slowest.Round(time.Millisecond), all.check())
}

// A holder whose node lives keeps the lease while the bucket has no leader.
func TestFaultsHealthyHolder(t *testing.T) {
	t.Parallel()
	all := newTrio(t)
	c, n := all.holder(0)
	i := slices.IndexFunc(all.children, func(other *child) bool { return other != c })
	leader := all.children[i]
	all.lead(leader, true)
	var before uint64
	all.bucket(nil, func(_ *nats.Conn, info *jetstream.StreamInfo) bool {
		before = info.State.LastSeq
		return true
	})
	leader.kill()
	begun := time.Now()
	eventuallyIn(t, 20*time.Second, "the session is renewed again", func() bool {
		return all.bucket(leader, func(_ *nats.Conn, info *jetstream.StreamInfo) bool {
			return info.Cluster.Leader != "" && info.Cluster.Leader != leader.cfg.Name && info.State.LastSeq > before+1
		})
	})
	away := time.Since(begun)
	var longest time.Duration
	at := n.At
	for _, next := range diary(t, all.diary) {
		if next.Fence != n.Fence || next.What != "begin" && next.What != "there" {
			t.Fatalf("after %+v there is %+v", n, next)
		}
		longest = max(longest, spent(at, next.At))
		at = next.At
	}
	if last := spent(at, time.Now()); longest > 2*time.Second || last > 2*time.Second {
		t.Errorf("it was away for %v, and was there last %v ago", longest, last)
	}
	t.Logf("the bucket was away for %v; the longest time between two notes is %v", away, longest)
}
