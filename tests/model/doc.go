// Package model holds the programs that package explore runs in every order: the
// real mailbox and the real lifecycle of actors, a few operations at a time, and
// what must be true after them. Built without the tag modelcheck, the library
// takes no part in an exploration; see cmd/model.
package model
