package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// The ID of a stored message, by which the servers recognise it, begins with a
// letter that says whose it is:
//
//	m-<ID>            its own
//	h-<hash>          a hash of its own, which goes into no header
//	r-<random>        it has none
//	a-<number>-<ID>   that of one that was set aside, and is put back: the servers
//	                  may still know the ID

// ownID is the ID of a message with one of its own. An empty one is none: messages
// that were given no ID are not the same.
func ownID(id string) string {
	if id == "" {
		return ""
	}
	ok := len(id) <= 100
	for _, c := range []byte(id) {
		ok = ok && c > ' ' && c < 0x7f
	}
	if ok {
		return "m-" + id
	}
	sum := sha256.Sum256([]byte(id))
	return "h-" + hex.EncodeToString(sum[:])
}

// retryID is the ID of a message that was set aside under a number.
func retryID(number uint64, id string) string {
	return "a-" + strconv.FormatUint(number, 36) + "-" + id
}

// firstID is the ID of a message before it was put back.
func firstID(id string) string {
	if rest, ok := strings.CutPrefix(id, "a-"); ok {
		_, id, _ = strings.Cut(rest, "-")
	}
	return id
}

// shownID is the ID as its owner knows it.
func shownID(id string) string { return strings.TrimPrefix(id, "m-") }
