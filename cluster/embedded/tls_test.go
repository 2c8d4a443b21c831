package embedded_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"tinyactor/actor"
	"tinyactor/cluster"
	"tinyactor/cluster/embedded"
)

// authority signs certificates of machines on 127.0.0.1, and where else they are.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{t: t, pool: x509.NewCertPool()}
	c := a.sign(&x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	a.cert, a.key = c.Leaf, c.PrivateKey.(*ecdsa.PrivateKey)
	a.pool.AddCert(a.cert)
	return a
}

// sign makes a key and its certificate.
func (a *authority) sign(c *x509.Certificate) tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c.SerialNumber, c.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: "test"}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// machine returns the configuration of one that proves who it is, and wants to
// know that of the others. It is at this host:port as well.
func (a *authority) machine(at ...string) *tls.Config {
	addresses := []net.IP{net.IPv4(127, 0, 0, 1)}
	for _, address := range at {
		addresses = append(addresses, net.IP(netip.MustParseAddrPort(address).Addr().AsSlice()))
	}
	return &tls.Config{
		Certificates: []tls.Certificate{a.sign(&x509.Certificate{
			IPAddresses: addresses, KeyUsage: x509.KeyUsageDigitalSignature,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		})},
		RootCAs: a.pool, ClientCAs: a.pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13,
	}
}

// work checks that one node can send to another and gets answers.
func checkWork(t *testing.T, here, there *nats.Conn) {
	t.Helper()
	node := func(nc *nats.Conn) *cluster.Node {
		n, err := cluster.Join(t.Context(), nc, cluster.Config{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { n.Close() })
		return n
	}
	_, addr := spawn(t, actor.Config{}, func(_ context.Context, m item) error {
		m.Answer(2*m.N, nil)
		return nil
	})
	expose(t, node(there), "work", addr)
	work := cluster.Lookup[item](node(here), "work")
	eventually(t, "it is found", func() bool { return work.Send(t.Context(), item{}) == nil })
	if v, err := actor.Ask(t.Context(), work, func(r actor.Reply[int]) item { return item{r, 21} }); v != 42 || err != nil {
		t.Errorf("an Ask: %v, %v", v, err)
	}
}

// By TLS, with certificates at both ends, between servers too: who has none, or
// trusts another authority, does not get in and is told why.
func TestTLS(t *testing.T) {
	t.Parallel()
	ours, theirs := newAuthority(t), newAuthority(t)
	routes := free(t, 2)
	var servers []*embedded.Server
	for i := range routes {
		servers = append(servers, start(t, embedded.Config{
			Listen: "127.0.0.1:0", Route: routes[i], Routes: routes, Adjust: func(o *server.Options) {
				o.TLS, o.TLSConfig = true, ours.machine()
				o.Cluster.TLSConfig = ours.machine(routes[i])
			},
		}))
	}
	connect := func(s *embedded.Server, cfg *tls.Config) (*nats.Conn, error) {
		nc, err := nats.Connect(s.Server().ClientURL(), nats.Secure(cfg))
		if err == nil {
			t.Cleanup(nc.Close)
		}
		return nc, err
	}
	var conns []*nats.Conn
	for _, s := range servers {
		nc, err := connect(s, ours.machine())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := nc.TLSConnectionState(); err != nil {
			t.Error(err)
		}
		conns = append(conns, nc)
	}
	checkWork(t, conns[0], conns[1])

	stranger := theirs.machine()
	_, err := connect(servers[0], stranger)
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok {
		t.Errorf("who does not trust the authority: %v", err)
	}
	stranger.RootCAs = ours.pool
	for what, cfg := range map[string]*tls.Config{
		"without a certificate":           {RootCAs: ours.pool, MinVersion: tls.VersionTLS13},
		"with one of another authority's": stranger,
	} {
		if _, err := connect(servers[0], cfg); err == nil || !strings.Contains(err.Error(), "tls") {
			t.Errorf("%s: %v", what, err)
		}
	}
	// Nor does a server that is none of theirs.
	alien := start(t, embedded.Config{Listen: "127.0.0.1:0", Route: free(t, 1)[0], Routes: routes, Adjust: func(o *server.Options) {
		o.Cluster.TLSConfig = theirs.machine()
	}})
	nc, err := nats.Connect(alien.Server().ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	n, err := cluster.Join(t.Context(), nc, cluster.Config{Find: 500 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	wantErr(t, cluster.Lookup[item](n, "work").Send(t.Context(), item{}), cluster.ErrNotFound)
}

// Who has the key gets in.
func TestCredentials(t *testing.T) {
	t.Parallel()
	var pairs []nkeys.KeyPair
	var names []string
	for range 2 {
		pair, err := nkeys.CreateUser()
		if err != nil {
			t.Fatal(err)
		}
		name, err := pair.PublicKey()
		if err != nil {
			t.Fatal(err)
		}
		pairs, names = append(pairs, pair), append(names, name)
	}
	s := start(t, embedded.Config{Listen: "127.0.0.1:0", Adjust: func(o *server.Options) {
		o.Nkeys = []*server.NkeyUser{{Nkey: names[0]}}
		o.Users = []*server.User{{Username: "shop", Password: "secret"}}
	}})
	key, err := s.Connect(nats.Nkey(names[0], pairs[0].Sign))
	if err != nil {
		t.Fatal(err)
	}
	defer key.Close()
	password, err := nats.Connect(s.Server().ClientURL(), nats.UserInfo("shop", "secret"))
	if err != nil {
		t.Fatal(err)
	}
	defer password.Close()
	checkWork(t, key, password)
	for what, option := range map[string]nats.Option{
		"an unknown key":   nats.Nkey(names[1], pairs[1].Sign),
		"a wrong key":      nats.Nkey(names[0], pairs[1].Sign),
		"a wrong password": nats.UserInfo("shop", "secrets"),
		"nothing":          nats.Name("nobody"),
	} {
		nc, err := nats.Connect(s.Server().ClientURL(), option)
		if !errors.Is(err, nats.ErrAuthorization) {
			nc.Close()
			t.Errorf("with %s: %v", what, err)
		}
	}
}
