// Package supervisor keeps actors running: it starts children in order,
// restarts those that end when they should not, and stops them in the opposite
// order.
//
// A child is a [Worker], which runs a body of yours on an inbox that outlives
// its processes, a [Spec], which is a supervisor itself, or a [Dynamic], whose
// children are made from a template. [Validate] says what is wrong with a tree
// before it runs.
package supervisor
