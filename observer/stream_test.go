package observer

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Deltas that are applied to the first snapshot make what a snapshot of that
// moment says, for viewers who ask at every look, every few, and far too seldom.
func TestDeltas(t *testing.T) {
	for seed := range uint64(3) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 7))
			source := newFakeSource(random.IntN(10))
			f := newFeed(source, time.Second, 4)
			viewers := make([]viewer, 4)
			seen := make([]uint64, len(viewers))
			for range viewers {
				f.enter()
			}
			for i := range 121 {
				for range random.IntN(6) {
					source.happen(random)
				}
				for n, pause := range []int{1, 3, 20, 100} {
					if i%pause != 0 {
						continue
					}
					v := &viewers[n]
					var events [][]byte
					events, seen[n], _ = f.after(seen[n])
					for _, event := range events {
						if err := newViewerOn(v, event).next(); err != nil {
							t.Fatal(err)
						}
					}
					if d := v.differs(source.Snapshot()); d != "" {
						t.Fatalf("seed %d, look %d, viewer %d: %s", seed, i, n, d)
					}
					if events, _, due := f.after(seen[n]); len(events) != 0 || !due.After(time.Now()) {
						t.Fatalf("%d events at once after a look, and the next one %v ago", len(events), time.Since(due))
					}
				}
				if f.kept > f.size && len(f.deltas) > 1 {
					t.Fatalf("%d deltas of %d bytes are kept of actors of %d bytes", len(f.deltas), f.kept, f.size)
				}
				time.Sleep(time.Second)
			}
			if v := viewers[0]; v.snapshots != 1 || v.deltas != 120 {
				t.Errorf("whoever takes every look got %d snapshots and %d deltas", v.snapshots, v.deltas)
			}
			if v := viewers[3]; v.snapshots != 2 {
				t.Errorf("whoever misses 99 looks got %d snapshots and %d deltas, want a snapshot each time", v.snapshots, v.deltas)
			}
			for range viewers {
				f.leave()
			}
			if f.actors != nil || f.last.Events != nil || f.whole != nil || f.deltas != nil || f.size != 0 || f.kept != 0 {
				t.Error("something is kept after the last viewer has left")
			}
		})
	}
}

// What is equal is not sent again, even if it is another value.
func TestEqualIsNotSent(t *testing.T) {
	now := time.Now()
	panicked := func(value string) []Actor {
		a := fakeActor(1)
		a.Panic, a.HandSince = &Panic{Value: value}, &now
		return []Actor{a}
	}
	first, changed, gone := update(nil, panicked("a"))
	if len(first) != 1 || len(changed) != 1 || len(gone) != 0 {
		t.Errorf("at first: %v, %v, %v", first, changed, gone)
	}
	second, changed, gone := update(first, panicked("a"))
	if len(changed) != 0 || len(gone) != 0 || &second[0].text[0] != &first[0].text[0] {
		t.Errorf("an equal one: %v, %v", changed, gone)
	}
	if _, changed, _ := update(second, panicked("b")); len(changed) != 1 {
		t.Errorf("another panic: %v", changed)
	}
}

// One look each Every serves all viewers; there are none without viewers, and no
// goroutine is left when they have gone, or the bubble would not end.
func TestOneLookForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newFakeSource(5)
		client := servePipes(t, &http.Server{Handler: newHandler(source, Options{Every: 2 * time.Second})})
		time.Sleep(time.Hour)
		if n := source.count(); n != 0 {
			t.Fatalf("%d looks without a viewer", n)
		}
		var all sync.WaitGroup
		for n := range 10 {
			response := fetch(t, client, "http://pipe/stream", http.StatusOK)
			v := newViewer(response.Body)
			all.Go(func() {
				for range 30 {
					if err := v.next(); err != nil {
						t.Errorf("viewer %d: %v", n, err)
					}
				}
				response.Body.Close()
				if v.snapshots != 1 {
					t.Errorf("viewer %d got %d snapshots, want 1", n, v.snapshots)
				}
			})
		}
		start := time.Now()
		all.Wait()
		if d := time.Since(start); d != 58*time.Second {
			t.Errorf("30 looks took %v, want 58s", d)
		}
		if n := source.count(); n != 30 {
			t.Errorf("%d looks for 10 viewers, want 30", n)
		}
		time.Sleep(time.Hour)
		if n := source.count(); n != 30 {
			t.Errorf("%d looks after the last viewer has gone", n-30)
		}
		if v := newViewer(fetch(t, client, "http://pipe/stream", http.StatusOK).Body); v.next() != nil || v.snapshots != 1 {
			t.Error("who comes after an hour gets no snapshot first")
		}
	})
}

// Nothing changes, but there is a look; and between looks that are far apart, a
// word every five seconds. HTTP/2 would end a stream whose deadline passes in between.
func TestHeartbeat(t *testing.T) {
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(version, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &http.Server{Handler: newHandler(newFakeSource(1), Options{Every: time.Minute}), Protocols: new(http.Protocols)}
				server.Protocols.SetHTTP1(version == "HTTP/1.1")
				server.Protocols.SetUnencryptedHTTP2(version == "HTTP/2.0")
				response := fetch(t, servePipes(t, server), "http://pipe/stream", http.StatusOK)
				if response.Proto != version {
					t.Fatalf("%s, want %s", response.Proto, version)
				}
				start := time.Now()
				var got strings.Builder
				for strings.Count(got.String(), "\n\n") < 13 {
					piece := make([]byte, 1<<16)
					n, err := response.Body.Read(piece)
					if err != nil {
						t.Fatal(err)
					}
					got.Write(piece[:n])
				}
				if d := time.Since(start); d != time.Minute {
					t.Errorf("the second look comes after %v, want 1m", d)
				}
				if want := "retry: 1000\nevent: snapshot\ndata: {"; !strings.HasPrefix(got.String(), want) {
					t.Errorf("the stream does not begin with %q but %.60q", want, got.String())
				}
				if want := "]}\n\n" + strings.Repeat("event: beat\ndata: 0\n\n", 11) + "event: delta\ndata: {"; !strings.Contains(got.String(), want) {
					t.Errorf("no %q in %q", want, got.String())
				}
			})
		})
	}
}

// The timeouts of the server are for short answers.
func TestOutlivesTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := servePipes(t, &http.Server{
			Handler:     newHandler(newFakeSource(3), Options{Every: time.Second}),
			ReadTimeout: 3 * time.Second, WriteTimeout: 3 * time.Second, IdleTimeout: 3 * time.Second,
		})
		v := newViewer(fetch(t, client, "http://pipe/stream", http.StatusOK).Body)
		for i := range 60 {
			if err := v.next(); err != nil {
				t.Fatalf("after %d seconds: %v", i, err)
			}
		}
	})
	t.Run("TCP", func(t *testing.T) {
		server := httptest.NewUnstartedServer(newHandler(newFakeSource(3), Options{Every: 20 * time.Millisecond}))
		server.Config.ReadTimeout, server.Config.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
		server.Start()
		defer server.Close()
		defer server.CloseClientConnections()
		outlives(t, server)
	})
	t.Run("HTTP2", func(t *testing.T) {
		server := httptest.NewUnstartedServer(newHandler(newFakeSource(3), Options{Every: 20 * time.Millisecond}))
		server.Config.ReadTimeout, server.Config.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
		server.EnableHTTP2 = true
		server.StartTLS()
		defer server.Close()
		defer server.CloseClientConnections()
		outlives(t, server)
	})
}

// outlives reads a stream for four times the timeouts of a server.
func outlives(t *testing.T, server *httptest.Server) {
	t.Helper()
	// Until the answer begins, the timeouts count: on a busy machine, it may not come in time.
	var response *http.Response
	await(t, "answered", func() (ok bool) {
		var err error
		response, err = server.Client().Get(server.URL + "/stream")
		return err == nil
	})
	defer response.Body.Close()
	v := newViewer(response.Body)
	for start := time.Now(); time.Since(start) < 400*time.Millisecond; {
		if err := v.next(); err != nil {
			t.Fatalf("after %v: %v", time.Since(start), err)
		}
	}
}

// A viewer that takes nothing is given up after ten seconds, and holds up nobody
// until then. One that takes little gets a snapshot instead of what it missed.
func TestSlowViewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newFakeSource(5)
		source.change(func(s *Snapshot) {
			for n := range s.Actors { // so that a look is several pieces
				s.Actors[n].Panic = &Panic{Stack: strings.Repeat("main.main\n", paceSize/20)}
			}
		})
		h := newHandler(source, Options{Every: time.Second})
		client := servePipes(t, &http.Server{Handler: h})
		fetch(t, client, "http://pipe/stream", http.StatusOK) // and reads no more of it
		slow := newViewer(bufio.NewReaderSize(&sips{fetch(t, client, "http://pipe/stream", http.StatusOK).Body}, paceSize))
		v := newViewer(fetch(t, client, "http://pipe/stream", http.StatusOK).Body)
		start := time.Now()
		var all sync.WaitGroup
		all.Go(func() {
			for i := range 2 {
				if err := slow.next(); err != nil {
					t.Errorf("the slow one, after %v: %v", time.Since(start), err)
				}
				if slow.snapshots != i+1 {
					t.Errorf("the slow one gets deltas after it missed many looks")
				}
			}
		})
		for i := range 50 {
			source.change(func(s *Snapshot) {
				for n := range s.Actors {
					s.Actors[n].Accepted++
				}
			})
			if err := v.next(); err != nil {
				t.Fatal(err)
			}
			if d := time.Since(start); d != time.Duration(i)*time.Second {
				t.Fatalf("look %d comes after %v", i, d)
			}
		}
		if v.snapshots != 1 {
			t.Errorf("whoever keeps up gets %d snapshots", v.snapshots)
		}
		all.Wait()
	})
}

// sips is read in pieces as large as a stream's, each after five seconds.
type sips struct{ from io.Reader }

func (s *sips) Read(p []byte) (int, error) {
	time.Sleep(5 * time.Second)
	return io.ReadFull(s.from, p)
}

// Too many viewers are told to come back, and one that has gone makes room, even
// if it only stopped reading.
func TestViewers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := servePipes(t, &http.Server{Handler: newHandler(newFakeSource(1), Options{Viewers: 2})})
		first := fetch(t, client, "http://pipe/stream", http.StatusOK)
		fetch(t, client, "http://pipe/stream", http.StatusOK)
		refused := fetch(t, client, "http://pipe/stream", http.StatusServiceUnavailable)
		if refused.Header.Get("Retry-After") != "5" {
			t.Errorf("Retry-After: %q, want 5", refused.Header.Get("Retry-After"))
		}
		if got := body(t, refused); !strings.Contains(got, "Options.Viewers") {
			t.Errorf("the refusal says %q", got)
		}
		first.Body.Close()
		synctest.Wait()
		fetch(t, client, "http://pipe/stream", http.StatusOK)
		fetch(t, client, "http://pipe/stream", http.StatusServiceUnavailable)
		time.Sleep(pace + time.Second) // none of the two reads
		for range 2 {
			mute, err := client.Transport.(*http.Transport).DialContext(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(mute, "GET /stream HTTP/1.1\r\nHost: pipe\r\n\r\n")
		}
		synctest.Wait()
		fetch(t, client, "http://pipe/stream", http.StatusServiceUnavailable)
		time.Sleep(pace + time.Second) // not even the head of the answer is read
		stops := newViewer(fetch(t, client, "http://pipe/stream", http.StatusOK).Body)
		fetch(t, client, "http://pipe/stream", http.StatusOK)
		for range 60 {
			if err := stops.next(); err != nil {
				t.Fatal(err)
			}
		}
		fetch(t, client, "http://pipe/stream", http.StatusOK)
		fetch(t, client, "http://pipe/stream", http.StatusServiceUnavailable)
		time.Sleep(pace + 2*time.Second)
		fetch(t, client, "http://pipe/stream", http.StatusOK)
		fetch(t, client, "http://pipe/stream", http.StatusOK)
	})
}

// A client whose connection is cut comes back and sees everything.
func TestReconnect(t *testing.T) {
	source := newFakeSource(3)
	server := httptest.NewServer(newHandler(source, Options{Every: 10 * time.Millisecond, Viewers: 1}))
	defer server.Close()
	defer server.CloseClientConnections()
	for range 3 {
		var v *viewer
		for v == nil { // the server may not have noticed yet
			response, err := server.Client().Get(server.URL + "/stream")
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.StatusCode == http.StatusOK {
				v = newViewer(response.Body)
			}
		}
		for range 5 {
			if err := v.next(); err != nil {
				t.Fatal(err)
			}
		}
		if v.snapshots != 1 || len(v.actors) != 3 {
			t.Errorf("%d snapshots and %d actors, want 1 and 3", v.snapshots, len(v.actors))
		}
		server.CloseClientConnections()
		for v.next() == nil {
		}
	}
}

// Shutdown does not wait for viewers, without a word from the program.
func TestShutdown(t *testing.T) {
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(version, func(t *testing.T) {
			h := newHandler(newFakeSource(3), Options{Every: time.Hour})
			server := httptest.NewUnstartedServer(http.StripPrefix("/actors", h))
			server.EnableHTTP2 = version == "HTTP/2.0"
			server.StartTLS()
			defer server.Close()
			var viewers []*viewer
			for range 5 {
				response := fetch(t, server.Client(), server.URL+"/actors/stream", http.StatusOK)
				if response.Proto != version {
					t.Fatalf("%s, want %s", response.Proto, version)
				}
				v := newViewer(response.Body)
				if err := v.next(); err != nil {
					t.Fatal(err)
				}
				viewers = append(viewers, v)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // viewers stay for ever
			defer cancel()
			if err := server.Config.Shutdown(ctx); err != nil {
				t.Errorf("Shutdown: %v", err)
			}
			for _, v := range viewers {
				if err := v.next(); err != io.EOF {
					t.Errorf("a stream ends with %v, want EOF", err)
				}
			}
		})
	}
}

// A stream that is asked for while the server is being shut down is refused.
func TestStreamAfterShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := new(http.Server)
		ctx := context.WithValue(t.Context(), http.ServerContextKey, server)
		h := newHandler(newFakeSource(1), Options{})
		ask := func(path string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
			return w
		}
		ask("/")
		if err := server.Shutdown(ctx); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if w := ask("/stream"); w.Code != http.StatusServiceUnavailable {
			t.Errorf("status %d, want 503", w.Code)
		}
	})
}

// What panics in a look ends the requests that need it, and nothing else.
func TestPanickingSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newFakeSource(1)
		client := servePipes(t, &http.Server{
			Handler:  newHandler(source, Options{}),
			ErrorLog: log.New(io.Discard, "", 0),
		})
		v := newViewer(fetch(t, client, "http://pipe/stream", http.StatusOK).Body)
		if err := v.next(); err != nil {
			t.Fatal(err)
		}
		source.change(func(*Snapshot) { source.looking = func() { panic("no") } })
		if err := v.next(); err == nil {
			t.Error("the stream goes on")
		}
		source.change(func(*Snapshot) { source.looking = nil })
		v = newViewer(fetch(t, client, "http://pipe/stream", http.StatusOK).Body)
		for range 3 {
			if err := v.next(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// What cannot flush cannot stream, and says so.
func TestNoFlush(t *testing.T) {
	server := httptest.NewServer(http.TimeoutHandler(newHandler(newFakeSource(1), Options{}), time.Minute, ""))
	defer server.Close()
	if got := body(t, fetch(t, server.Client(), server.URL+"/stream", http.StatusInternalServerError)); !strings.Contains(got, "cannot flush") {
		t.Errorf("%q", got)
	}
	fetch(t, server.Client(), server.URL+"/snapshot.json", http.StatusOK)
}

// Texts of the program reach the page as JSON that could stand in a page.
func TestEscaping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const evil = "</script><script>alert(\"x\")</script>\r\n\r\nevent: snapshot\ndata: {}\u2028&"
		source := newFakeSource(1)
		source.change(func(s *Snapshot) {
			s.Actors[0].Name, s.Actors[0].Path = evil, evil
			s.Actors[0].Panic = &Panic{Value: evil, Stack: evil}
			s.Events = []Event{{Seq: 1, Path: evil, Reason: evil}}
		})
		client := servePipes(t, &http.Server{Handler: newHandler(source, Options{})})
		whole := body(t, fetch(t, client, "http://pipe/snapshot.json", http.StatusOK))
		var got Snapshot
		if err := json.Unmarshal([]byte(whole), &got); err != nil {
			t.Fatal(err)
		}
		if got.Actors[0].Name != evil {
			t.Errorf("the name comes as %q", got.Actors[0].Name)
		}
		stream := fetch(t, client, "http://pipe/stream", http.StatusOK).Body
		first := make([]byte, 4096)
		n, err := io.ReadAtLeast(stream, first, len(reconnect)+1)
		if err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(string(first[:n]), "\n"); lines != 4 {
			t.Errorf("%d lines in %q, want 4", lines, first[:n])
		}
		for _, got := range []string{whole, string(first[:n])} {
			if strings.ContainsAny(got, "<>&\r\u2028") || strings.Contains(got, `"x"`) {
				t.Errorf("raw text in %s", got)
			}
		}
	})
}

func BenchmarkLook(b *testing.B) {
	const actors = 10_000
	for _, share := range []int{0, 10, 100} {
		b.Run(fmt.Sprintf("actors=%d/changed=%d%%", actors, share), func(b *testing.B) {
			source := newFakeSource(actors)
			f := newFeed(source, time.Nanosecond, 1)
			f.enter()
			_, seen, _ := f.after(0)
			var bytes, n int
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				n++
				source.change(func(s *Snapshot) {
					for i := range s.Actors {
						if i%100 < share {
							s.Actors[i].Accepted, s.Actors[i].Rate.Accepted = uint64(n), float64(n)*1.1
						}
					}
				})
				b.StartTimer()
				var events [][]byte
				events, seen, _ = f.after(seen)
				for _, event := range events {
					bytes += len(event)
				}
			}
			b.ReportMetric(float64(bytes)/float64(n), "sent-B/look")
			b.ReportMetric(float64(f.size), "snapshot-B")
		})
	}
}
