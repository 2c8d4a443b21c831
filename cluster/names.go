package cluster

import (
	"fmt"
	"strings"
)

// maxName is how long a name may be. NATS is fine with more; people are not.
const maxName = 128

// checkName returns an error unless name is safe in a subject: no wildcard, no
// space, no empty token.
func checkName(what, name string) error {
	ok := name != "" && len(name) <= maxName && name[0] != '.' && name[len(name)-1] != '.' && !strings.Contains(name, "..")
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			ok = false
		}
	}
	if !ok {
		return fmt.Errorf("%w: %s %q", ErrBadName, what, name)
	}
	return nil
}

// checkNode is checkName for a node: its name is one part of a subject, so that
// permissions can have a * there.
func checkNode(name string) error {
	if strings.Contains(name, ".") {
		return fmt.Errorf("%w: node %q has a dot", ErrBadName, name)
	}
	return checkName("node", name)
}

// subjects are made from checked names only.
type subjects struct{ prefix string }

// beats is where all nodes publish and listen.
func (s subjects) beats() string { return s.prefix + ".beat" }

// control is where one node hears what is for it alone.
func (s subjects) control(node string) string { return s.prefix + ".node." + node + ".ctl" }

// inbox is where one node takes messages for one name.
func (s subjects) inbox(node, name string) string { return s.prefix + ".node." + node + ".in." + name }

// bucket is the KV bucket with the leases. Buckets have no dots in their names.
func (s subjects) bucket() string {
	return strings.NewReplacer("_", "__", ".", "_-").Replace(s.prefix) + "-leases"
}

// controlOf returns the node whose control subject reply is, and false if it is
// none: somebody made it up.
func (s subjects) controlOf(reply string) (node string, ok bool) {
	rest, ok := strings.CutPrefix(reply, s.prefix+".node.")
	if !ok {
		return "", false
	}
	node, ok = strings.CutSuffix(rest, ".ctl")
	return node, ok && checkNode(node) == nil
}
