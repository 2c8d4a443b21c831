// Package soak runs everything at once, in one process and on real time, for as
// long as wanted: actors, pools, asks, timers, watches, and trees of supervisors,
// under crashes, halts, aborts, replacements and calls of all kinds.
//
// The run is cut into epochs. In each, clients put the actors under load; then
// they pause, and everything that was sent has to come to its end. Each message
// has an id, and a bitmap of what was accepted is compared with one of what was
// received, handed back or crashed in hand. At three of these pauses, after
// garbage collections, heap and goroutines are measured: the tree stands then as
// it always does, so that the figures can be compared.
package soak
