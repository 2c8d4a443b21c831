package main

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// staff returns how many workers are on duty, and how many work.
func (s *service) staff() (staff, working int) {
	return s.workers.roster.size(), int(s.workers.roster.working.Load())
}

// lookTimes lets n looks of the foreman pass.
func lookTimes(n int) {
	time.Sleep(time.Duration(n) * foremanPeriod)
	synctest.Wait()
}

// The staff grows with its queue up to its maximum, and shrinks to its minimum
// when nothing has waited for a while.
func TestStaff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := testSettings(t, 1, 64, 1<<20)
		set.workersMin, set.workersMax = 2, 6
		s, open := newHeldService(t, set)
		want := func(when string, n int) {
			t.Helper()
			if staff, working := s.staff(); staff != n || working != n {
				t.Errorf("%s there are %d workers, and %d work; want %d", when, staff, working, n)
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
				if staff, working := s.staff(); staff != 3 || working != 3 {
					t.Fatalf("there are %d workers, and %d work", staff, working)
				}
				lookTimes(10 * quietPeriods)
				if staff, working := s.staff(); staff != 2 || working != 3 {
					t.Errorf("while all have a piece in hand there are %d workers, and %d work; want one asked to leave", staff, working)
				}
				want := account{accepted: 3, processed: 3}
				if crashes {
					want.processed, want.crashed = 0, 3
				}
				for range 3 {
					if crashes {
						told := s.order(t, "worker")
						synctest.Wait()
						hold <- struct{}{}
						<-told
					} else {
						hold <- struct{}{}
					}
				}
				synctest.Wait()
				if staff, working := s.staff(); staff != 2 || working != 2 {
					t.Errorf("when the pieces are done there are %d workers, and %d work; want 2", staff, working)
				}
				lookTimes(10 * quietPeriods)
				if staff, working := s.staff(); staff != 1 || working != 1 {
					t.Errorf("in the end there are %d workers, and %d work; want 1", staff, working)
				}
				left, err := s.finish(t.Context())
				if err != nil || left.account != want {
					t.Errorf("the account is %v, %v; want %v", left.account, err, want)
				}
			})
		})
	}
}
