package supervisor

// This file says how the machine of a supervisor decides, in the words of
// vocabulary.go. It has no code: machine.go and its neighbours do what stands
// here, and so does the model that they are compared with, independently.
//
// Numbers in brackets are those of the rules in docs/supervision.md.
//
// # Words
//
// The list is the children in the order of their ids. Before, after, first and
// last are places in it.
//
// A child has plan.processes numbers, from 0. In each number there is at any
// time one of these:
//
//	empty     nothing
//	delayed   nothing; it is started when its timerRestart has run out
//	gated     nothing; it is started when it is blocked no more
//	starting  a process that must call Started and has not
//	up        a process that has, or that need not: it is up from its actStart on
//
// A process is live if it is starting or up; it may be told to stop, alone or
// with its child. Incarnations count the actStart of one number in one child.
// Beside that, each number has a count of stuck processes: evStuck moves a live
// process there and leaves the number empty; evReleased takes one off. A number
// is blocked while that count is not 0 and OnStuck is not StuckReplace.
//
// A child is in one phase:
//
//	down      it has no process and none is to come
//	waiting   it is to be started as a whole when its turn comes
//	starting  it was started as a whole, and one of its processes is starting
//	running   it was started; not all of its numbers are empty (unless it is doomed)
//	stopping  it was told to stop, but not for good
//	closing   it ends for good: from its actClose to its evClosed, which removes it
//
// A child is resting if it is waiting, or running without a live process. It is
// alone if the strategy is OneForOne, or the supervisor is dynamic, or the child
// has more than one number. It is kept if it is not temporary and the
// supervisor is not dynamic. It is static if it was given to newMachine, and new
// if it is static and was never up, ignored, or told to stop by a request.
//
// What does not fit is ignored: an evUp, evExit or evStuck whose incarnation is
// not the one that is live there, an evUp of a process that was told to stop, an
// evReleased where nothing is stuck, an evClosed of a child that is not closing,
// a timer that was cancelled, replaced or has run out before (16).
//
// Of the actions of one step, those that start, halt, abort and close have the
// order that is said here; where the others stand among them means nothing.
//
// # Starting a child as a whole
//
// All its numbers are started, from 0 up. If plan.await, it is starting, and
// timerStart [child all] is armed if awaitFor > 0; otherwise it is running at
// once. When none of its processes is starting any more, the start is complete,
// timerStart is cancelled, and the child is
//
//   - running, if a number is not empty: noteStarted;
//   - else over (see below), if one of its processes was up: noteStarted;
//   - else ignored: down, or closed if it is not kept (8).
//
// A request to start it is answered: nil, nil, ErrIgnore.
//
// While it is starting, exitIgnored of a process that is not up leaves its
// number empty: noteIgnored. Any other end of a process that is not up makes the
// start fail, with err, or ErrNotStarted if that is nil. So does the end of one
// that was up and would be restarted; if it would not be, its number is empty:
// noteEnded. timerStart makes the start fail with ErrStartTimeout. A child whose
// start fails is first stopped (not for good), unless no process is live (12).
// When none is, the start has failed, with the first of its reasons:
// noteStartFailed, and
//
//   - by request: it is answered with that error; a child of evAdd is closed, one
//     of evRestart is down; nothing is counted (56, 57);
//   - else, of a new child: the supervisor gives up with reasonStartFailed (9);
//   - else it counts, and either the supervisor gives up with reasonLimit, or
//     noteRestarting and a group restart begins for the child (24, 26).
//
// So the child is down, if it is neither closed nor waiting. In noteRestarting the
// exit of a start that failed is exitFailed, however the process ended.
//
// A child of which a number is blocked is not started as a whole. By evRestart:
// it is answered with actor.ErrStuck at once and nothing happens. In the
// sequence: with StuckWait, the sequence waits until it is not blocked; with
// StuckEscalate, the start has failed with actor.ErrStuck.
//
// # The sequence
//
// A supervisor that is not dynamic has a sequence. Children of it may be doomed:
// they have to stop. After each event, when that was dealt with:
//
//  1. As long as a child is doomed, it is the turn of the last doomed one. If it
//     is stopping or closing, that is awaited. If it has a live process, or has to
//     end for good, it is stopped and that is awaited. Otherwise it is doomed no
//     more: it is down if the supervisor is ending, else waiting (41).
//  2. If the supervisor is ending: actFinish.
//  3. If timerGroup is due (see below) it is armed. Unless it runs: as long as no
//     child that the sequence started is starting, or stopping because its start
//     fails, the first waiting child is started as a whole (6).
//
// evStart makes all children waiting. actStarted comes at the end of the first
// step after which no child is new.
//
// A child of evAdd or evRestart is started as a whole at once if the supervisor
// is dynamic, or the strategy is OneForOne and actStarted has come. Otherwise it
// is waiting.
//
// # When a process ends by itself
//
// That is: it is up, its child is running and not doomed, and the process was
// not told to stop. It would be restarted if the child is permanent, or
// transient and the exit abnormal (13), but never after exitIgnored. If it would
// not be, its number is empty: noteEnded, or noteIgnored after exitIgnored.
//
// If now all numbers of the child are empty, it is over: down, or closed if it is
// not kept (15). Unless its last exit was exitIgnored, a significant child that
// is over is a trigger (37). With AnySignificant the supervisor then gives up with
// reasonAuto; with AllSignificant it does if all significant children are down or
// closing (38). Before actStarted that is put off until right after actStarted,
// where it is about the last trigger.
//
// If it would be restarted, that counts: either the supervisor gives up with
// reasonLimit, or noteRestarting, and if the child is alone the process is
// restarted alone, else a group restart begins for the child (23, 25).
//
// # Counting
//
// To count at a time t: forget what was counted before t - Period; count t. If
// more than Limit.Restarts are counted now, it is one too many.
//
// # Delays
//
// Each number keeps how many failures it had in a row. Each failure that counts
// adds one; but first, if the process was up, and for ResetAfter or longer, they
// are set to 0. So are those of all its numbers by an evTerminate. After k
// failures the delay is plan.backoff.delay(k, event.lot), and k is the attempt
// in notes. A failed start of a whole child is a failure of the number that made
// it fail; at timerStart, of the first that is starting.
//
// # Restarting a process alone
//
// If the delay is 0 and it ended by itself, it is started at once, or gated if
// its number is blocked. Otherwise, and always after a failed start, it is delayed:
// timerRestart is armed, perhaps with 0, so that what waits is served between
// attempts (31). When that has run out, it is started or gated.
//
// If plan.await and awaitFor > 0, timerStart [child process] is armed with it.
// noteRestarted when it is up; noteReplaced instead after a Replace. exitIgnored
// of a process that is not up leaves its number empty: noteIgnored; the child may
// be over, but is no trigger. Any other end is a failed start: noteStartFailed; it
// counts (reasonLimit; or noteRestarting and, if the child is alone, delayed, else
// a group restart begins for the child). But for a temporary child, whose
// processes are started alone only by a Replace, nothing counts: the number is
// empty, and a child that is over is a trigger. At timerStart the process is
// told to stop (below); when it is not live any more, its start has failed with
// ErrStartTimeout, however it ended.
//
// To tell one process to stop: actHalt [child process], and timerAbort [child
// process] if abortAfter > 0, after which actAbort [child process]; if
// abortAfter < 0, only actAbort.
//
// # Restarting a group
//
// For a child that failed: the range is all children (OneForAll), or the failed
// one and all after it (RestForOne). The failed one is waiting. Of the others in
// the range
//
//   - those stay as they are that are doomed, waiting, closing, or stopping for
//     another reason than that their start fails; and those that are down and
//     have a blocked number;
//   - those are doomed that have a live process, or are temporary, or are
//     stopping because their start fails, which is forgotten (21);
//   - the rest is waiting (22).
//
// (With OneForOne, no child is started as a whole that is neither new nor by
// request, so there is no group.) A request to start a child stays with it.
//
// The delay is that of the number that failed. It makes timerGroup due, for the
// failed child, if it is not 0, or if the group restart began with a failed start
// (31, 67). A timerGroup that is due or runs from before is cancelled; but then
// the new one is due in any case, and has the longest of: its own delay, that of
// one that was due, and what is left, when it is armed, of one that ran. So a
// further failure during a group restart, if it counts, begins one anew, and
// makes nobody come back early (24, 35, 66).
//
// Whoever becomes doomed, waiting or down loses its timers other than
// timerAbort (timerGroup is not a child's, but the supervisor's); numbers of it that are delayed or gated are empty; and a Replace in
// progress is answered with nil. Whoever is stopped or closed loses all its
// timers, and the rest is the same.
//
// While a child is doomed and not told to stop, evUp counts as ever, and its
// start may be complete so; but a process that ends leaves its number empty,
// however it ended: noteEnded, or noteStopped if it was told to stop alone. That
// is neither a restart nor a trigger nor a failed start. If it was the last that
// was starting, the start is complete if another is up; otherwise the child is
// running until its turn comes.
//
// # Stopping a child
//
// In an ending supervisor, it ends for good if that is terminal, or dynamic, or
// the child is not static. Otherwise it does if it is not kept, or is removed.
//
// For good: actClose; then actHalt [child all], unless it is to drain or has no
// live process; it is closing. Not for good: actHalt [child all]; it is stopping.
// If abortAfter > 0, timerAbort [child all] is armed, after which actAbort [child
// all]. If abortAfter < 0, actAbort [child all] takes the place of actHalt, and
// comes also if it drains or has no live process (what hands back leftovers is torn
// down). Other timers of the child, also timerAbort [child process], are
// cancelled. Requests that were made from the child and are not answered are
// answered with ErrShuttingDown (61).
//
// Ends of its processes: noteStopped. A stopping child has stopped when no
// process is live. If its start was failing and it is not doomed, see above; if
// it is doomed it is running until its turn comes; else it is down, or closed
// if it is not kept. A closing child has stopped at its evClosed: it is removed
// from the list, noteRemoved.
//
// # Stuck processes
//
// evStuck: nobody waits for the process any more (51). noteStuck. OnStuck decides
// if something is to be started in its place (52); never in an ending
// supervisor. That is so
//
//   - if its child is doomed, not closing, and kept;
//   - if its child is stopping because a start failed that is neither by request nor
//     that of a new child;
//   - if the process was told to stop alone, by a Replace, or by a timerStart if
//     the child is not temporary;
//   - if nobody told it to stop, and its end as exitFailed would make the
//     process be restarted, or a start fail that is neither by request nor that of a new child.
//
// Then, with StuckEscalate, the supervisor gives up with reasonStuck. With
// StuckReplace, in the case of a doomed child and of a Replace, it counts (as a
// restart; it is no failure of the number), and the supervisor may give up with
// reasonLimit (54). In the other cases the failure that follows counts. Unless it
// gave up, and also if OnStuck does not decide, everything goes on as if the
// process had ended with exitFailed and err, but without a note for that.
//
// # Requests
//
// Each is answered once. ErrShuttingDown at once: if the supervisor is ending or
// has ended (62), or if it is made from a child that is stopping, closing or no
// more. ErrNotFound: if it is about a child that is not in the list.
//
// evAdd: a child of that name (a dynamic supervisor does not look at names) that is
// starting, or running with a live process: ErrAlreadyStarted; in any other
// phase: ErrAlreadyPresent (56). If max > 0 and there are so many in the list:
// ErrMaxChildren. Else the child is started and the request answered as said above.
//
// evTerminate: the failures of its numbers are set to 0, a request to start it is
// answered with ErrNotStarted, and it is not new any more. If it is resting, it is
// not doomed any more. If it is doomed otherwise, it still is, but when it has
// stopped it is not, and it is down then, and nothing is to be started in its
// place. Then
//
//   - down: nil (45);
//   - resting: if it is kept it is down: nil (32); otherwise it is closed;
//   - stopping: a start that fails is forgotten;
//   - starting, or running with a live process: it is stopped.
//
// Where nothing else is said, it is answered when the child has stopped (and was
// removed, if it was closed), with the err of the first evStuck since it was told
// to, or nil.
//
// evRestart: down: it is started and the request answered as said above.
// Resting: ErrRestarting. Else ErrRunning (57).
//
// evRemove: down: it is closed, and the request answered when it is removed.
// Resting: ErrRestarting. Else ErrRunning (57).
//
// evReplace: closing: ErrShuttingDown. If a process of the child is starting, or
// a Replace is in progress: ErrRestarting. Else actAdopt; if no process is live,
// or the child is stopping or doomed: nil. Else requests made from the child are
// answered with ErrShuttingDown, this one too, and each up process, from 0 up, is
// told to stop alone. When it is not live any more (noteStopped), its number is
// started at once, or gated if it is blocked, as in a restart alone; that does
// not count. The Replace is in progress until none of these numbers has its old
// process, is gated, or has a new process that is starting; then it is answered
// with nil. If the start of a new one fails, it is answered with that error, and
// goes on being in progress for the others.
//
// # Ending
//
// The supervisor gives up: noteEscalated, with its reason, child and, except with
// reasonAuto, err. evStop and evAbort have the same effect without the note, if it
// is not ending yet: it is ending, with that reason. All requests are answered
// with ErrShuttingDown, in the order of their numbers. timerGroup is cancelled.
// Waiting children are down, and all children are doomed; a start that fails is
// forgotten. It is terminal if config.root or the event says so. An event that
// says so later makes it so, and dooms all children again.
//
// In a dynamic supervisor it is every child's turn at once, the last first, and
// actFinish comes when the list is empty; one that is stopping is closed when it
// has stopped.
//
// evAbort, also if the supervisor is ending: for every child, the last first: if
// it has to end for good and is not closing, it is stopped; else, if it is
// closing or has a live process, actAbort [child all], and if it was starting or
// running it is stopping; in both cases with actAbort in the place of actHalt and
// without timerAbort, from here on. A second evAbort is as an evStop.
//
// actFinish has the first reason. After it everything is ignored but evReleased
// and requests.
