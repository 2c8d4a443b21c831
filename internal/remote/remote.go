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

	// Room returns how many messages the actor that ref, an actor.Ref, is of
	// takes at this moment without making senders wait, and whether there is
	// any bound on that.
	Room func(ref any) (n int, bound Bound)
)

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
	// Wait waits for the answer, as actor.Ask does, and ends the ask.
	Wait func() (value any, err error)
	// Drop ends the ask, if the message was not accepted. Either this or Wait is
	// called, once.
	Drop func()
}
