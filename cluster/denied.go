package cluster

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// A server says what it does not allow beside the stream of what was asked, as an
// error of the connection: nobody waits for that, and a Send would wait for good.

// denied returns the server's word that this node may not use a subject, if that
// is the last error of the connection, and another one than before.
func (n *Node) denied(subject string, before error) error {
	err := n.nc.LastError()
	if !errors.Is(err, nats.ErrPermissionViolation) || err == before || !strings.Contains(err.Error(), strconv.Quote(subject)) {
		return nil
	}
	return err
}

// allowed waits for the server's word on a subscription that was just made; not for
// a server that does not answer.
func (n *Node) allowed(subject string, before error) error {
	if !n.nc.IsConnected() { // it subscribes when it is again
		return nil
	}
	n.nc.FlushTimeout(max(n.cfg.Find, time.Millisecond)) //nolint:errcheck // as above
	return n.denied(subject, before)
}
