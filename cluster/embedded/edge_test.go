package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

type animal interface{ legs() int }
type dog struct{ Legs int }
type cat struct{ Legs int }

func (d dog) legs() int { return d.Legs }
func (c cat) legs() int { return c.Legs }

func init() { cluster.Register[animal]("animal", dog{}) }

type which struct {
	actor.Reply[animal]
	Name string
}

// An answer may be of an interface type, and nil; and come with an error, as from an
// actor of the same process.
func TestAnswers(t *testing.T) {
	here, there, _ := two(t, cluster.Config{}, cluster.Config{})
	_, addr := spawn(t, actor.Config{}, func(_ context.Context, m which) error {
		switch m.Name {
		case "dog":
			m.Answer(dog{4}, nil)
		case "lame dog":
			m.Answer(dog{3}, io.ErrUnexpectedEOF)
		case "cat":
			m.Answer(cat{4}, nil)
		case "lost cat":
			m.Answer(cat{4}, actor.ErrEmpty)
		case "nothing":
			m.Answer(nil, nil)
		}
		return nil
	})
	expose(t, there, "animals", addr)
	to := cluster.Lookup[which](here, "animals")
	for _, c := range []struct {
		name string
		want animal
		err  error
		says string
	}{
		{"dog", dog{4}, nil, ""},
		{"lame dog", dog{3}, nil, "unexpected EOF"},
		{"cat", nil, cluster.ErrUnregistered, "embedded_test.cat"},
		{"lost cat", nil, actor.ErrEmpty, ""},
		{"nothing", nil, nil, ""},
	} {
		got, err := actor.Ask(within(t, 10*time.Second), to, func(r actor.Reply[animal]) which { return which{r, c.name} })
		if got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
		if c.err != nil {
			wantErr(t, err, c.err, c.says)
		} else if (err == nil) != (c.says == "") || err != nil && err.Error() != c.says {
			t.Errorf("%s: got the error %v", c.name, err)
		}
	}
}

type letter struct {
	actor.Reply[string]
	S string
}

func (m letter) to(r actor.Reply[string]) letter {
	m.Reply = r
	return m
}

// Of frames that are larger than their receiver takes, whoever waits is told.
func TestTooLargeFrames(t *testing.T) {
	small, large, _ := two(t, cluster.Config{MaxSize: 1000}, cluster.Config{})
	_, addr := spawn(t, actor.Config{}, func(_ context.Context, m letter) error {
		m.Answer(strings.Repeat("y", 100_000), nil)
		return nil
	})
	expose(t, small, "small", addr)
	expose(t, large, "large", addr)
	ctx := within(t, 10*time.Second)
	wantErr(t, cluster.Lookup[letter](large, "small").Send(ctx, letter{S: strings.Repeat("x", 100_000)}), cluster.ErrTooLarge, "takes 1000")
	_, err := actor.Ask(ctx, cluster.Lookup[letter](small, "large"), letter{}.to)
	wantErr(t, err, cluster.ErrTooLarge, "takes 1000")
	wantErr(t, err, actor.ErrNoReply)
	if n := small.Stats().TooLarge; n != 2 {
		t.Errorf("%d are counted", n)
	}
}

// A node tells all the names that it exposes, also one that takes small messages
// only; and does not expose more than it can tell.
func TestManyNames(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Config{Adjust: func(o *server.Options) { o.MaxPayload = 64 << 10 }})
	here, there := join(t, s, cluster.Config{MaxSize: 1000}), join(t, s, cluster.Config{})
	_, addr := spawn(t, actor.Config{}, func(context.Context, int) error { return nil })
	names := 0
	name := func(n int) string { return fmt.Sprintf("%0128d", n) }
	for err := error(nil); err == nil; names++ {
		if err = cluster.Expose(t.Context(), there, name(names), addr); err != nil {
			wantErr(t, err, cluster.ErrTooLarge, "names")
			break
		}
	}
	if names < 400 {
		t.Errorf("%d names are too many", names)
	}
	for _, n := range []int{0, names - 1} {
		if err := cluster.Lookup[int](here, name(n)).Send(within(t, 10*time.Second), 1); err != nil {
			t.Error(err)
		}
	}
	if n := here.Stats().TooLarge; n != 0 {
		t.Errorf("%d beats were too large", n)
	}
}

// TrySend does not wait for room where others have taken it, and does not bother the
// other node each time.
func TestTrySendFull(t *testing.T) {
	s := start(t, embedded.Config{})
	first, second, there := join(t, s, cluster.Config{}), join(t, s, cluster.Config{}), join(t, s, cluster.Config{})
	expose(t, there, "x", lazy(t, 4))
	one, two := cluster.Lookup[int](first, "x"), cluster.Lookup[int](second, "x")
	eventually(t, "both have credit", func() bool { return len(one.Nodes()) == 1 && len(two.Nodes()) == 1 })
	for n := range 5 {
		if err := one.Send(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	outcome := make(chan error, 1)
	go func() { outcome <- two.TrySend(5) }()
	select {
	case err := <-outcome:
		wantErr(t, err, actor.ErrFull)
	case <-time.After(10 * time.Second):
		t.Fatal("TrySend waits")
	}
	before := there.Conn().Stats().InMsgs
	for range 1000 {
		wantErr(t, one.TrySend(6), actor.ErrFull)
	}
	if err := errors.Join(first.Conn().Flush(), there.Conn().Flush()); err != nil {
		t.Fatal(err)
	}
	if n := there.Conn().Stats().InMsgs - before; n > 100 {
		t.Errorf("1000 tries took %d frames", n)
	}
}

// texts is JSON that leaves texts as they are, and does not decode before it may.
type texts struct {
	cluster.JSON
	may <-chan struct{}
}

func (c texts) Marshal(v any) ([]byte, error) {
	if s, ok := v.(string); ok {
		return []byte(s), nil
	}
	return c.JSON.Marshal(v)
}

func (c texts) Unmarshal(data []byte, v any) error {
	<-c.may
	if s, ok := v.(*string); ok {
		*s = string(data)
		return nil
	}
	return c.JSON.Unmarshal(data, v)
}

// Answers that come faster than they are decoded are not dropped by the client,
// though they are more than it keeps by default, 64 MiB.
func TestManyAnswers(t *testing.T) {
	const asks, size = 80, 900_000
	now, may := make(chan struct{}), make(chan struct{})
	close(now)
	there := cluster.Config{Codec: texts{may: now}, Lost: time.Minute, Lease: 2 * time.Minute} // beats may wait behind them
	here := there
	here.Codec = texts{may: may}
	asker, node, _ := two(t, here, there)
	next, answer := make(chan struct{}), strings.Repeat("y", size)
	_, addr := spawn(t, actor.Config{}, func(_ context.Context, m letter) error {
		<-next
		m.Answer(answer, nil)
		return nil
	})
	expose(t, node, "x", addr)
	to := cluster.Lookup[letter](asker, "x")
	var askers sync.WaitGroup
	for range asks {
		askers.Go(func() {
			if _, err := actor.Ask(context.Background(), to, letter{}.to); err != nil {
				t.Error(err)
			}
		})
	}
	for n := range asks { // one by one, as the server too keeps no more than that
		next <- struct{}{}
		eventually(t, "another answer is here", func() bool { return asker.Conn().Stats().InBytes > uint64((n+1)*size) })
	}
	close(may)
	askers.Wait()
}

// foreign is a context that package context does not know.
type foreign struct{ context.Context }

func (foreign) Value(any) any { return nil }

// An ask that was not sent leaves nothing behind that waits for its context.
func TestAskLeavesNothing(t *testing.T) {
	here, _, _ := two(t, cluster.Config{Find: time.Millisecond}, cluster.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	to := cluster.Lookup[item](here, "nobody")
	before := runtime.NumGoroutine()
	for range 50 {
		_, err := actor.Ask[item, int](foreign{ctx}, to, func(r actor.Reply[int]) item { return item{Reply: r} })
		wantErr(t, err, cluster.ErrNotFound)
	}
	eventually(t, "no goroutines are left", func() bool { return runtime.NumGoroutine() < before+10 })
}

// An answer whose value and error do not fit into one frame leaves the value out, as
// one whose value does not encode does.
func TestAnswerTooLargeWithError(t *testing.T) {
	here, there, _ := two(t, cluster.Config{}, cluster.Config{})
	_, addr := spawn(t, actor.Config{}, func(_ context.Context, m letter) error {
		m.Answer(strings.Repeat("y", 1<<20-5<<10), fmt.Errorf("%w: %s", io.ErrUnexpectedEOF, strings.Repeat("n", 10<<10)))
		return nil
	})
	expose(t, there, "x", addr)
	value, err := actor.Ask(t.Context(), cluster.Lookup[letter](here, "x"), letter{}.to)
	if value != "" || err == nil || !strings.HasPrefix(err.Error(), "unexpected EOF: nnn") {
		t.Errorf("got %d bytes, %v", len(value), err)
	}
}
