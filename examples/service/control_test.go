package main

import (
	"net/http"
	"testing"
	"testing/synctest"

	"tinyactor/actor"
)

// The figures add up while pieces are open, and say what waits and who lives.
func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, open := newHeldService(t, testSettings(t, 2, 8, 1<<20))
		s.post(t, "a", textOf(2, "word"))
		s.post(t, "b", textOf(2, "word"))
		s.post(t, "c", textOf(2, "word"))
		if status, _ := s.request(t, "POST", "/texts?name=d", textOf(2, "word"), nil); status != http.StatusAccepted {
			t.Errorf("status %d", status)
		}
		s.request(t, "POST", "/texts?name=e", "refused", nil)
		synctest.Wait()
		var got stats
		s.request(t, "GET", "/stats", "", &got)
		if got.Accepted != 8 || got.Open != 8 || got.Refused != 1 || got.Requests != 1 ||
			got.Queues["workers"] != 6 || got.Processes["workers"] != 2 || got.Staff != 2 || got.Processes["store"] != 1 || got.Processes["foreman"] != 1 || got.Processes["snapshot"] != 1 {
			t.Errorf("with all pieces open: %+v", got)
		}
		open()
		synctest.Wait()
		got = stats{}
		s.request(t, "GET", "/stats", "", &got)
		if got.Accepted != 8 || got.Processed != 8 || got.Open != 0 || got.HandedBack != 0 || got.Crashed != 0 || len(got.Restarts) != 4 || got.Restarts["workers"] != 0 || got.Queues["workers"] != 0 {
			t.Errorf("with all pieces counted: %+v", got)
		}
	})
}

// The service is healthy as long as it takes texts.
func TestHealth(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *service){
		"no workers": func(t *testing.T, s *service) {
			if err := s.tree.Terminate(t.Context(), "workers"); err != nil {
				t.Fatal(err)
			}
		},
		"ended": func(_ *testing.T, s *service) { s.tree.Halt() },
		"stopping": func(t *testing.T, s *service) {
			if _, err := actor.Ask(t.Context(), s.store.address, stopAdmitting{}.to); err != nil {
				t.Fatal(err)
			}
		},
		"held": func(t *testing.T, s *service) {
			held := make(chan struct{})
			t.Cleanup(func() { close(held) })
			if err := s.store.address.Send(t.Context(), hold(held)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTestService(t, testSettings(t, 1, 8, 1000), countWords)
				var got map[string]string
				if status, failure := s.request(t, "GET", "/healthz", "", &got); status != http.StatusOK || got["status"] != "ok" {
					t.Errorf("at first: status %d, %s, %v", status, failure, got)
				}
				end(t, s)
				synctest.Wait()
				if status, _ := s.request(t, "GET", "/healthz", "", nil); status != http.StatusServiceUnavailable {
					t.Errorf("after that: status %d", status)
				}
			})
		})
	}
}
