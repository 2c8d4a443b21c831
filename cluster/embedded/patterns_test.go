package embedded_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tinyactor/actor"
	"tinyactor/cluster"
)

// The patterns that the documentation of actors shows, across two processes: a
// struct per request with an embedded Reply, behind a sealed interface.

type shopMsg interface{ apply(*shopState) }

type shopState struct{ stock map[string]int }

type restock struct {
	Item  string
	Count int
}

func (m restock) apply(s *shopState) { s.stock[m.Item] += m.Count }

type order struct {
	actor.Reply[receipt]
	Item  string
	Count int
}

type receipt struct {
	Item string
	Left int
}

func (m order) to(r actor.Reply[receipt]) shopMsg {
	m.Reply = r
	return m
}

func (m order) apply(s *shopState) {
	switch {
	case m.Item == "bomb":
		panic("a bomb in the shop")
	case s.stock[m.Item] < m.Count:
		m.Answer(receipt{}, fmt.Errorf("only %d of %s: %w", s.stock[m.Item], m.Item, actor.ErrEmpty))
	default:
		s.stock[m.Item] -= m.Count
		m.Answer(receipt{m.Item, s.stock[m.Item]}, nil)
	}
}

type deadline struct {
	actor.Reply[time.Duration]
}

func (m *deadline) to(r actor.Reply[time.Duration]) shopMsg {
	m.Reply = r
	return m
}

func (m *deadline) apply(*shopState) {
	d, ok := m.Context().Deadline()
	if !ok {
		m.Answer(0, errors.New("no deadline"))
		return
	}
	m.Answer(time.Until(d), nil)
}

type unknownToAll struct{ N int }

func (unknownToAll) apply(*shopState) {}

func init() {
	cluster.Register[shopMsg]("shop", restock{}, order{}, &deadline{})
}

func TestPatternsAcrossProcesses(t *testing.T) {
	s, _ := processes(t, 1)
	node := join(t, s, cluster.Config{Name: "parent"})
	shop := cluster.Lookup[shopMsg](node, "shop.a")
	ctx := within(t, 20*time.Second)

	if err := shop.Send(ctx, restock{"tea", 5}); err != nil {
		t.Fatal(err)
	}
	got, err := actor.Ask(ctx, shop, order{Item: "tea", Count: 2}.to)
	if want := (receipt{"tea", 3}); got != want || err != nil {
		t.Errorf("an order: got %v, %v, want %v", got, err, want)
	}
	_, err = actor.Ask(ctx, shop, order{Item: "tea", Count: 4}.to)
	if !errors.Is(err, actor.ErrEmpty) || err.Error() != "only 3 of tea: actor: inbox empty" {
		t.Errorf("the handler's error: got %q", err)
	}
	left, err := actor.Ask(ctx, shop, new(deadline).to)
	if err != nil || left <= 10*time.Second || left > 20*time.Second {
		t.Errorf("the asker's deadline: got %v, %v, want less than 20 s", left, err)
	}
	if err := shop.Send(ctx, unknownToAll{1}); !errors.Is(err, cluster.ErrUnregistered) || !strings.Contains(err.Error(), "unknownToAll") {
		t.Errorf("an unregistered type: got %v", err)
	}
	// Map passes what it makes on, with the Reply.
	orders := actor.Map(actor.Sender[shopMsg](shop), func(o order) shopMsg { return o })
	if got, err := actor.Ask(ctx, orders, func(r actor.Reply[receipt]) order { return order{r, "tea", 1} }); got.Left != 2 || err != nil {
		t.Errorf("an order by Map: got %v, %v", got, err)
	}

	_, err = actor.Ask(ctx, shop, order{Item: "bomb"}.to)
	p, ok := errors.AsType[*actor.PanicError](err)
	if !errors.Is(err, actor.ErrNoReply) || errors.Is(err, actor.ErrClosed) || !ok {
		t.Fatalf("a panic there: got %v", err)
	}
	if p.Value != "a bomb in the shop" || !strings.Contains(string(p.Stack), "order.apply") {
		t.Errorf("a panic there: got %v and\n%s", p.Value, p.Stack)
	}
	eventually(t, "the actor that has panicked is closed", func() bool {
		return errors.Is(shop.Send(ctx, restock{"tea", 1}), actor.ErrClosed)
	})
}
