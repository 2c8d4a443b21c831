// Package embedded runs a NATS server inside the process, so that a cluster of
// actors needs nothing installed: for development, for tests, and for good where
// every node may bring its own server.
//
//	s, err := embedded.Start(embedded.Config{})
//	defer s.Close()
//	nc, err := s.Connect()
//	defer nc.Close()
//	node, err := cluster.Join(ctx, nc, cluster.Config{})
//
// It is a module of its own, because the server is ten times as much code as the
// client that package cluster needs.
package embedded

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Config says what server to run. The zero value is one that has no peers, opens
// no port and keeps nothing: only this process reaches it, through Connect.
type Config struct {
	// Name of the server, which no other of its cluster has; made up if it is empty.
	Name string
	// Listen is host:port for clients of other processes; none if it is empty.
	Listen string

	// Route is host:port for the other servers. With it the server is one of a
	// cluster, and Routes are the host:port of some of the others, or of all; its
	// own may be among them. Such a server takes clients too, on a free port of
	// 127.0.0.1 if Listen is empty: without one it would not take routes either.
	Route  string
	Routes []string
	// Cluster is the name that the servers of one cluster share; "tinyactor" if
	// it is empty.
	Cluster string

	// JetStream runs NATS's storage, in the folder Store, which no other server
	// uses; in one that is removed by Close if that is empty.
	JetStream bool
	Store     string
	// SyncAlways has the storage write to the disk whatever it is given before it
	// answers, so that it survives the loss of power; otherwise it does so every
	// two minutes. It costs many times as much: see cluster.PowerLoss.
	SyncAlways bool

	// Adjust, if not nil, sets whatever else the server can do: accounts, users,
	// TLS, limits.
	Adjust func(*server.Options)
}

// patience is how long a server may take to start.
const patience = 10 * time.Second

// Server is a server that runs.
type Server struct {
	server *server.Server
	temp   string
}

// Start runs a server and returns when it takes connections, within 10 s, or why it
// does not. In a cluster, it does not wait for the others.
func Start(cfg Config) (*Server, error) {
	s := new(Server)
	o, err := cfg.options()
	if err != nil {
		return nil, err
	}
	if cfg.JetStream && cfg.Store == "" {
		if s.temp, err = os.MkdirTemp("", "tinyactor-nats-"); err != nil {
			return nil, fmt.Errorf("embedded: %w", err)
		}
		o.StoreDir = s.temp
	}
	if cfg.Adjust != nil {
		cfg.Adjust(o)
	}
	if s.server, err = server.NewServer(o); err != nil {
		return nil, errors.Join(fmt.Errorf("embedded: %w", err), s.clean())
	}
	s.server.Start()
	if !s.server.ReadyForConnections(patience) {
		s.server.Shutdown()
		s.server.WaitForShutdown()
		return nil, errors.Join(fmt.Errorf("embedded: not ready within %v", patience), s.clean())
	}
	return s, nil
}

func (cfg Config) options() (*server.Options, error) {
	o := &server.Options{
		ServerName: cfg.Name, DontListen: cfg.Listen == "", JetStream: cfg.JetStream, StoreDir: cfg.Store, SyncAlways: cfg.SyncAlways,
		NoSigs: true, NoLog: true, // the process's signals and log are its own
	}
	var err error
	if cfg.Route != "" && cfg.Listen == "" {
		o.DontListen, cfg.Listen = false, "127.0.0.1:0"
	}
	if cfg.Listen != "" {
		if o.Host, o.Port, err = split(cfg.Listen); err != nil {
			return nil, err
		}
	}
	if cfg.Route == "" {
		if len(cfg.Routes) > 0 {
			return nil, errors.New("embedded: Routes without a Route of its own")
		}
		return o, nil
	}
	o.Cluster.Name = cfg.Cluster
	if o.Cluster.Name == "" {
		o.Cluster.Name = "tinyactor"
	}
	if o.Cluster.Host, o.Cluster.Port, err = split(cfg.Route); err != nil {
		return nil, err
	}
	for _, r := range cfg.Routes {
		o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: r})
	}
	return o, nil
}

func split(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	if err != nil {
		return "", 0, fmt.Errorf("embedded: %q is no host:port: %w", address, err)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, nil
}

// Connect returns a connection to the server that opens no port. Options are
// those of nats.go.
func (s *Server) Connect(options ...nats.Option) (*nats.Conn, error) {
	nc, err := nats.Connect("", append([]nats.Option{nats.InProcessServer(s.server)}, options...)...)
	if err != nil {
		return nil, fmt.Errorf("embedded: connect: %w", err)
	}
	return nc, nil
}

// Server returns NATS's own handle.
func (s *Server) Server() *server.Server { return s.server }

// Close shuts the server down and waits for that.
func (s *Server) Close() error {
	s.server.Shutdown()
	s.server.WaitForShutdown()
	return s.clean()
}

func (s *Server) clean() error {
	if s.temp == "" {
		return nil
	}
	if err := os.RemoveAll(s.temp); err != nil {
		return fmt.Errorf("embedded: close: %w", err)
	}
	return nil
}
