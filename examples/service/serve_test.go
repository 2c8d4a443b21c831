package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"tinyactor/actor"
	"tinyactor/observer"
	"tinyactor/supervisor"
)

func gaveUp(err error) bool { return errors.Is(err, supervisor.ErrLimitExceeded) }

// When what serve needs has failed, and may not be started again, it ends with the reason, without a signal.
func TestServeFails(t *testing.T) {
	for _, test := range []struct {
		name  string
		count func(string) map[string]int
		fail  func(t *testing.T, s *service, l net.Listener)
		is    func(error) bool
		says  string
		left  account
	}{
		{
			name: "workers",
			count: func(text string) map[string]int {
				if text == "poison" {
					panic("a word too much")
				}
				return countWords(text)
			},
			fail: func(t *testing.T, s *service, _ net.Listener) { s.post(t, "b", "poison") },
			is:   gaveUp,
			says: `child "workers": one restart too many: .*: panic: a word too much$`,
			left: account{accepted: 2, processed: 1, crashed: 1},
		},
		{
			name:  "task",
			count: countWords,
			fail: func(t *testing.T, s *service, _ net.Listener) {
				if status, failure := s.request(t, "POST", "/crash?what=task", "", nil); status != http.StatusOK {
					t.Errorf("status %d, %s", status, failure)
				}
			},
			is:   gaveUp,
			says: `child "snapshot": one restart too many: .*: panic: ordered`,
			left: account{accepted: 1, processed: 1},
		},
		{
			name:  "store",
			count: countWords,
			fail: func(t *testing.T, s *service, _ net.Listener) {
				if _, err := actor.Ask(t.Context(), s.store.address, poison{}.to); !errors.Is(err, actor.ErrNoReply) {
					t.Errorf("the store says %v", err)
				}
			},
			is:   gaveUp,
			says: `child "store": one restart too many: .*: panic: a request too much$`,
			left: account{accepted: 1, processed: 1},
		},
		{
			name:  "tree",
			count: countWords,
			fail:  func(_ *testing.T, s *service, _ net.Listener) { s.tree.Halt() },
			is:    func(err error) bool { return errors.Is(err, errEnded) },
			left:  account{accepted: 1, processed: 1},
		},
		{
			name:  "listener",
			count: countWords,
			fail:  func(_ *testing.T, _ *service, l net.Listener) { l.Close() },
			is:    func(err error) bool { return errors.Is(err, net.ErrClosed) },
			left:  account{accepted: 1, processed: 1},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			logged(t)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			set := testSettings(t, 1, 8, 1000)
			set.restarts = 0
			s := newTestService(t, set, test.count)
			type result struct {
				left books
				err  error
			}
			ended := make(chan result, 1)
			go func() {
				left, err := serve(context.Background(), context.Background(), l, observer.New(observer.Options{}), s, t.Output())
				ended <- result{left, err}
			}()

			response, err := http.Post("http://"+l.Addr().String()+"/texts?name=a", "text/plain", strings.NewReader("a word"))
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != http.StatusAccepted {
				t.Fatalf("status %d", response.StatusCode)
			}
			waitCounted(t, s)
			test.fail(t, s, l)

			got := <-ended
			if _, err := os.Stat(s.snapshot); err != nil {
				t.Errorf("no last snapshot: %v", err)
			}
			if got.err == nil || !test.is(got.err) || !regexp.MustCompile(test.says).MatchString(got.err.Error()) {
				t.Errorf("serve says %v", got.err)
			}
			if got.left.account != test.left {
				t.Errorf("the account is %v, want %v", got.left.account, test.left)
			}
		})
	}
}

// poison is a request that the store crashes on.
type poison struct{ actor.Reply[actor.None] }

func (m poison) to(r actor.Reply[actor.None]) request { m.Reply = r; return m }

func (poison) apply(*store) { panic("a request too much") }

// waitCounted waits until the text a has been counted.
func waitCounted(t *testing.T, s *service) {
	t.Helper()
	for {
		info, err := actor.Ask(t.Context(), s.store.address, lookUp{text: "a"}.to)
		if err != nil {
			t.Fatal(err)
		}
		if info.Pending == 0 {
			return
		}
	}
}
