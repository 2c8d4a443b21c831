// Package explore runs a small concurrent program through every order of its
// steps, or through as many as there is time for.
//
// A program is a function that starts threads: coroutines of which one runs at a
// time. Before each operation that others can notice, a thread says what it is
// about to do, and the search decides who goes on. What happened before is never
// restored but run again, from the start, with the same decisions (stateless
// search; Godefroid, Model Checking for Programming Languages using VeriSoft,
// 1997). The bound on preemptions, which finds most bugs at two or three, is that
// of Musuvathi and Qadeer, Iterative Context Bounding, 2007; the random orders
// beyond it are those of Burckhardt and others, A Randomized Scheduler with
// Probabilistic Guarantees of Finding Bugs, 2010.
package explore
