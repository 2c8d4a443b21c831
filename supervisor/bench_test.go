package supervisor_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"testing"
	"time"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// often is a limit that nobody reaches.
var often = supervisor.Limit{Restarts: 1 << 30, Period: time.Nanosecond}

// BenchmarkRestart is the time from a crash to the first receive of the process
// that follows, and back to whoever sent the message that crashes: what a caller
// waits for.
func BenchmarkRestart(b *testing.B) {
	output := log.Writer()
	defer func(l *slog.Logger) { slog.SetDefault(l); log.SetOutput(output) }(slog.Default())
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	for _, how := range []string{"error", "panic"} {
		for _, strategy := range []supervisor.Strategy{supervisor.OneForOne, supervisor.OneForAll} {
			b.Run(fmt.Sprintf("by=%s/strategy=%s", how, strategy), func(b *testing.B) {
				received := make(chan time.Time, 1)
				w := &supervisor.Worker[int]{
					Name: "w",
					Run: func(ctx context.Context, in *actor.Inbox[int]) error {
						for m := range in.Messages(ctx) {
							switch {
							case m == 0:
								received <- time.Now()
							case how == "panic":
								panic("crash")
							default:
								return errCrash
							}
						}
						return nil
					},
				}
				ctx := actor.WithObserver(b.Context(), silent{})
				s, err := supervisor.Start(ctx, &supervisor.Spec{Name: "root", Strategy: strategy, Limit: often, Children: []supervisor.Child{w}})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					w.Address().SendNow(1)
					w.Address().SendNow(0)
					<-received
				}
				b.StopTimer()
				s.Stop(context.Background())
			})
		}
	}
}

// silent is an observer that says that it logs panics.
type silent struct{}

func (silent) Observe(actor.Event) {}
func (silent) LogsPanics() bool    { return true }

// BenchmarkStartStop is a supervisor with its children from Start to Stop.
func BenchmarkStartStop(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("children=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				spec := &supervisor.Spec{Name: "root"}
				for i := range n {
					spec.Children = append(spec.Children, idler(fmt.Sprint(i)))
				}
				s, err := supervisor.Start(context.Background(), spec)
				if err != nil {
					b.Fatal(err)
				}
				s.Stop(context.Background())
			}
		})
	}
}

// BenchmarkDynamic is one child of a Dynamic from Add to Remove, beside others.
func BenchmarkDynamic(b *testing.B) {
	for _, n := range []int{0, 10_000} {
		b.Run(fmt.Sprintf("others=%d", n), func(b *testing.B) {
			d := &supervisor.Dynamic[int, int]{Name: "d", Template: func(int) *supervisor.Worker[int] { return idler("") }}
			s, err := supervisor.Start(context.Background(), &supervisor.Spec{Name: "root", Children: []supervisor.Child{d}})
			if err != nil {
				b.Fatal(err)
			}
			for i := range n {
				d.Add(b.Context(), i)
			}
			b.ReportAllocs()
			for b.Loop() {
				w, err := d.Add(b.Context(), 0)
				if err != nil {
					b.Fatal(err)
				}
				d.Remove(b.Context(), w)
			}
			b.StopTimer()
			s.Stop(context.Background())
		})
	}
}

// idler is a worker that only waits.
func idler(name string) *supervisor.Worker[int] {
	return &supervisor.Worker[int]{Name: name, Run: idlerOf[int]}
}

func idlerOf[M any](ctx context.Context, in *actor.Inbox[M]) error {
	for range in.Messages(ctx) {
	}
	return in.Err()
}
