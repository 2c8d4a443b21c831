// Package prometheus exports what an observer sees of actors to Prometheus.
//
//	o := observer.New(observer.Options{})
//	prometheus.MustRegister(actorprom.New(o, actorprom.Options{}))
//	ctx = o.Watch(ctx)
//
// Everything is read when Prometheus scrapes; between two scrapes nothing is
// done. The name of the package is also that of client_golang's, so a program
// that uses both imports one of them under another name.
//
// # Labels
//
// Series have the label actor. It is the actor's name, in which digits and ids
// are replaced by a star, so that worker-1 and worker-2 are one series,
// worker-*: an id in a label makes a series that nobody will ever look at again.
// Options.Label says otherwise. Actors that have the same label are summed up.
//
// A count goes on when an actor ends, and is never lower than at an earlier
// scrape: those that have ended stay in it, also those that lived between two
// scrapes.
//
// # Durations
//
// The times in queue and of handling are histograms, not summaries, because
// histograms of several actors, and of several programs, can be added up. Not
// every message is timed: see observer.Options.Samples. So the count of these
// histograms is not how many messages there were, and actors that handle few
// messages weigh more in them than those that handle many.
package prometheus
