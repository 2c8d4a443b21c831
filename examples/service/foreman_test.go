package main

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/actor"
)

// staff returns how many workers the foreman has, and how many live.
func (s *service) staff(t *testing.T) (staff, live int) {
	t.Helper()
	info, err := actor.Ask(t.Context(), s.workers.orders, report{}.to)
	if err != nil {
		t.Fatal(err)
	}
	return info.staff, s.workers.pool.Processes()
}

// lookTimes lets n looks of the foreman pass.
func lookTimes(n int) {
	time.Sleep(time.Duration(n) * foremanPeriod)
	synctest.Wait()
}

// The pool grows with its queue up to its maximum, and shrinks to its minimum
// when nothing has waited for a while.
func TestStaff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := testSettings(t, 1, 64, 1<<20)
		set.workersMin, set.workersMax = 2, 6
		s, open := newHeldService(t, set)
		want := func(when string, n int) {
			t.Helper()
			if staff, live := s.staff(t); staff != n || live != n {
				t.Errorf("%s there are %d workers, and %d live; want %d", when, staff, live, n)
			}
		}
		lookTimes(1)
		want("at the start", 2)
		for i := range 7 {
			s.post(t, fmt.Sprint(i), "text") // two in hand, five waiting
		}
		lookTimes(1)
		want("when five wait", 4)
		lookTimes(1)
		want("when three wait", 5)
		for i := range 30 {
			s.post(t, fmt.Sprint("more", i), "text")
		}
		lookTimes(3)
		want("when many wait", 6)
		open()
		synctest.Wait()
		want("when all is done", 6)
		lookTimes(quietPeriods + 1)
		want("after some quiet", 5)
		lookTimes(20 * quietPeriods)
		want("after much quiet", 2)

		left, err := s.finish(t.Context())
		if want := (account{accepted: 37, processed: 37}); err != nil || left.account != want {
			t.Errorf("the account is %v, %v; want %v", left.account, err, want)
		}
	})
}

// A worker that was asked to leave while it has a piece in hand finishes that,
// or crashes on it, and is replaced in neither case; no other is asked to leave
// before it has left.
func TestLeaving(t *testing.T) {
	for _, crashes := range []bool{false, true} {
		t.Run(fmt.Sprint("crashes=", crashes), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				set := testSettings(t, 1, 64, 1<<20)
				set.workersMax = 3
				hold := make(chan struct{})
				s := newTestService(t, set, func(text string) map[string]int {
					<-hold
					return countWords(text)
				})
				for i := range 3 {
					s.post(t, fmt.Sprint(i), "text")
				}
				lookTimes(3)
				if staff, live := s.staff(t); staff != 3 || live != 3 {
					t.Fatalf("there are %d workers, and %d live", staff, live)
				}
				lookTimes(10 * quietPeriods)
				if staff, live := s.staff(t); staff != 2 || live != 3 {
					t.Errorf("while all have a piece in hand there are %d workers, and %d live; want one asked to leave", staff, live)
				}
				want := account{accepted: 3, processed: 3}
				if crashes {
					want.processed, want.crashed = 0, 3
				}
				for range 3 {
					if crashes {
						told := s.order(t)
						synctest.Wait()
						hold <- struct{}{}
						<-told
					} else {
						hold <- struct{}{}
					}
				}
				synctest.Wait()
				if staff, live := s.staff(t); staff != 2 || live != 2 {
					t.Errorf("when the pieces are done there are %d workers, and %d live; want 2", staff, live)
				}
				lookTimes(10 * quietPeriods)
				if staff, live := s.staff(t); staff != 1 || live != 1 {
					t.Errorf("in the end there are %d workers, and %d live; want 1", staff, live)
				}
				left, err := s.finish(t.Context())
				if err != nil || left.account != want {
					t.Errorf("the account is %v, %v; want %v", left.account, err, want)
				}
			})
		})
	}
}
