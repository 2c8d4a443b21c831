// Package remote is the border between packages actor and cluster: what an ask
// needs whose asker is in another process, and how much room an inbox has.
//
// A Reply does not travel. Where the message leaves, package cluster takes it
// out and keeps it; where it arrives, it asks the question anew, with a Reply of
// the same type, and brings what comes of that back to the first.
package remote

import (
	"context"
	"reflect"
)

// Set by package actor.
var (
	// Answered returns the type of what the actor.Reply that v is takes, or nil
	// if v is none.
	Answered func(v any) reflect.Type

	// Answer gives value, which is nil or of the type that Answered returns, and
	// err to the asker of an actor.Reply, and reports whether it gets them.
	Answer func(reply, value any, err error) bool

	// Ask begins an ask with a Reply of the type of the one given. ctx is the
	// asker's.
	Ask func(ctx context.Context, reply any) *Question

	// Look returns how the inbox is of the actor that ref, an actor.Ref, is of.
	Look func(ref any) Sight
)

// Sight is an inbox at one moment.
type Sight struct {
	Bound    Bound
	Room     int    // how many messages it takes without making senders wait, if there is a bound
	Length   int    // how many messages are in it
	Accepted uint64 // how many messages it has accepted
	Done     uint64 // so many of these are dealt with: no process has them in hand any more
}

// Bound is what happens to the messages for which there is no room.
type Bound uint8

// The bounds of an inbox.
const (
	Unbounded Bound = iota // there always is
	Slowing                // they come in slowly: backpressure
	Full                   // they wait
)

// Question is an ask under way.
type Question struct {
	// Reply is the actor.Reply to be set in the message that asks.
	Reply any
	// Ctx goes with the one Send of that message. It ends with the asker's.
	Ctx context.Context //nolint:containedctx // it is what the Send has to get
	// Soon lets other goroutines run for a moment, if answers have come meanwhile
	// lately, and reports whether this one has. Then Wait does not wait.
	Soon func() bool
	// Wait waits for the answer, as actor.Ask does, and ends the ask.
	Wait func() (value any, err error)
	// Drop ends the ask, if the message was not accepted. Either this or Wait is
	// called, once.
	Drop func()
}
