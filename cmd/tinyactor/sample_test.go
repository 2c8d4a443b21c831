package main

import (
	"strings"
	"time"

	"tinyactor/observer"
)

var (
	noon    = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	hostile = "boom: \x1b[31mred\x1b[0m" // what a hostile program could panic with
)

func ago(d time.Duration) time.Time   { return noon.Add(-d) }
func agoP(d time.Duration) *time.Time { t := ago(d); return &t }

func timed(p50 time.Duration) observer.Latency {
	return observer.Latency{Count: 400, Sum: 400 * p50, P50: p50, P95: 3 * p50, P99: 5 * p50, Max: 9 * p50}
}

// sample is a snapshot by hand that has something of everything.
func sample() *observer.Snapshot {
	const (
		ms = time.Millisecond
		us = time.Microsecond
	)
	s := &observer.Snapshot{
		Schema: observer.Schema,
		Time:   noon,
		Program: observer.Program{
			Name: "service", PID: 4711, Host: "web-1", Go: "go1.26.8", Started: ago(3*time.Minute + 12*time.Second),
			Procs: 2, Goroutines: 41, Heap: 12 << 20,
		},
		Totals: observer.Totals{
			Actors: 10, Processes: 16, Busy: 6, Length: 1417, Accepted: 1_234_567, Received: 1_233_140, Undelivered: 10,
			Rate: observer.Rates{Accepted: 5200, Received: 5190.4}, Waiting: 12, Restarts: 3, Panics: 2, Stuck: 1,
		},
		Actors: []observer.Actor{
			{ID: 1, Name: "service", Path: "service", Kind: observer.KindSupervisor, Message: "supervisor.request", State: observer.StateIdle, Strategy: "one for one"},
			{
				ID: 2, Name: "workers", Path: "service/workers", Parent: 1, Kind: observer.KindPool, Message: "main.job", State: observer.StateBusy,
				Processes: observer.Processes{Total: 4, Busy: 3},
				Queue:     observer.Queue{Length: 1024, High: 1024, Limit: 1024, Capacity: "bounded to 1024"},
				Accepted:  1_200_000, Received: 1_198_966, Undelivered: 10, Rate: observer.Rates{Accepted: 5000, Received: 4990},
				InQueue: timed(70 * ms), Handling: timed(300 * us), HandSince: agoP(2 * ms),
				Waiting: &observer.Waiting{Count: 9, Since: ago(1200 * ms), From: []string{"service/http", "outside"}},
			},
			{
				ID: 3, Name: "http", Path: "service/http", Parent: 1, Kind: observer.KindWorker, Message: "*http.Request", State: observer.StateRoom,
				Processes: observer.Processes{Total: 4, Busy: 1}, Queue: observer.Queue{Length: 390, High: 410, Limit: 480, Capacity: "bounded to 480"},
				Accepted: 30_000, Received: 29_610, Rate: observer.Rates{Accepted: 200, Received: 200.4},
				InQueue: timed(40 * us), Handling: timed(2 * ms), HandSince: agoP(1200 * ms),
			},
			{ID: 4, Name: "stores", Path: "service/stores", Parent: 1, Kind: observer.KindDynamic, Message: "supervisor.request", State: observer.StateIdle, Strategy: "one for one"},
			{
				ID: 5, Name: "store-a", Path: "service/stores/store-a", Parent: 4, Kind: observer.KindWorker, Message: "main.get", State: observer.StateAnswer,
				Processes: observer.Processes{Total: 1, Busy: 1}, Queue: observer.Queue{Length: 2, High: 9, Capacity: "unbounded"},
				Accepted: 1002, Received: 1000, Handling: timed(12 * us), InQueue: timed(900), HandSince: agoP(12 * time.Second),
				Waiting: &observer.Waiting{Count: 2, Since: ago(12 * time.Second), From: []string{"service/stores/store-b"}},
			},
			{
				ID: 6, Name: "store-b", Path: "service/stores/store-b", Parent: 4, Kind: observer.KindWorker, Message: "main.get", State: observer.StateRoom,
				Processes: observer.Processes{Total: 1, Busy: 1}, Queue: observer.Queue{Length: 1, High: 4, Capacity: "unbounded"},
				Accepted: 501, Received: 500, HandSince: agoP(12 * time.Second),
				Waiting: &observer.Waiting{Count: 1, Since: ago(11 * time.Second), From: []string{"service/stores/store-a"}},
			},
			{
				ID: 7, Name: "mailer", Path: "service/mailer", Parent: 1, Kind: observer.KindWorker, Message: "main.mail", State: observer.StateRestarting,
				Queue: observer.Queue{High: 3, Capacity: "backpressure from 100"}, Accepted: 37, Received: 37, Handling: timed(90 * ms),
				Restarts: observer.Restarts{Total: 3, Window: 2, Limit: 5, Period: time.Minute, Until: agoP(-3 * time.Second)},
				Exit:     &observer.Exit{Time: ago(2 * time.Second), Process: 2, Reason: "panic: " + hostile},
				Panics:   2,
				Panic: &observer.Panic{
					Time: ago(2 * time.Second), Process: 2, Value: hostile,
					Stack: "goroutine 40 [running]:\nmain.mail.send(0x1)\n\t/src/mail.go:12 +0x1d\nmain.main.func1()\n\t/src/main.go:44 +0x2c\n",
				},
			},
			{
				ID: 8, Name: "legacy", Path: "service/legacy", Parent: 1, Kind: observer.KindActor, Message: "string", State: observer.StateStuck,
				Processes: observer.Processes{Total: 1, Busy: 1, Stuck: 1}, Queue: observer.Queue{Capacity: "bounded to 8", Limit: 8}, HandSince: agoP(95 * time.Second),
			},
			{ID: 9, Path: "#9", Kind: observer.KindActor, Message: "int", State: observer.StateIdle, Processes: observer.Processes{Total: 1}, Queue: observer.Queue{Capacity: "unbounded"}},
			{
				ID: 10, Name: "日本語の名前\x1b]0;owned\a\u202egnp", Path: "#9/日本語の名前\x1b]0;owned\a\u202egnp", Parent: 9, Kind: observer.KindActor, Message: "int",
				State: observer.StateHalted, Processes: observer.Processes{Total: 3}, Queue: observer.Queue{Capacity: "unbounded"},
			},
		},
		Waits: []observer.Wait{
			{From: 5, To: 6, For: "answer", Since: ago(12 * time.Second)},
			{From: 6, To: 5, For: "room", Since: ago(11 * time.Second)},
			{From: 3, Process: 1, To: 2, For: "room", Since: ago(1200 * ms)},
			{To: 2, For: "room", Since: ago(300 * ms)},
		},
		Deadlocks: []observer.Deadlock{{
			Actors: []uint64{5, 6}, Since: ago(11 * time.Second),
			Text: "service/stores/store-a waits for an answer of service/stores/store-b, service/stores/store-b waits for room in service/stores/store-a",
		}},
		Events: []observer.Event{
			{Seq: 1, Time: ago(3 * time.Minute), Kind: "spawned", ID: 7, Path: "service/mailer", Process: -1},
			{Seq: 2, Time: ago(2 * time.Second), Kind: "panicked", ID: 7, Path: "service/mailer", Process: 2, Reason: hostile},
			{Seq: 3, Time: ago(2 * time.Second), Kind: "restarting", ID: 7, Path: "service/mailer", Process: 2, Attempt: 3, Delay: 5 * time.Second},
			{Seq: 4, Time: ago(time.Second), Kind: "undelivered", ID: 2, Path: "service/workers", Process: -1, Count: 10, Type: "main.job"},
		},
	}
	for i := range s.Actors {
		s.Actors[i].Since = s.Program.Started
	}
	return s
}

// large has n actors below ten.
func large(n int) *observer.Snapshot {
	s := sample()
	s.Actors, s.Deadlocks, s.Waits, s.Events = nil, nil, nil, nil
	for i := range n {
		a := observer.Actor{ID: uint64(i + 1), Name: "a" + strings.Repeat("x", i%7), Kind: observer.KindActor, State: observer.StateBusy, Since: noon}
		if a.Path = a.Name; i >= 10 {
			a.Parent = uint64(i%10 + 1)
			a.Path = s.Actors[i%10].Path + "/" + a.Name
		}
		a.Queue.Length = i * 7919 % 1009
		s.Actors = append(s.Actors, a)
	}
	s.Totals.Actors = n
	return s
}
