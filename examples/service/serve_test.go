package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"tinyactor/actor"
)

// When what serve needs has failed, it ends with the reason, without a signal.
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
			name:  "workers",
			count: countWords,
			fail: func(t *testing.T, s *service, _ net.Listener) {
				waitCounted(t, s)
				s.workers.pool.Halt()
			},
			is:   func(error) bool { return true },
			says: "workers",
			left: account{accepted: 1, processed: 1},
		},
		{
			name:  "foreman",
			count: countWords,
			fail: func(t *testing.T, s *service, _ net.Listener) {
				waitCounted(t, s)
				s.workers.foreman.Halt()
			},
			is:   func(error) bool { return true },
			says: "foreman",
			left: account{accepted: 1, processed: 1},
		},
		{
			name:  "tasks",
			count: countWords,
			fail: func(t *testing.T, s *service, _ net.Listener) {
				waitCounted(t, s)
				s.tasks.Abort()
			},
			is:   func(err error) bool { return errors.Is(err, actor.ErrAborted) },
			says: "tasks",
			left: account{accepted: 1, processed: 1},
		},
		{
			name:  "store",
			count: countWords,
			fail: func(t *testing.T, s *service, _ net.Listener) {
				waitCounted(t, s)
				s.store.Halt()
			},
			is:   func(err error) bool { return errors.Is(err, actor.ErrClosed) },
			says: "store",
			left: account{accepted: 1, processed: 1},
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
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			s := newTestService(t, testSettings(t, 1, 8, 1000), test.count)
			type result struct {
				left books
				err  error
			}
			ended := make(chan result, 1)
			go func() {
				left, err := serve(context.Background(), context.Background(), l, s, t.Output())
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
			test.fail(t, s, l)

			got := <-ended
			if got.err == nil || !test.is(got.err) || !strings.Contains(got.err.Error(), test.says) {
				t.Errorf("serve says %v", got.err)
			}
			if got.left.account != test.left {
				t.Errorf("the account is %v, want %v", got.left.account, test.left)
			}
		})
	}
}

// waitCounted waits until the text a has been counted.
func waitCounted(t *testing.T, s *service) {
	t.Helper()
	for {
		info, err := actor.Ask(t.Context(), s.address, lookUp{text: "a"}.to)
		if err != nil {
			t.Fatal(err)
		}
		if info.Pending == 0 {
			return
		}
	}
}
