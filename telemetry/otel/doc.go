// Package otel gives OpenTelemetry the metrics of actors, and traces of what
// they handle. It needs the API only; what is done with it is for the SDK that
// the program has set up.
//
// # Metrics
//
// [Register] has what an observer sees read by observable instruments: whenever
// a reader collects, and never in between. The names follow the semantic
// conventions for messaging where these have one (they are still in
// development), the others begin with tinyactor:
//
//	messaging.client.sent.messages      {message}  accepted by the actors
//	messaging.client.consumed.messages  {message}  received by them
//	tinyactor.messages.undelivered      {message}  received by nobody, because the actor ended
//	tinyactor.restarts                  {restart}  by supervisors
//	tinyactor.panics                    {panic}    of processes
//	tinyactor.actors                    {actor}    that live
//	tinyactor.processes                 {process}  by tinyactor.process.state: idle, busy, stuck
//	tinyactor.queue.length              {message}  queued, in all actors together
//	tinyactor.queue.capacity            {message}  that their queues have room for; absent where one is not bounded
//	tinyactor.queue.highest             {message}  the longest that the queue of one is known to have been
//	tinyactor.waiting_senders           {sender}   goroutines that wait in a Send or an Ask
//	tinyactor.deadlocks                 {deadlock} cycles of actors that wait for each other
//	tinyactor.queueing.time             s          in the queue, of all messages that were timed together
//	tinyactor.queueing.timed            {message}  how many those are
//	tinyactor.queueing.quantile         s          by tinyactor.quantile: 0.5, 0.95, 0.99, 1
//	tinyactor.handling.time             s          from receipt to the next receive, in the same way
//	tinyactor.handling.timed            {message}
//	tinyactor.handling.quantile         s
//	tinyactor.handling.oldest           s          for how long the message that has been handled longest has been
//
// All have the attribute messaging.system, which is tinyactor; the first two
// messaging.operation.name, which is send and receive; and all but
// tinyactor.deadlocks messaging.destination.template: the actor's name, in which
// digits and ids are replaced by a star, as the conventions want it of names that
// have high cardinality. Actors with the same template are summed up; a count goes on when
// they end.
//
// messaging.process.duration is not among them. It is a histogram, and the API
// has no observable one. A quantile here is the highest that one of the actors
// has over its life so far; the time of the last minutes is the increase of
// .time divided by that of .timed. Who needs the conventions' histogram can make
// it of the spans.
//
// # Traces
//
// [Handler] wraps the function that is given to Inbox.Serve, so that each message
// that has a context is handled in a span.
package otel
