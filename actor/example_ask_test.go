package actor_test

import (
	"context"
	"errors"
	"fmt"

	"tinyactor/actor"
)

// get asks for the value of a key.
type get struct {
	actor.Reply[string]
	key string
}

// to is what Ask calls to make the message.
func (m get) to(r actor.Reply[string]) get { m.Reply = r; return m }

func ExampleAsk() {
	ctx := context.Background()
	values := map[string]string{"colour": "blue"}
	child, addr := actor.Spawn(ctx, actor.Config{Name: "store"},
		func(ctx context.Context, in *actor.Inbox[get]) error {
			return in.Serve(ctx, func(_ context.Context, m get) error {
				if v, ok := values[m.key]; ok {
					m.Answer(v, nil)
				} else {
					m.Answer("", errors.New("no such key"))
				}
				return nil
			})
		})
	for _, key := range []string{"colour", "shape"} {
		v, err := actor.Ask(ctx, addr, get{key: key}.to)
		fmt.Printf("%s: %q %v\n", key, v, err)
	}
	child.Stop(ctx)
	// Output:
	// colour: "blue" <nil>
	// shape: "" no such key
}
