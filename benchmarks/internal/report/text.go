package report

// The parts of the document that do not change.
const (
	docHead = `# Performance

What messages cost here, beside channels and other libraries. This file is written by

` + "```sh\nmake bench\n```" + `

and so are [the picture](performance.svg) and every figure below: %s, commit %s, on %s; medians of %d rounds.
Compare figures of one run only. Another machine has other figures, and often other ratios.

![Time and memory as a multiple of a channel's, for each workload](performance.svg)

Medians, in nanoseconds for each operation where no unit stands; a dash is a workload that the contestant does not enter.
¹ is a channel with 16 slots, the others have 1024.

`

	docLooked = `
## While somebody looks

The same with an observer that nobody looks at, with one page open, and with Prometheus and OpenTelemetry reading ten times
a second; and with messages that carry a context to a handler that is traced, not sampled and sampled, without an exporter.
Multiples of what it costs when nobody looks.

`
	docRemote = `
## Between machines

From one node to another: what NATS's client takes alone, and as multiples of that, what package cluster takes. Both encode and
decode the same 70 bytes of JSON, and check that all messages come, once and in order.

- *Remote* rows are between two servers, one for each node. The client drops what a receiver does not take in time, and has
  a queue without a bound here, so that it takes everything; the actors have Bounded(1024), and their senders wait for them. In cluster,
  Send returns when the actor has the message; cluster-async is the sender of Remote.Async.
- *Durable* rows are over one server that stores in files, without replicas (level ProcessCrash); each message is acknowledged
  by itself when it was handled. In cluster and nats, a sender waits until its message is stored; in those called async it goes on, while at most
  4096 are on their way. A durable inbox gives each message an ID, by which the server recognises it if it comes again; so do those called ids.

`
	docTargets = `
## Targets

What this library wants to reach is in a table in
[benchmarks/internal/report/targets.go](../benchmarks/internal/report/targets.go). A target that is missed stays in it.
`

	docMethod = `
## How it is measured

- Each run is a process of its own. A round runs everything once, and then the next round begins, so that what changes on
  the machine meets all. A run warms up first, which also finds out how many operations fit into the time of a measurement.
- A message is a struct with one int64, which says who sent it and which of the sender's messages it is. The receiver checks
  each: every sender's messages must come completely, once and in order. If not, there is no figure, and the command fails.
- Time ends when the last message has been handled. Memory is what was allocated from the beginning of the measurement to its
  end, CPU time is what the process used in the same time, collecting garbage included.
- Workloads know nothing of contestants, and contestants nothing of workloads: see
  [benchmarks/internal/contest](../benchmarks/internal/contest).
- The baselines check themselves: the command fails if a ping-pong over a channel does not take 3 to 14 times as long as a
  message through one.

The contestants, in the versions that [benchmarks/go.mod](../benchmarks/go.mod) names:

- **tinyactor** is an actor with an unbounded inbox that ranges over Messages; the rows called bounded have Bounded(1024), and
  tell at once has SendAll and RecvBatch. tinyactor-default has the default capacity, tinyactor-recv calls Recv.
- **observed** and what begins so are tinyactor below observer.New().Watch, and **unobserved** is tinyactor in the same program,
  as the packages that are linked into a program make a difference too; **traced** are handlers of telemetry/otel, with messages
  that have a context. See the table above.
- **chan-raw** is a goroutine that ranges over a channel. Nobody can stop it, nor a sender that waits for it.
- **chan-select** is the same with a context beside each channel operation, which is what a program needs that can be stopped.
- **mutex+cond** is a slice under a mutex, with a condition variable. Its receiver takes all that waits at once.
- **phony** is github.com/Arceliar/phony. Its actors are closures that run on a goroutine while there are any; so an idle one
  has no goroutine and nothing to start or to stop.
- **protoactor-go** is github.com/asynkron/protoactor-go with its default mailbox. An idle actor has no goroutine either. Its
  pool is a router, whose routees have a mailbox each.
- **suture** is github.com/thejerf/suture. It starts, supervises and stops goroutines and has no messages.
- **cluster** is package cluster between two nodes, and **nats** is github.com/nats-io/nats.go alone. Nodes and servers run in one
  process, and the servers are connected over the loopback interface, so that CPU time and memory are those of all of them.

The workloads that need words:

- *Ring*: 1000 actors in a circle hand on one number. *Many to many*: 120 actors each send a ping to any other, wait for its pong,
  and send the next.
- *Ask*: a question and its answer, with a context that the caller has anyway, or with a time limit for each question.
- *Spawn*: 100,000 actors are started, get one message each, are stopped, and their ends awaited.
- *Idle actor*: bytes of heap and stacks in use after a collection, for each actor that has handled one message and waits.
- *Longest Send*: 1000 senders send 4000 messages each without a pause; the longest time that a single Send took. Then they
  send for a second without end. There, the scheduler has to take turns with them, and the longest Send (endless) may be one
  that was interrupted; most to fewest is how many messages the luckiest sender has sent for each one of the unluckiest.
- *Soak*: 10⁸ messages in ten parts. Growth is by how much the memory in use after any part is larger than after the first.
`

	docLeftOut = `- chan-raw-16 and chan-select-16 enter the workloads that do not need more slots; tinyactor-default and tinyactor-recv those in
  which they could make a difference; suture those that need no messages.
- Variants of GOMAXPROCS, 64 at once, the longest Send and the soak compare this library with channels only.
- hollywood, ergo, goakt and go-actor could not be downloaded where this was run.
`

	docAll = `
## All figures

`
)
