package actortest

// NewBounded is New with the time until what still runs is aborted, and that
// until what is still left is named.
var NewBounded = newOwner

// Telling reports whether package actor is about to tell an observer something.
var Telling = telling
