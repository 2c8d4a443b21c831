package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// Payment is stored once for each ID, and paid once: see the handler.
type Payment struct {
	ID     string
	Amount int
}

// MessageID is by what the servers recognise a payment that is sent again.
func (p Payment) MessageID() string { return p.ID }

// A durable inbox keeps payments until they are made. The first attempt fails.
func ExampleOpenDurable() {
	s, err := embedded.Start(embedded.Config{JetStream: true}) // with Store, it is there after a restart
	if err != nil {
		panic(err)
	}
	defer s.Close()
	nc, err := s.Connect()
	if err != nil {
		panic(err)
	}
	defer nc.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	node, err := cluster.Join(ctx, nc, cluster.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	defer node.Close()

	payments, err := cluster.OpenDurable[Payment](ctx, node, "payments", cluster.DurableConfig{Backoff: time.Millisecond})
	if err != nil {
		panic(err)
	}
	for range 2 { // somebody is impatient
		if err := payments.Send(ctx, Payment{ID: "p-17", Amount: 42}); err != nil {
			panic(err)
		}
	}
	paid := make(chan string)
	payer := payments.Spawn(ctx, actor.Config{Name: "payer"}, 1, func(ctx context.Context, p Payment) error {
		if cluster.Attempt(ctx) == 1 {
			return errors.New("the bank is closed")
		}
		paid <- fmt.Sprintf("%s: %d, at attempt %d", cluster.MessageID(ctx), p.Amount, cluster.Attempt(ctx))
		return nil
	})
	fmt.Println(<-paid)
	if _, err := payer.Stop(ctx); err != nil {
		panic(err)
	}
	fmt.Println(node.Stats().Handled)
	// Output:
	// p-17: 42, at attempt 2
	// 1
}
