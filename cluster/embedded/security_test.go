package embedded_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// grants are the permissions of the package's doc, by what a node does.
type grants map[string]*permissions

type permissions struct{ publish, subscribe []string }

// documented reads them.
func documented(t *testing.T) grants {
	t.Helper()
	text, err := os.ReadFile("../doc.go")
	if err != nil {
		t.Fatal(err)
	}
	all := grants{}
	var at *permissions
	_, security, _ := strings.Cut(string(text), "// # Security\n")
	for line := range strings.Lines(security) {
		line, is := strings.CutPrefix(strings.TrimRight(line, "\n"), "//\t")
		words := strings.Fields(line)
		switch {
		case !is && at != nil:
			return all
		case !is:
		case !strings.HasPrefix(line, " "):
			at = new(permissions)
			all[line] = at
		case words[0] == "publish":
			at.publish = append(at.publish, words[1:]...)
		case words[0] == "subscribe":
			at.subscribe = append(at.subscribe, words[1:]...)
		default:
			t.Fatalf("doc.go: %q", line)
		}
	}
	t.Fatal("doc.go gives no permissions")
	return nil
}

// role is what a user's node does.
type role struct {
	user  string
	does  []string
	names map[string]string // what it is called there: here
}

// of puts together what a role needs.
func (g grants) of(t *testing.T, r role) *server.Permissions {
	t.Helper()
	replace := []string{"<cluster>", "tinyactor", "<user>", r.user}
	for there, here := range r.names {
		replace = append(replace, there, here)
	}
	name := strings.NewReplacer(replace...)
	// Without a list all is allowed.
	p := &server.Permissions{Publish: new(server.SubjectPermission), Subscribe: new(server.SubjectPermission)}
	for _, does := range append([]string{"every node"}, r.does...) {
		if g[does] == nil {
			t.Fatalf("doc.go does not say what a node needs %q", does)
		}
		for _, s := range g[does].publish {
			p.Publish.Allow = append(p.Publish.Allow, name.Replace(s))
		}
		for _, s := range g[does].subscribe {
			p.Subscribe.Allow = append(p.Subscribe.Allow, name.Replace(s))
		}
	}
	return p
}

// matches reports whether a subject matches a pattern.
func matches(pattern, subject string) bool {
	p, s := strings.Split(pattern, "."), strings.Split(subject, ".")
	for i, part := range p {
		switch {
		case part == ">":
			return len(s) > i
		case i >= len(s) || part != "*" && part != s[i]:
			return false
		}
	}
	return len(p) == len(s)
}

// With the permissions that the package's doc gives, nodes do their work, and need
// each of them. A client without them can neither send nor listen, nor can one of
// another account.
func TestPermissions(t *testing.T) {
	t.Parallel()
	documented := documented(t)
	roles := []role{
		{user: "seller", does: []string{"that sends to orders"}},
		{user: "keeper", does: []string{"that exposes orders"}},
		{user: "boss", does: []string{"that runs singletons, or hosts keyed actors", "and may be the first to do so", "that exposes orders", "that sends to orders"}, names: map[string]string{"orders": "boss"}},
		{user: "host", does: []string{"that runs singletons, or hosts keyed actors", "that exposes orders", "that sends to orders"}, names: map[string]string{"orders": "user"}},
		{user: "clerk", does: []string{"that sends to the durable inbox jobs", "and may be the first to open it"}},
		{user: "worker", does: []string{"that opens it, and handles its messages", "and looks after what was set aside"}},
	}
	app, other := server.NewAccount("app"), server.NewAccount("other")
	allowed := map[string]*server.Permissions{}
	said := map[string]bool{"every node": true}
	users := []*server.User{
		{Username: "guest", Password: "guest", Account: app, Permissions: &server.Permissions{
			Publish: &server.SubjectPermission{Allow: []string{"guest.>"}}, Subscribe: &server.SubjectPermission{Allow: []string{"guest.>", "_INBOX.guest.>"}},
		}},
		{Username: "spy", Password: "spy", Account: app},
		{Username: "stranger", Password: "stranger", Account: other},
	}
	for _, r := range roles {
		allowed[r.user] = documented.of(t, r)
		users = append(users, &server.User{Username: r.user, Password: r.user, Account: app, Permissions: allowed[r.user]})
		for _, does := range r.does {
			said[does] = true
		}
	}
	for does := range documented {
		if !said[does] {
			t.Errorf("nobody here is a node %q", does)
		}
	}
	s := start(t, embedded.Config{Listen: "127.0.0.1:0", JetStream: true, Adjust: func(o *server.Options) {
		o.Accounts, o.Users = []*server.Account{app, other}, users
	}})
	account, err := s.Server().LookupAccount("app")
	if err == nil {
		err = account.EnableJetStream(nil, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	login := func(user string, options ...nats.Option) *nats.Conn {
		nc, err := s.Connect(append(options, nats.UserInfo(user, user), nats.Name(user), nats.CustomInboxPrefix("_INBOX."+user))...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return nc
	}
	node := func(nc *nats.Conn, name string) *cluster.Node {
		n, err := cluster.Join(t.Context(), nc, cluster.Config{Name: name, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { n.Close() })
		return n
	}
	used := newUses(t, login("spy"))
	nodes := map[string]*cluster.Node{}
	for _, r := range roles {
		nodes[r.user] = node(login(r.user, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			t.Errorf("%s: %v", r.user, err)
		})), r.user)
	}
	keeper, seller := nodes["keeper"], nodes["seller"]
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
	if _, err := cluster.Singleton(t.Context(), nodes["boss"], "boss", tellWhere(nodes["boss"])); err != nil {
		t.Fatal(err)
	}
	find(t, nodes["boss"], "boss", spot{})
	newKeepers(t).host(nodes["host"], actor.Config{}, 0)
	if _, err := ask(within(t, 10*time.Second), cluster.Lookup[keyMsg](nodes["host"], "user").Key("k"), keyMsg{}); err != nil {
		t.Errorf("a host's actor: %v", err)
	}
	durablePermitted(t, nodes["clerk"], nodes["worker"], login("spy"))
	last := node(login("spy"), "spy")
	eventually(t, "all have said hello", func() bool { return len(last.Peers()) == len(roles)+1 })
	for user, p := range allowed {
		used.check(t, s, user, p)
	}

	if nc, err := nats.Connect(s.Server().ClientURL(), nats.UserInfo("seller", "wrong")); !errors.Is(err, nats.ErrAuthorization) {
		nc.Close()
		t.Errorf("a wrong password: %v", err)
	}
	refused := make(chan error, 10)
	guest := login("guest", nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
	denied := func(what string) {
		t.Helper()
		guest.Flush()
		select {
		case err := <-refused:
			wantErr(t, err, nats.ErrPermissionViolation)
		case <-time.After(5 * time.Second):
			t.Errorf("%s is not denied", what)
		}
	}
	before := keeper.Stats()
	inbox := "tinyactor.node." + keeper.ID() + ".in.orders"
	for _, subject := range []string{inbox, "tinyactor.node." + keeper.ID() + ".ctl", "tinyactor.>", "tinyactor.beat", "$KV.tinyactor-leases.>", "_INBOX.clerk.>"} {
		if _, err := guest.Subscribe(subject, func(m *nats.Msg) { t.Errorf("a guest hears %s", m.Subject) }); err != nil {
			t.Fatal(err)
		}
		denied("a guest's listening to " + subject)
	}
	for _, subject := range []string{inbox, "tinyactor.node." + keeper.ID() + ".ctl", "tinyactor.beat", "tinyactor.durable.jobs.0", "$KV.tinyactor-leases.lease.singleton.boss", "$JS.API.STREAM.DELETE.tinyactor=jobs"} {
		guest.PublishRequest(subject, "tinyactor.node."+seller.ID()+".ctl", []byte{1, 3})
		denied("a guest's sending to " + subject)
	}
	_, err = cluster.Join(t.Context(), guest, cluster.Config{Name: "guest"})
	wantErr(t, err, nats.ErrPermissionViolation, "cluster: join", "tinyactor")

	// Another account is another world: the same subjects, and nobody there.
	stranger := login("stranger")
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

// durablePermitted has one node send to a durable inbox and another handle it.
func durablePermitted(t *testing.T, clerk, worker *cluster.Node, admin *nats.Conn) {
	t.Helper()
	cfg := cluster.DurableConfig{Backoff: 10 * time.Millisecond, Attempts: 1}
	d := open[note](t, clerk, "jobs", cfg)
	for n := range 2 {
		if err := d.Send(t.Context(), note{n}); err != nil {
			t.Fatal(err)
		}
	}
	d = open[note](t, worker, "jobs", cfg)
	var failed sync.Once
	child := d.Spawn(context.WithoutCancel(t.Context()), actor.Config{}, 1, func(context.Context, note) (err error) {
		failed.Do(func() { err = errors.New("the first one fails") })
		return err
	})
	eventually(t, "one is set aside", func() bool { return worker.Stats().SetAside == 1 })
	for a, err := range d.Aside(t.Context()) {
		if err == nil {
			err = d.Retry(t.Context(), a.Number)
		}
		if err != nil {
			t.Error(err)
		}
	}
	eventually(t, "all are handled", func() bool { return worker.Stats().Handled == 2 })
	js, err := jetstream.New(admin)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), "tinyactor=jobs"); err != nil {
		t.Error(err)
	}
	if _, err := child.Wait(within(t, 10*time.Second)); !errors.Is(err, jetstream.ErrStreamNotFound) && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		t.Errorf("the worker of an inbox that was removed: %v", err)
	}
}

// uses are the subjects that were published to, by whom, as the reply subject tells.
type uses struct {
	nc *nats.Conn
	mu sync.Mutex
	of map[use]bool
}

type use struct{ subject, reply string }

func (u use) by(user string) bool {
	return u.reply == "" || strings.HasPrefix(u.reply, "_INBOX."+user+".") || strings.HasPrefix(u.reply, "tinyactor.node."+user+"-")
}

func newUses(t *testing.T, nc *nats.Conn) *uses {
	u := &uses{nc: nc, of: map[use]bool{}}
	if _, err := nc.Subscribe(">", func(m *nats.Msg) {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.of[use{m.Subject, m.Reply}] = true
	}); err != nil {
		t.Fatal(err)
	}
	nc.Flush()
	return u
}

// check checks that each permission was needed.
func (u *uses) check(t *testing.T, s *embedded.Server, user string, p *server.Permissions) {
	t.Helper()
	u.nc.Flush()
	u.mu.Lock()
	published := slices.Collect(maps.Keys(u.of))
	u.mu.Unlock()
	for _, pattern := range p.Publish.Allow {
		if !slices.ContainsFunc(published, func(s use) bool { return s.by(user) && matches(pattern, s.subject) }) {
			t.Errorf("%s may publish to %s, and need not", user, pattern)
		}
	}
	z, err := s.Server().Connz(&server.ConnzOptions{Subscriptions: true, Username: true})
	if err != nil {
		t.Fatal(err)
	}
	var subscribed []string
	for _, c := range z.Conns {
		if c.Name == user {
			subscribed = append(subscribed, c.Subs...)
		}
	}
	for _, pattern := range p.Subscribe.Allow {
		if !slices.ContainsFunc(subscribed, func(s string) bool { return matches(pattern, s) }) {
			t.Errorf("%s may subscribe to %s, and need not: it has %v", user, pattern, subscribed)
		}
	}
}

// What the server does not allow, whoever tries is told: nobody waits for good.
func TestDenied(t *testing.T) {
	t.Parallel()
	beats := []string{"tinyactor.beat", "tinyactor.node.*.ctl"}
	allow := func(subjects ...string) *server.SubjectPermission {
		return &server.SubjectPermission{Allow: subjects}
	}
	s := start(t, embedded.Config{Adjust: func(o *server.Options) {
		o.Users = []*server.User{
			{Username: "all"},
			{Username: "mute", Permissions: &server.Permissions{Publish: allow(beats[1]), Subscribe: allow(beats...)}},
			{Username: "deaf", Permissions: &server.Permissions{Publish: allow(beats...), Subscribe: allow(beats[1])}},
			{Username: "node", Permissions: &server.Permissions{Publish: allow(beats...), Subscribe: allow(beats...)}},
		}
	}})
	join := func(user string) (*cluster.Node, error) {
		nc, err := s.Connect(nats.UserInfo(user, ""), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		n, err := cluster.Join(t.Context(), nc, cluster.Config{Beat: 50 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
		if err == nil {
			t.Cleanup(func() { n.Close() })
		}
		return n, err
	}
	for _, user := range []string{"mute", "deaf"} {
		_, err := join(user)
		wantErr(t, err, nats.ErrPermissionViolation, "cluster: join", `"tinyactor.beat"`)
	}
	node, err := join("node")
	if err != nil {
		t.Fatal(err)
	}
	all, err := join("all")
	if err != nil {
		t.Fatal(err)
	}
	_, addr := spawn(t, actor.Config{}, func(_ context.Context, m item) error {
		m.Answer(0, nil)
		return nil
	})
	wantErr(t, cluster.Expose(t.Context(), node, "stock", addr), nats.ErrPermissionViolation, `"stock"`, "in.stock")
	expose(t, all, "orders", addr)
	ctx := within(t, 10*time.Second)
	for range 2 {
		err = cluster.Lookup[item](node, "orders").Send(ctx, item{})
		wantErr(t, err, nats.ErrPermissionViolation, `"orders"`)
		wantErr(t, err, cluster.ErrUnknown)
		_, err = actor.Ask(ctx, cluster.Lookup[item](node, "orders"), func(r actor.Reply[int]) item { return item{Reply: r} })
		wantErr(t, err, nats.ErrPermissionViolation)
	}
	if n := addr.Len(); n != 0 {
		t.Errorf("%d have come", n)
	}
}
