package supervisor

import (
	"errors"
	"fmt"
	"strings"

	"tinyactor/actor"
)

// A coverPoint is a branch of the rules.
type coverPoint uint8

const (
	covAfterEnd coverPoint = iota
	covOld
	covOldTimer
	covOldClosed
	covReleasedNothing
	covUpTold
	covUpDoomed
	covTriggerPut
	covAny
	covAll
	covNotAll
	covAbortTimer
	covAloneTimeout
	covStartTimeout
	covComplete
	covCompleteOver
	covIgnored
	covStartExit
	covStartUpExit
	covStartUpEnded
	covRollback
	covAddFailed
	covRestartFailed
	covRollbackAll
	covRestartStartFailed
	covSeqWaits
	covSeqStuck
	covDynamicStop
	covReset
	covWindowEdge
	covLimit
	covEnded // and two more, by Restart
	_
	_
	covDoomedExit
	covDoomedStarting
	covAloneIgnored
	covAloneFailed
	covTemporaryFailed
	covReplaceFailed
	covReplaced
	covReplaceDropped
	covRestarted
	covDelayed
	covGated
	covGateOpens
	covGroup // of no strategy but the two more
	_
	_
	covGroupStays
	covGroupBlocked
	covGroupFailing
	covGroupRest
	covGroupTimer
	covGroupDue
	covGroupRan
	covStuck // and two more, by StuckPolicy
	_
	_
	covStuckLimit
	covStuckIdle
	covStopAbort
	covCloseEmpty
	covDrain
	covHalt
	covOrderedDoomed
	covLateTerminal
	covEndAnswers
	covAbortForGood
	covAbortTwice
	covAbortLive
	covAbortAgain
	covFromStopped
	covAskEnding
	covAskFromStopped
	covAskWaits
	covAdoptOnly
	covTerminateResting
	covTerminateFailing
	covReason // and five more, by reason
	_
	_
	_
	_
	_
	covPoints
)

// coverPoints says in words what the points are. What cannot be has no words.
var coverPoints = [covPoints]string{
	covAfterEnd:           "anything after the end",
	covOld:                "event of an old process (16)",
	covOldTimer:           "timer that was cancelled or replaced",
	covOldClosed:          "evClosed of a child that is not closing",
	covReleasedNothing:    "evReleased where nothing is stuck",
	covUpTold:             "evUp of a process told to stop",
	covUpDoomed:           "evUp of a doomed child",
	covTriggerPut:         "trigger before actStarted",
	covAny:                "any significant child has ended (37)",
	covAll:                "the last significant child has ended (38)",
	covNotAll:             "not the last significant child (38)",
	covAbortTimer:         "timerAbort runs out (43)",
	covAloneTimeout:       "timerStart of a process runs out",
	covStartTimeout:       "timerStart of a child runs out (12)",
	covComplete:           "whole start complete (6)",
	covCompleteOver:       "whole start complete and over",
	covIgnored:            "whole start ignored (8)",
	covStartExit:          "whole start fails: process not up",
	covStartUpExit:        "whole start fails: process was up",
	covStartUpEnded:       "process ends well while others start",
	covRollback:           "failed start stops the other processes",
	covAddFailed:          "start by evAdd fails (56)",
	covRestartFailed:      "start by evRestart fails (57)",
	covRollbackAll:        "start of a new child fails (9)",
	covRestartStartFailed: "start fails in a group restart (24)",
	covSeqWaits:           "sequence waits for a stuck process",
	covSeqStuck:           "sequence: start fails, number blocked",
	covDynamicStop:        "dynamic: all at once (41)",
	covReset:              "failures forgotten after ResetAfter (65)",
	covWindowEdge:         "a restart just within the period (25)",
	covLimit:              "one restart too many (25)",
	covEnded + 0:          "permanent ended by itself: ErrIgnore",
	covEnded + 1:          "transient ended by itself (15)",
	covEnded + 2:          "temporary ended by itself (15)",
	covDoomedExit:         "process of a doomed child ends (39)",
	covDoomedStarting:     "doomed while starting, and ends",
	covAloneIgnored:       "restart alone ignored",
	covAloneFailed:        "restart alone fails to start (26)",
	covTemporaryFailed:    "replacing a temporary process fails",
	covReplaceFailed:      "start after a Replace fails",
	covReplaced:           "process replaced",
	covReplaceDropped:     "Replace overtaken",
	covRestarted:          "process restarted alone (18)",
	covDelayed:            "process delayed (65)",
	covGated:              "process waits for a stuck one",
	covGateOpens:          "stuck one released, process starts",
	covGroup + 1:          "group restart OneForAll (19)",
	covGroup + 2:          "group restart RestForOne (20)",
	covGroupStays:         "group: stays as it is",
	covGroupBlocked:       "group: down and blocked",
	covGroupFailing:       "group: overtakes a failing start",
	covGroupRest:          "group: without process, started (22)",
	covGroupTimer:         "group: delayed (67)",
	covGroupDue:           "group: another was due",
	covGroupRan:           "group: another's delay ran (66)",
	covStuck + 0:          "stuck: escalate (52)",
	covStuck + 1:          "stuck: replace (52)",
	covStuck + 2:          "stuck: wait (52)",
	covStuckLimit:         "stuck: one replaced too many (54)",
	covStuckIdle:          "stuck: nothing takes its place",
	covStopAbort:          "child aborted instead of halted (42)",
	covCloseEmpty:         "child closed without a process",
	covDrain:              "child drained",
	covHalt:               "child halted",
	covOrderedDoomed:      "evTerminate of a doomed child",
	covLateTerminal:       "ends, and later for good",
	covEndAnswers:         "request answered at the end (62)",
	covAbortForGood:       "evAbort: closed",
	covAbortTwice:         "a second evAbort",
	covAbortLive:          "evAbort: stopped",
	covAbortAgain:         "evAbort: told again",
	covFromStopped:        "request answered: its child stops (61)",
	covAskEnding:          "request to one that ends (62)",
	covAskFromStopped:     "request from one that stops (61)",
	covAskWaits:           "request waits for its turn",
	covAdoptOnly:          "Replace without a process to stop",
	covTerminateResting:   "evTerminate of a resting child (32)",
	covTerminateFailing:   "evTerminate of a failing start",
	covReason + 2:         "gives up: start failed (9)",
	covReason + 3:         "gives up: limit (27)",
	covReason + 4:         "gives up: significant (40)",
	covReason + 5:         "gives up: stuck (52)",
}

// The vocabulary in words.
var (
	eventNames   = [...]string{"evStart", "evUp", "evExit", "evStuck", "evReleased", "evClosed", "evTimer", "evAdd", "evTerminate", "evRestart", "evRemove", "evReplace", "evStop", "evAbort"}
	actionNames  = [...]string{"actStart", "actHalt", "actAbort", "actClose", "actArm", "actCancel", "actAdopt", "actReply", "actNote", "actStarted", "actFinish"}
	noteNames    = [...]string{"noteStarted", "noteStartFailed", "noteIgnored", "noteRestarting", "noteRestarted", "noteReplaced", "noteEnded", "noteStopped", "noteStuck", "noteReleased", "noteRemoved", "noteEscalated"}
	exitNames    = [...]string{"exitNormal", "exitShutdown", "exitIgnored", "exitFailed"}
	reasonNames  = [...]string{"reasonStopped", "reasonAborted", "reasonStartFailed", "reasonLimit", "reasonAuto", "reasonStuck"}
	purposeNames = [...]string{"timerRestart", "timerGroup", "timerStart", "timerAbort"}
)

// errOther stands for what bodies end with.
var errOther = errors.New("what the body ended with")

// answers are what each request may be answered with; others
// count as errOther.
var answers = map[eventKind][]error{
	evAdd:       {nil, ErrIgnore, ErrShuttingDown, ErrAlreadyStarted, ErrAlreadyPresent, ErrMaxChildren, ErrNotStarted, ErrStartTimeout, errOther},
	evTerminate: {nil, ErrShuttingDown, ErrNotFound, errOther},
	evRestart:   {nil, ErrIgnore, ErrShuttingDown, ErrNotFound, ErrRestarting, ErrRunning, actor.ErrStuck, ErrNotStarted, ErrStartTimeout, errOther},
	evRemove:    {nil, ErrShuttingDown, ErrNotFound, ErrRestarting, ErrRunning},
	evReplace:   {nil, ErrShuttingDown, ErrNotFound, ErrRestarting, ErrStartTimeout, ErrNotStarted, errOther},
}

// coverage counts what the schedules have met.
type coverage struct {
	schedules, steps int
	drained          int // schedules that were stopped in the end, and ended
	supervisors      int // nested ones
	points           [covPoints]int
	events           [len(eventNames)]int
	actions          [len(actionNames)]int
	notes            [len(noteNames)]int
	finishes         [len(reasonNames)]int
	fired            [len(purposeNames)]int
	states           [Stopping + 1]int
	answers          [len(eventNames)][16]int // as in answers
}

func (m *ref) mark(p coverPoint) { m.cov.points[p]++ }

// answered counts an answer.
func (c *coverage) answered(k eventKind, err error) {
	for i, a := range answers[k] {
		if err == a || a == errOther {
			c.answers[k][i]++
			return
		}
	}
	c.answers[k][15]++
}

func (c *coverage) add(d *coverage) {
	c.schedules += d.schedules
	c.steps += d.steps
	c.drained += d.drained
	c.supervisors += d.supervisors
	addCounts(c.points[:], d.points[:])
	addCounts(c.events[:], d.events[:])
	addCounts(c.actions[:], d.actions[:])
	addCounts(c.notes[:], d.notes[:])
	addCounts(c.finishes[:], d.finishes[:])
	addCounts(c.fired[:], d.fired[:])
	addCounts(c.states[:], d.states[:])
	for i := range c.answers {
		addCounts(c.answers[i][:], d.answers[i][:])
	}
}

func addCounts(to, from []int) {
	for i, n := range from {
		to[i] += n
	}
}

// table says how often everything was met, and what never was.
func (c *coverage) table() (text string, never []string) {
	var b strings.Builder
	line := func(n int, words string) {
		if words == "" {
			if n > 0 {
				never = append(never, "something that cannot be")
			}
			return
		}
		fmt.Fprintf(&b, "%10d  %s\n", n, words)
		if n == 0 {
			never = append(never, words)
		}
	}
	line(c.schedules, "schedules")
	line(c.steps, "steps")
	line(c.drained, "schedules that were stopped in the end, and ended")
	line(c.supervisors, "nested supervisors started")
	tableLines(line, c.events[:], eventNames[:])
	tableLines(line, c.actions[:], actionNames[:])
	tableLines(line, c.notes[:], noteNames[:])
	for i, n := range c.finishes {
		line(n, "actFinish, "+reasonNames[i])
	}
	tableLines(line, c.fired[:], purposeNames[:])
	for s, n := range c.states {
		line(n, "child "+State(s).String())
	}
	tableLines(line, c.points[:], coverPoints[:])
	for k := evAdd; k <= evReplace; k++ {
		for i, err := range answers[k] {
			line(c.answers[k][i], fmt.Sprintf("%s answered with %v", eventNames[k], err))
		}
		if n := c.answers[k][15]; n > 0 {
			never = append(never, fmt.Sprintf("%s answered with something else, %d times", eventNames[k], n))
		}
	}
	return b.String(), never
}

func tableLines(line func(int, string), counts []int, words []string) {
	for i, n := range counts {
		line(n, words[i])
	}
}
