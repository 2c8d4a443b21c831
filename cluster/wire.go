package cluster

import (
	"encoding/binary"
)

// version is the first byte of everything that a node publishes. Whoever reads
// another does not read on, but for the number of the link in an open frame, which
// stays where it is. A frame of the same version may have more at its end than is
// read.
const version = 1

// kind is the second byte.
type kind byte

const (
	kindBeat      kind = iota + 1 // a node lives, and exposes these names
	kindOpen                      // sender to receiver: begin a link
	kindData                      // messages of a link
	kindWant                      // the sender has messages and no credit
	kindCancel                    // the sender does not want this message any more, if it is not too late
	kindState                     // receiver to sender: what has come, and credit
	kindAnswer                    // of an ask
	kindEnd                       // the link is over
	kindFarewell                  // to all, or an answer: how an exposed actor has ended
	kindWonder                    // the beats speak of an actor no more: how has it ended?
	kindHint                      // to all: the record of a lease or a session has changed
	kindHeard                     // the sender has the verdicts of a state frame
	kindInquiry                   // of these asks the sender has had no answer for long
	kindNone                      // the receiver has none of these asks under way
	kindForgotten                 // the sender has no such link, any more
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
	flagKey    // it is for one key of the name, which follows
	flagTry    // it does not wait for room
	flagInsist // it is to be taken though another node would be the one to hold its key
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

// verdict is what became of a message, where the cumulative acknowledgement does
// not say it. Its number is among those acknowledged.
type verdict struct {
	n      uint64
	kind   fate
	err    error  // isRefused
	holder string // isMoved: which node to try instead; "" if it is not known
}

// fate of a message.
type fate byte

const (
	isRefused  fate = iota // not accepted, with the reason
	isMoved                // not accepted: its key is another node's
	isWaiting              // neither, so far: a later verdict tells
	isAccepted             // after it has waited
)

func appendVerdict(dst []byte, v verdict) []byte {
	dst = append(appendUint(dst, v.n), byte(v.kind))
	switch v.kind {
	case isRefused:
		dst = appendError(dst, v.err)
	case isMoved:
		dst = appendString(dst, v.holder)
	case isWaiting, isAccepted:
	}
	return dst
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 1)
	}
	return append(dst, 0)
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

func (r *reader) verdicts() (all []verdict) {
	for range r.uint() {
		v := verdict{n: r.uint(), kind: fate(r.byte())}
		switch v.kind {
		case isRefused:
			if v.err = r.error(); v.err == nil {
				r.fail()
			}
		case isMoved:
			v.holder = r.string()
		case isWaiting, isAccepted:
		default:
			r.fail()
		}
		if r.bad {
			return nil
		}
		all = append(all, v)
	}
	return all
}

func appendUints(dst []byte, all []uint64) []byte {
	dst = appendUint(dst, uint64(len(all)))
	for _, n := range all {
		dst = appendUint(dst, n)
	}
	return dst
}

func (r *reader) uints() (all []uint64) {
	for range r.uint() {
		if n := r.uint(); !r.bad {
			all = append(all, n)
		} else {
			return nil
		}
	}
	return all
}

func (r *reader) bool() bool { return r.byte() != 0 }

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
