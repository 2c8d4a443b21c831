package cluster

import (
	"encoding/binary"
)

// version is the first byte of everything that a node publishes. Whoever reads
// another does not read on, but for the two strings of an open frame's and a
// beat's head, which stay as they are.
const version = 1

// kind is the second byte.
type kind byte

const (
	kindBeat     kind = iota + 1 // a node lives, and exposes these names
	kindOpen                     // sender to receiver: begin a link
	kindData                     // messages of a link
	kindWant                     // the sender has messages and no credit
	kindCancel                   // the sender does not want this message any more, if it is not too late
	kindState                    // receiver to sender: what has come, and credit
	kindAnswer                   // of an ask
	kindEnd                      // the link is over
	kindFarewell                 // to all, or an answer: how an exposed actor has ended
	kindWonder                   // the beats speak of an actor no more: how has it ended?
	kindHint                     // to all: the record of a lease or a session has changed
)

// Flags of a data frame.
const (
	flagNow  byte = 1 << iota // somebody waits for this to be acknowledged
	flagLast                  // nothing follows on this link
)

// Flags of a message in a data frame.
const (
	flagAsk byte = 1 << iota
	flagDeadline
)

// dataHead is the length of a data frame before its messages: version, kind,
// link, flags, number of the first message.
const dataHead = 2 + 8 + 1 + 8

func head(k kind) []byte { return []byte{version, byte(k)} }

func appendUint(dst []byte, n uint64) []byte { return binary.AppendUvarint(dst, n) }

func appendLink(dst []byte, id uint64) []byte { return binary.BigEndian.AppendUint64(dst, id) }

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// reader reads a frame from its beginning. After a step that there were not the
// bytes for it is bad, and every further one returns zero.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) fail() {
	r.rest, r.bad = nil, true
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.fail()
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

// link reads the number of a link.
func (r *reader) link() uint64 { return r.fixed() }

func (r *reader) fixed() uint64 {
	if len(r.rest) < 8 {
		r.fail()
		return 0
	}
	n := binary.BigEndian.Uint64(r.rest)
	r.rest = r.rest[8:]
	return n
}

func (r *reader) uint() uint64 {
	n, k := binary.Uvarint(r.rest)
	if k <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[k:]
	return n
}

func (r *reader) bytes() []byte {
	n := r.uint()
	if n > uint64(len(r.rest)) {
		r.fail()
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) string() string { return string(r.bytes()) }
