package actortest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"tinyactor/actor"
	"tinyactor/actortest"
)

// example stands for go test, which gives every test its t.
func example(test func(t testing.TB)) {
	for _, failure := range try(test) {
		fmt.Println(failure)
	}
}

func Example() {
	// greet is what the test is about.
	greet := func(to actor.Sender[string]) func(context.Context, *actor.Inbox[string]) error {
		return func(ctx context.Context, in *actor.Inbox[string]) error {
			return in.Serve(ctx, func(ctx context.Context, name string) error {
				return to.Send(ctx, "Hello, "+name)
			})
		}
	}
	testGreet := func(t testing.TB) {
		ctx := actortest.New(t)
		probe := actortest.Probe[string](t)
		_, addr := actor.Spawn(ctx, actor.Config{Name: "greeter"}, greet(probe.Address()))
		if err := addr.Send(ctx, "Ada"); err != nil {
			t.Fatal(err)
		}
		if got := probe.Next(); got != "Hello, Ada" {
			t.Errorf("the greeter says %q", got)
		}
		fmt.Println(probe.Got())
	}
	example(testGreet)
	// Output: [Hello, Ada]
}

func ExampleNew() {
	var addr *actor.Address[string]
	example(func(t testing.TB) {
		ctx := actortest.New(t)
		_, addr = actor.Spawn(ctx, actor.Config{Name: "logger"},
			func(ctx context.Context, in *actor.Inbox[string]) error {
				defer fmt.Println("stopped")
				return in.Serve(ctx, func(context.Context, string) error { return nil })
			})
		fmt.Println("the test ends")
	})
	fmt.Println(addr.Closed())
	// Output:
	// the test ends
	// stopped
	// true
}

func ExampleProbe() {
	example(func(t testing.TB) {
		probe := actortest.Probe[int](t)
		for i := range 3 {
			go probe.Address().Send(t.Context(), i)
		}
		got := probe.Wait(func(got []int) bool { return len(got) == 3 })
		fmt.Println(len(got), "messages in some order")
	})
	// Output: 3 messages in some order
}

// The test answers what it is asked.
func ExampleProbe_ask() {
	type get struct {
		actor.Reply[string]
		key string
	}
	example(func(t testing.TB) {
		ctx := actortest.New(t)
		store := actortest.Probe[get](t)
		done := make(chan struct{})
		go func() { // what the test is about
			defer close(done)
			fmt.Println(actor.Ask(ctx, store.Address(), func(r actor.Reply[string]) get { return get{r, "k"} }))
		}()
		q := store.Next()
		q.Answer("value of "+q.key, nil)
		<-done
	})
	// Output: value of k <nil>
}

func ExampleReply() {
	type get struct {
		actor.Reply[string]
		key string
	}
	// handle is what the test is about.
	values := map[string]string{"a": "1"}
	handle := func(g get) {
		if v, ok := values[g.key]; ok {
			g.Answer(v, nil)
		} else {
			g.Answer("", errors.New("no such key"))
		}
	}
	example(func(t testing.TB) {
		for _, key := range []string{"a", "b"} {
			reply, answer := actortest.Reply[string](t)
			handle(get{reply, key})
			v, err := answer()
			fmt.Printf("%q %v\n", v, err)
		}
	})
	// Output:
	// "1" <nil>
	// "" no such key
}

// lossy is a Sender that somebody has written.
type lossy struct {
	to actor.Sender[actortest.Message]
}

func (l lossy) Send(ctx context.Context, m actortest.Message) error { return l.to.Send(ctx, m) }

func (l lossy) TrySend(m actortest.Message) error {
	_ = l.to.TrySend(m) // the bug
	return nil
}

func ExampleTestSender() {
	example(func(t testing.TB) {
		actortest.TestSender(t, func(to *actor.Address[actortest.Message]) actor.Sender[actortest.Message] {
			return actor.Map(to, func(m actortest.Message) actortest.Message { return m })
		})
	})
	fmt.Println("Map passes")

	failures := try(func(t testing.TB) {
		actortest.TestSender(t, func(to *actor.Address[actortest.Message]) actor.Sender[actortest.Message] {
			return lossy{to}
		})
	})
	fmt.Println("lossy does not:", len(failures) > 0)
	// Output:
	// Map passes
	// lossy does not: true
}
