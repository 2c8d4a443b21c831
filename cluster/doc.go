// Package cluster reaches actors on other machines, over NATS.
//
// Use it if one machine is not enough, or must not be the only one. Between
// actors of one process it adds a round trip and a chance of not knowing; there,
// use addresses.
//
//	nc, err := nats.Connect(url)                                   // TLS, credentials, reconnects: nats.go's options
//	node, err := cluster.Join(ctx, nc, cluster.Config{Name: "shop-1"})
//	defer node.Drain(ctx)
//
//	err = cluster.Expose(ctx, node, "orders", addr)                // where the actor lives
//
//	orders := cluster.Lookup[Message](node, "orders")              // anywhere
//	err = orders.Send(ctx, Order{Item: "tea"})
//	left, err := actor.Ask(ctx, orders, Stock{Item: "tea"}.to)
//
// Message is an interface here, and Order and Stock are registered for it: see
// [Register]. One struct needs no registration.
//
// A [Remote] is an [actor.Sender] and keeps what one promises, which
// actortest.TestSender checks on it; its doc says in what it differs from an
// *actor.Address. Several nodes that expose one name are a pool. The server may
// be anywhere, also in the process: see tinyactor/cluster/embedded.
//
// # What is promised
//
//   - Send: nil means that the actor has accepted the message. An error means
//     that it has not and will not, but for ErrUnknown: then that is not known.
//   - At most once. Nothing is sent again that may have arrived.
//   - Nothing is dropped for want of room. A sender may have as many messages
//     under way as the receiver has given it credit for, which is what the inbox
//     had room for; without credit, Send waits and TrySend returns actor.ErrFull.
//     While several nodes send to one inbox, or somebody beside them does, more
//     may come than there is room for: at most Config.Window messages of each
//     node then wait where the actor is, unaccepted.
//   - Nothing accepted is lost silently while the sender's node lives. What was
//     in the inbox of an actor whose node died, and perhaps never received, is
//     given to the sender's Config.Undelivered with ErrUnknown: the receiver says
//     how far its actor has come, and what it has not said is kept. An actor that
//     ends on a living node gives what it leaves to its own Config.Undelivered.
//   - Messages of one goroutine to one name are taken in order by each node.
//     Those of Async may change places around a fault in which some were handed
//     back and sent again to another node of the pool.
//   - An Ask ends: with the answer, or an error, at the latest Config.Lost, and
//     a fifth of Config.Beat, after the last beat of a node that died or froze; an
//     answer that the network has lost is missed after two Beats.
//
// # What is not
//
//   - Exactly once, or delivery across the death of the sender: its messages are
//     in its memory.
//   - A word about messages that a process had received when it died with its
//     node. It may have dealt with them or not; repeat what does no harm.
//   - A lock. A node that is taken for dead may only be slow, and still work on
//     what it has. What it does then, others may do again.
//   - Protection between the nodes of one cluster: see Security.
//
// # How it works
//
// Each node has one subscription for what is for it alone, one for the beats of
// all, and one for each name that it exposes:
//
//	<cluster>.beat                  every Config.Beat: I live, I expose these names, with so much room; farewell; hint
//	<cluster>.node.<id>.ctl         open, want, heard, cancel, inquiry, forgotten; state, answer, none, end; wonder, farewell; a beat to who is new
//	<cluster>.node.<id>.in.<name>   messages
//
// Between a sending node and an exposed name on one node there is a link. The
// sender numbers its messages; the receiver moves them into the inbox in that
// order and says in one frame up to which number it has moved them, which it
// refused and why, up to which number the actor is done, and up to which number
// it may be sent: absolute numbers, so that a lost frame is made good by the next.
// A gap in the numbers is what the network has lost: it is handed back. What a
// frame says beside that, of single messages, is repeated until it was heard.
//
// A packet carries several messages. It leaves at once when nothing that somebody
// waits for is under way, or a question is in it; else with the next
// acknowledgement, or when it is full. So one message is not delayed, and many
// are not sent one by one.
//
// A Reply stays at home. The sender keeps it and sends the message without; the
// receiver asks its own actor anew, with the deadline that is left, and sends the
// answer back with its error: what errors.Is says of the sentinels of packages
// actor, context and cluster holds at home too, and a *actor.PanicError comes
// with its stack.
//
// How an exposed actor has ended, its node says once, to all, beside the beats: so
// nobody has to be remembered who watches it. Who has not heard that, and finds
// the actor missing in the beats, asks.
//
// A node that is not heard of for Config.Lost is lost: its links end. Beats go
// over core NATS, which has no leader to lose. Frames start with a version byte,
// links with the names of message type and codec: what differs is refused with
// ErrMismatch at the sender, and counted and logged at both ends.
//
// # Leases
//
// What runs on one node only does so under a lease: a [Singleton], and each of the
// 64 parts into which the keys of a [Keyed] name fall. Leases are records in a KV
// bucket, <cluster>-leases, and each names the session of the node that has it. A
// session is one record more, which its node renews, however many leases it has.
//
//	lease.<what>      held by a session, or free; the revision is the fencing number
//	session.<id>      lives, written every fifth of Config.Lease; or has ended, for good
//
// To take a lease that another session has, that session is ended first. Both are
// writes that fail if somebody else has written since; what is read is never
// believed, as any replica answers, and the last one may have heard nothing for a
// while. A session may be ended if its node is lost by its beats, and a Beat more,
// or if its record has stayed the same for Config.Lease. If the node lives after
// all and renews, it fails or its rival does. Whoever has slept, cannot renew and
// hears only the smaller part of the nodes, or has not renewed for Config.Lease
// gives up by itself. Two nodes that reach the bucket and do not hear each other do
// not take turns: the one whose session was ended knows that the other lives, and
// waits until its record stays the same.
//
//   - Beats find out the death of a node, because the bucket is away for up to 9 s
//     when the server that leads it dies. Leases are renewed for much longer than
//     that, so nobody else loses anything then.
//   - A record of a lease is never deleted, so that its numbers grow. So do not
//     delete the bucket while there are stores that know the numbers, nor purge it
//     or one of its records: what is held is given away then, while its holder goes
//     on, without end if it was the record of a lease. A bucket that would forget
//     records by itself is refused with ErrMismatch. It needs nats-server 2.11, for
//     records of sessions that expire.
//   - JetStream writes to disk every two minutes. If all replicas lose power at
//     once, a lease may be given twice, with the same number. That takes the same
//     to prevent as for a durable inbox: see [PowerLoss].
//
// # Keys
//
// A message for a [Keyed] name brings its key. Its sender chooses the node by
// rendezvous hashing of the key's partition over the nodes that host the name, and
// keeps to it. A node that does not hold the partition takes its lease if it would
// be its own choice too, or nobody agrees; else it refuses the message, and says
// who has the lease. The sender then waits until all that it has under way for
// that partition is settled, and sends what was refused there, in its order. So
// that nothing gets ahead, what was sent behind a refused message is refused too,
// whatever has changed meanwhile: each message brings the turn of its partition,
// which the sender advances after refusals.
//
// A message that waits for its key's actor, to be started or to have room, is
// acknowledged as one that waits, so that it holds up none behind it; what becomes
// of it is said later. Of such messages there may be as many as the window has.
//
// # Durable inboxes
//
// What is sent to a [Durable] is stored by JetStream before Send returns nil, and
// kept until a handler of some node has returned nil for it:
//
//	<cluster>=<name>          the stream of messages: <cluster>.durable.<name>.<partition>
//	  work, or key-<n>        its consumers; with keys, one for each partition
//	<cluster>=<name>=aside    that of what was set aside: <cluster>.aside.<name>.<number>
//
// A message is sent with an ID, and again with the same until a server has
// answered, for as long as the servers know the ID. It is handed to a node, which
// says every fifth of DurableConfig.AckWait that it still has it, and then that it
// is done with it, or wants it handed out again, and when.
//
//   - A stored message begins with a version of its own, and the names of type and
//     codec: it outlives the program that has stored it. What does not fit is set
//     aside, with the reason, and not lost.
//   - The servers count how often a message is handed out. They cannot know
//     whether a handler has begun, so a node fetches few at first, after a pause,
//     and after one that another node has not done with; then twice as many each
//     time, while its workers keep up.
//   - A partition hands out one message at a time, and the next when that is done:
//     the order of a key then needs no lease, and no node has to know of another.
//     It costs a round trip for each message of a partition.
//   - Messages are fetched without nats.go's consumers: the size of their batches
//     is fixed, and what they have fetched when they stop waits for AckWait.
//
// # Why like this
//
//   - Send waits for the acknowledgement, because the word of an actor.Sender is
//     that nil means accepted. It costs a round trip for each goroutine, not for
//     each message: many senders share packets and acknowledgements. Async is
//     there for a single goroutine that has much to say.
//   - Credit is what the inbox has room for, not a window of its own: a window
//     beside the inbox would be a second inbox, which nobody has asked for and
//     whose messages are neither accepted nor refused. The price: an inbox does
//     not tell when it gets room, so that while senders wait for a full one,
//     somebody looks, every 50 µs first and every 10 ms at last.
//   - Credit is given to each sending node as if it were alone. To share it out
//     would leave busy nodes waiting for what idle ones hold.
//   - The reply subject of each frame is the sender's control subject, and its
//     only name: one that is not made of checked parts is refused.
//   - No queue groups: they give work to a frozen node as well, and to a full one.
//
// # Security
//
// Whoever may publish to the subjects of a cluster is one of its nodes. Use TLS
// and credentials of nats.go, and an account for each cluster. Within an account,
// these permissions are the least. A name with dots is written in other ways in
// some places: in the names of streams, <cluster>=jobs and <cluster>=jobs=aside, a
// dot is a +, and so is one of an inbox behind durable and aside; in that of the
// bucket, <cluster>-leases, a dot is a _- and a _ is doubled.
//
//	every node
//	  publish    <cluster>.beat  <cluster>.node.*.ctl
//	  subscribe  <cluster>.beat  <cluster>.node.*.ctl
//	that sends to orders
//	  publish    <cluster>.node.*.in.orders
//	that exposes orders
//	  subscribe  <cluster>.node.*.in.orders
//	that runs singletons, or hosts keyed actors
//	  publish    $JS.API.STREAM.INFO.KV_<cluster>-leases
//	  publish    $JS.API.DIRECT.GET.KV_<cluster>-leases.$KV.<cluster>-leases.>
//	  publish    $KV.<cluster>-leases.>
//	  subscribe  _INBOX.<user>.*.*
//	and may be the first to do so
//	  publish    $JS.API.INFO  $JS.API.STREAM.CREATE.KV_<cluster>-leases
//	that sends to the durable inbox jobs
//	  publish    $JS.API.STREAM.INFO.<cluster>=jobs  $JS.API.STREAM.INFO.<cluster>=jobs=aside
//	  publish    <cluster>.durable.jobs.*
//	  subscribe  _INBOX.<user>.*.*
//	and may be the first to open it
//	  publish    $JS.API.STREAM.CREATE.<cluster>=jobs  $JS.API.STREAM.CREATE.<cluster>=jobs=aside
//	that opens it, and handles its messages
//	  publish    $JS.API.STREAM.INFO.<cluster>=jobs  $JS.API.STREAM.INFO.<cluster>=jobs=aside
//	  publish    $JS.API.CONSUMER.CREATE.<cluster>=jobs.>  $JS.API.CONSUMER.INFO.<cluster>=jobs.*
//	  publish    $JS.API.CONSUMER.MSG.NEXT.<cluster>=jobs.*  $JS.ACK.<cluster>=jobs.>
//	  publish    <cluster>.aside.jobs.*
//	  subscribe  _INBOX.<user>.*.*
//	and looks after what was set aside
//	  publish    $JS.API.STREAM.MSG.GET.<cluster>=jobs=aside  $JS.API.STREAM.MSG.DELETE.<cluster>=jobs=aside
//	  publish    <cluster>.durable.jobs.*
//
// Give each user a nats.CustomInboxPrefix("_INBOX.<user>"), so that they do not
// hear the answers to each other. What the server refuses, Join, Expose, Keyed
// and OpenDurable return; a Send returns it with ErrUnknown, as something may have
// been sent before.
//
// NATS has no wildcards within one part of a subject, and a node's ID is new each
// time, so the nodes of one cluster could listen to each other's control frames.
// Frames that do not decode, are too large or come with a made-up reply subject
// are refused and counted: see [Stats].
package cluster
