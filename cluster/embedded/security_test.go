package embedded_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// With the permissions that the package's doc gives, a node does its work. A
// client without them can neither send nor listen, nor can one of another account.
func TestPermissions(t *testing.T) {
	allow := func(pub, sub []string) *server.Permissions {
		return &server.Permissions{Publish: &server.SubjectPermission{Allow: pub}, Subscribe: &server.SubjectPermission{Allow: sub}}
	}
	both := []string{"tinyactor.beat", "tinyactor.node.*.ctl"}
	app, other := server.NewAccount("app"), server.NewAccount("other")
	s := start(t, embedded.Config{Listen: "127.0.0.1:0", Adjust: func(o *server.Options) {
		o.Accounts = []*server.Account{app, other}
		o.Users = []*server.User{
			{Username: "seller", Password: "s", Account: app, Permissions: allow(append(both, "tinyactor.node.*.in.orders"), both)},
			{Username: "keeper", Password: "k", Account: app, Permissions: allow(both, append(both, "tinyactor.node.*.in.orders"))},
			{Username: "guest", Password: "g", Account: app, Permissions: allow([]string{"guest.>"}, []string{"guest.>", "_INBOX.>"})},
			{Username: "stranger", Password: "x", Account: other},
		}
	}})
	login := func(user, password string, options ...nats.Option) *nats.Conn {
		nc, err := s.Connect(append(options, nats.UserInfo(user, password))...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return nc
	}
	node := func(nc *nats.Conn, name string) *cluster.Node {
		n, err := cluster.Join(t.Context(), nc, cluster.Config{Name: name, Find: 200 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { n.Close() })
		return n
	}
	keeper, seller := node(login("keeper", "k"), "keeper"), node(login("seller", "s"), "seller")
	_, addr := spawn(t, actor.Config{Name: "orders"}, func(_ context.Context, m item) error {
		m.Answer(m.N+1, nil)
		return nil
	})
	expose(t, keeper, "orders", addr)
	to := cluster.Lookup[item](seller, "orders")
	if err := to.Send(t.Context(), item{N: 1}); err != nil {
		t.Errorf("a seller sends: %v", err)
	}
	if v, err := actor.Ask(t.Context(), to, func(r actor.Reply[int]) item { return item{r, 41} }); v != 42 || err != nil {
		t.Errorf("a seller asks: %v, %v", v, err)
	}

	if nc, err := nats.Connect(s.Server().ClientURL(), nats.UserInfo("seller", "wrong")); err == nil {
		nc.Close()
		t.Error("a wrong password is taken")
	}
	refused := make(chan error, 10)
	guest := login("guest", "g", nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
	denied := func(what string) {
		t.Helper()
		guest.Flush()
		select {
		case err := <-refused:
			if !errors.Is(err, nats.ErrPermissionViolation) {
				t.Errorf("%s: %v", what, err)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("%s is not denied", what)
		}
	}
	before := keeper.Stats()
	inbox := "tinyactor.node." + keeper.ID() + ".in.orders"
	if _, err := guest.Subscribe(inbox, func(*nats.Msg) { t.Error("a guest listens") }); err != nil {
		t.Fatal(err)
	}
	denied("a guest's listening")
	guest.PublishRequest(inbox, "tinyactor.node."+seller.ID()+".ctl", []byte{1, 3})
	denied("a guest's sending")

	// Another account is another world: the same subjects, and nobody there.
	stranger := login("stranger", "x")
	stranger.Subscribe("tinyactor.>", func(m *nats.Msg) {
		if m.Reply == "tinyactor.node."+keeper.ID()+".ctl" {
			t.Error("a stranger listens")
		}
	})
	stranger.PublishRequest(inbox, "tinyactor.node."+seller.ID()+".ctl", []byte{1, 3})
	stranger.Flush()
	if err := cluster.Lookup[item](node(stranger, "stranger"), "orders").Send(t.Context(), item{}); !errors.Is(err, cluster.ErrNotFound) {
		t.Errorf("a stranger sends: %v", err)
	}
	if err := to.Send(t.Context(), item{N: 2}); err != nil {
		t.Error(err)
	}
	after := keeper.Stats()
	if after.Malformed != before.Malformed || after.Forged != before.Forged {
		t.Errorf("something of theirs has come: %+v, before %+v", after, before)
	}
}
