package actortest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
	"tinyactor/actortest"
)

func TestProbe(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		p := actortest.Probe[int](t)
		if got := p.Got(); len(got) != 0 {
			t.Errorf("at first there is %v", got)
		}
		to := p.Address()
		go func() {
			for i := range 100 {
				if err := to.Send(t.Context(), i); err != nil {
					t.Error(err)
				}
			}
		}()
		if a, b := p.Next(), p.Next(); a != 0 || b != 1 {
			t.Errorf("Next returns %d and %d, want 0 and 1", a, b)
		}
		got := p.Wait(func(got []int) bool { return len(got) >= 50 })
		for i, n := range got {
			if n != i {
				t.Fatalf("Wait returns %v", got)
			}
		}
		p.Wait(func(got []int) bool { return len(got) == 100 })
		if n := p.Next(); n != 2 {
			t.Errorf("after a Wait, Next returns %d, want 2", n)
		}
	})
}

// Got has all that was sent before, at once, and keeps it after the end.
func TestProbeGot(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var p *actortest.Recorder[int]
		var want []int
		try(func(t testing.TB) {
			p = actortest.Probe[int](t)
			for i := range 100 {
				if err := p.Address().Send(t.Context(), i); err != nil {
					t.Fatal(err)
				}
				want = append(want, i)
				if got := p.Got(); !slices.Equal(got, want) {
					t.Fatalf("Got returns %v, want %v", got, want)
				}
			}
			for i := 100; i < 200; i++ { // some of them are still queued at the end
				if err := p.Address().TrySend(i); err != nil {
					t.Fatal(err)
				}
				want = append(want, i)
			}
		})
		if got := p.Got(); !slices.Equal(got, want) {
			t.Errorf("after the end Got returns %v, want %v", got, want)
		}
		got := p.Got()
		got[0] = -1
		p.Wait(func(got []int) bool { slices.Reverse(got); return true })
		if got := p.Got(); !slices.Equal(got, want) {
			t.Errorf("the record has changed to %v", got)
		}
		if p.Address().TrySend(0) == nil {
			t.Error("the probe takes messages after the end of the test")
		}
	})
}

func TestProbeGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		send := func(p *actortest.Recorder[int], n int) {
			for i := range n {
				if err := p.Address().Send(t.Context(), i); err != nil {
					t.Error(err)
				}
			}
		}
		for _, c := range []struct {
			name string
			use  func(*actortest.Recorder[int])
			took time.Duration
			want []string
		}{
			{"next", func(p *actortest.Recorder[int]) { send(p, 1); p.Next(); p.Next() }, 10 * time.Second,
				[]string{"Next: 10s have passed", "no further message", "[0]"}},
			{"wait", func(p *actortest.Recorder[int]) {
				send(p, 200)
				p.Wait(func(got []int) bool { return len(got) == 201 })
			}, 10 * time.Second, []string{"Wait: 10s have passed", "[100 101 ", " 199]", "last of 200"}},
			{"ended", func(p *actortest.Recorder[int]) {
				send(p, 2)
				p.Address().Halt()
				p.Wait(func(got []int) bool { return len(got) == 3 })
			}, 0, []string{"the probe has ended", "[0 1]"}},
		} {
			before := time.Now()
			failures := try(func(t testing.TB) {
				c.use(actortest.Probe[int](t))
				t.Error("it goes on")
			})
			if d := time.Since(before); d != c.took {
				t.Errorf("%s: took %v, want %v", c.name, d, c.took)
			}
			if len(failures) != 1 {
				t.Errorf("%s: failures: %q", c.name, failures)
				continue
			}
			contains(t, failures[0], c.want...)
		}
	})
}

type question struct {
	actor.Reply[int]
	n int
}

func TestProbeAnswers(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		ctx := actortest.New(t)
		p := actortest.Probe[question](t)
		answers := actortest.Probe[int](t)
		go func() {
			v, err := actor.Ask(ctx, p.Address(), func(r actor.Reply[int]) question { return question{r, 4} })
			if err != nil {
				t.Error(err)
			}
			if err := answers.Address().Send(ctx, v); err != nil {
				t.Error(err)
			}
		}()
		q := p.Next()
		if !q.Answer(q.n*q.n, nil) {
			t.Error("nobody waits for the answer")
		}
		if v := answers.Next(); v != 16 {
			t.Errorf("the answer is %d, want 16", v)
		}
	})
}

// Whoever asks a probe that answers nothing is told when it ends.
func TestProbeEndsAsks(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		result := make(chan error, 1)
		try(func(t testing.TB) {
			p := actortest.Probe[question](t)
			go func() {
				_, err := actor.Ask(context.Background(), p.Address(), func(r actor.Reply[int]) question { return question{Reply: r} })
				result <- err
			}()
			p.Next()
		})
		if err := <-result; !errors.Is(err, actor.ErrNoReply) {
			t.Errorf("Ask returns %v", err)
		}
	})
}

// A nil message of an interface type is recorded as such, also at the end.
func TestProbeNil(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var p *actortest.Recorder[error]
		try(func(t testing.TB) {
			p = actortest.Probe[error](t)
			for range 3 {
				if err := p.Address().TrySend(nil); err != nil {
					t.Error(err)
				}
			}
			p.Address().Halt()
			<-p.Address().Done()
		})
		if got := p.Got(); !slices.Equal(got, []error{nil, nil, nil}) {
			t.Errorf("got %v", got)
		}
	})
}
