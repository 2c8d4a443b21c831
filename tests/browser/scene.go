package browser

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"tinyactor/actor"
	"tinyactor/observer"
	"tinyactor/supervisor"
)

// A Scene is a program with something to see, the back of a shop:
//
//	shop (rest_for_one)
//	├── inventory              answers questions
//	├── pricing (one_for_all)
//	│   ├── rates
//	│   └── discounts
//	├── packers                4 processes on a bounded inbox, always full
//	├── mailer                 panics when told to
//	├── carts (dynamic)        cart-1 …
//	└── imports
//	    ├── reader, parser, loader   can be made to wait for each other in a circle
//	    └── left, right              and these two, for room
//	customers                  8 processes, of nobody; they send to the packers
type Scene struct {
	Observer *observer.Observer

	end       func()
	root      *supervisor.Supervisor
	inventory *supervisor.Worker[Order]
	packers   *supervisor.Worker[Order]
	mailer    *supervisor.Worker[Order]
	ring      []*supervisor.Worker[Order]
	pair      []*supervisor.Worker[Order]
	carts     *supervisor.Dynamic[int, Order]
	customers *actor.Address[actor.None] // kept, or they would be collected
	crowd     []*actor.Child[int, actor.None]
	crowded   []*actor.Address[int] // kept as well
}

// Order is the message of all actors of a scene.
type Order struct {
	actor.Reply[int]
	do func(ctx context.Context)
}

func ask(r actor.Reply[int]) Order { return Order{Reply: r} }

// serve is the body of all actors: each message takes so long.
func serve(work time.Duration) func(context.Context, *actor.Inbox[Order]) error {
	return func(ctx context.Context, in *actor.Inbox[Order]) error {
		return in.Serve(ctx, func(ctx context.Context, o Order) error {
			if o.do != nil {
				o.do(ctx)
			}
			if work > 0 {
				time.Sleep(work) // that is what its work is
			}
			o.Answer(1, nil)
			return nil
		})
	}
}

// NewScene starts a scene, with so many carts.
func NewScene(options observer.Options, carts int) (*Scene, error) {
	s := &Scene{Observer: observer.New(options)}
	ctx, end := context.WithCancel(s.Observer.Watch(context.Background()))
	s.end = end

	worker := func(name string, work time.Duration) *supervisor.Worker[Order] {
		return &supervisor.Worker[Order]{Name: name, Run: serve(work), Backoff: supervisor.Backoff{Min: 10 * time.Millisecond}}
	}
	s.inventory = worker("inventory", 100*time.Microsecond)
	s.packers = worker("packers", 5*time.Millisecond)
	s.packers.Processes, s.packers.Capacity = 4, actor.Bounded(64)
	s.mailer = worker("mailer", 0)
	s.ring = []*supervisor.Worker[Order]{worker("reader", 0), worker("parser", 0), worker("loader", 0)}
	s.pair = []*supervisor.Worker[Order]{worker("left", 0), worker("right", 0)}
	for _, w := range s.pair {
		w.Capacity = actor.Bounded(1)
	}
	s.carts = &supervisor.Dynamic[int, Order]{Name: "carts", Template: func(n int) *supervisor.Worker[Order] {
		return &supervisor.Worker[Order]{Name: fmt.Sprintf("cart-%d", n), Run: serve(0)}
	}}
	imports := &supervisor.Spec{Name: "imports"}
	for _, w := range append(s.ring, s.pair...) {
		imports.Children = append(imports.Children, w)
	}
	root, err := supervisor.Start(ctx, &supervisor.Spec{
		Name:     "shop",
		Strategy: supervisor.RestForOne,
		Limit:    supervisor.Limit{Restarts: 50},
		Children: []supervisor.Child{
			s.inventory,
			&supervisor.Spec{Name: "pricing", Strategy: supervisor.OneForAll, Children: []supervisor.Child{worker("rates", 0), worker("discounts", 0)}},
			s.packers, s.carts, imports, s.mailer,
		},
	})
	if err != nil {
		end()
		return nil, err
	}
	s.root = root
	for n := range carts {
		if _, err := s.carts.Add(ctx, n+1); err != nil {
			s.Close()
			return nil, err
		}
	}
	_, s.customers = actor.SpawnPool(ctx, actor.Config{Name: "customers"}, 8, actor.NoValue(s.buy))
	return s, nil
}

// buy is the body of the customers: they ask what there is, and send it on.
func (s *Scene) buy(ctx context.Context, in *actor.Inbox[actor.None]) error {
	for {
		select {
		case <-in.Ready():
			_, err := in.Recv(ctx)
			return err // nobody sends: it is the end
		default:
		}
		if _, err := actor.Ask[Order](ctx, s.inventory.Address(), ask); err != nil {
			return err
		}
		if err := s.packers.Address().Send(ctx, Order{}); err != nil {
			return err
		}
	}
}

// Crash has the mailer panic with a value.
func (s *Scene) Crash(value any) error {
	return s.mailer.Address().SendNow(Order{do: func(context.Context) { sendMail(value) }})
}

// sendMail is what a stack is to show.
func sendMail(value any) { panic(value) }

// Mail has the mailer get something to do every now and then, until stop is called.
func (s *Scene) Mail() (stop func()) {
	ends := s.mailer.Address().SendEvery(40*time.Millisecond, Order{do: func(context.Context) { time.Sleep(time.Millisecond) }})
	return func() { ends() }
}

// Knot has the importers wait for each other's answers in a circle, and left and
// right for room in each other, until untie is called.
func (s *Scene) Knot() (untie func()) {
	ctx, untie := context.WithCancel(context.Background())
	end := s.end
	s.end = func() {
		untie()
		end()
	}
	wait := func(workers []*supervisor.Worker[Order], wait func(ctx context.Context, next *actor.Address[Order])) {
		var all sync.WaitGroup // have their message in hand
		all.Add(len(workers))
		for i, w := range workers {
			next := workers[(i+1)%len(workers)].Address()
			_ = w.Address().SendNow(Order{do: func(own context.Context) {
				// The context tells who waits.
				own, stop := context.WithCancel(own)
				defer context.AfterFunc(ctx, stop)()
				defer stop()
				all.Done()
				all.Wait()
				wait(own, next)
			}})
		}
	}
	wait(s.ring, func(ctx context.Context, next *actor.Address[Order]) { _, _ = actor.Ask[Order](ctx, next, ask) })
	wait(s.pair, func(ctx context.Context, next *actor.Address[Order]) {
		for next.Send(ctx, Order{}) == nil { // until there is no room, and then until it is untied
		}
	})
	return untie
}

// Close ends the scene.
func (s *Scene) Close() {
	s.end()
	if s.root != nil {
		<-s.root.Done()
	}
	for _, child := range s.crowd {
		<-child.Done()
	}
	s.Observer.Close()
}

// NewCrowd starts very many actors that do nothing, in groups of a hundred. Most
// have something in their queue.
func NewCrowd(options observer.Options, n int) *Scene {
	s := &Scene{Observer: observer.New(options)}
	ctx, end := context.WithCancel(s.Observer.Watch(context.Background()))
	s.end = end
	var all sync.WaitGroup // have begun
	all.Add(n)
	stays := func(_ context.Context, in *actor.Inbox[int]) error {
		all.Done()
		<-in.Halting()
		return nil
	}
	for group := range n / 100 {
		config := actor.Config{Name: fmt.Sprintf("group-%03d", group)}
		child, address := actor.Spawn(ctx, config, func(ctx context.Context, in *actor.Inbox[int]) error {
			var children []*actor.Address[int] // kept as well
			for i := range 100 {
				name := fmt.Sprintf("actor-%d%02d", group, i)
				_, address := actor.Spawn(ctx, actor.Config{Name: name, Undelivered: func(any) {}}, stays)
				for range (group + i) % 50 {
					_ = address.SendNow(i)
				}
				children = append(children, address)
			}
			<-in.Halting()
			runtime.KeepAlive(children)
			return nil
		})
		s.crowd, s.crowded = append(s.crowd, child), append(s.crowded, address)
	}
	all.Wait()
	return s
}
