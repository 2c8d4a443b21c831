package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"tinyactor/observer"
)

// seen asks the page of a service for what it shows.
func seen(t *testing.T, page string) (s observer.Snapshot, paths map[string]observer.Actor) {
	t.Helper()
	response, err := http.Get(page + "snapshot.json")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&s); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v", response.StatusCode, err)
	}
	paths = make(map[string]observer.Actor)
	for _, a := range s.Actors {
		paths[a.Path] = a
	}
	return s, paths
}

// The page shows the whole tree. It acts on actors if that is allowed, and only
// then; who looks at it does not hold up the end of the service.
func TestActors(t *testing.T) {
	for _, actions := range []bool{false, true} {
		t.Run(fmt.Sprintf("actions=%t", actions), func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			set := testSettings(t, 2, 8, 1000)
			set.actions = actions
			log := logged(t)
			ctx, end := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() {
				_, err := program{count: countWords, stdout: t.Output()}.serve(ctx, t.Context(), l, newObserver(set), set)
				ended <- err
			}()
			page := "http://" + l.Addr().String() + actorsPath

			response, err := http.Get(strings.TrimSuffix(page, "/"))
			if err != nil {
				t.Fatal(err)
			}
			html, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil || !strings.Contains(string(html), "<title>") {
				t.Errorf("status %d, %v: %.100s", response.StatusCode, err, html)
			}
			stream, err := http.Get(page + "stream")
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Body.Close()

			_, paths := seen(t, page)
			for path, kind := range map[string]observer.Kind{
				"service": observer.KindSupervisor, "service/store": observer.KindWorker, "service/workers": observer.KindWorker,
				"service/foreman": observer.KindWorker, "service/snapshot": observer.KindWorker,
			} {
				if paths[path].Kind != kind {
					t.Errorf("%s is %+v, want a %s", path, paths[path], kind)
				}
			}
			want := http.StatusForbidden
			if actions {
				want = http.StatusNoContent
			}
			response, err = http.Post(fmt.Sprintf("%sactors/%d/restart", page, paths["service/snapshot"].ID), "", nil)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != want {
				t.Errorf("a restart: status %d, want %d", response.StatusCode, want)
			}

			end()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if log.Len() > 0 && !actions {
				t.Errorf("logged:\n%s", log)
			}
		})
	}
}

// With -keep the demo goes on after the check, at the same address, with something
// to see, and ends in order when it is interrupted.
func TestDemoKeep(t *testing.T) {
	dir := writeFiles(t, map[string]string{"a.md": strings.Repeat("some words\n", 2000)})
	ctx, interrupt := context.WithCancel(t.Context())
	out, stdout := io.Pipe()
	var stderr strings.Builder
	status := make(chan int, 1)
	go func() {
		p := program{count: countWords, stdout: stdout, stderr: &stderr}
		status <- p.run(ctx, t.Context(), []string{"-demo", "1s", "-keep", "-queue", "8", "-dir", dir})
		stdout.Close()
	}()
	lines := bufio.NewScanner(out)
	await := func(prefix string) string {
		t.Helper()
		for lines.Scan() {
			if rest, found := strings.CutPrefix(lines.Text(), prefix); found {
				return rest
			}
		}
		t.Fatalf("no line begins with %q; the demo said %q", prefix, stderr.String())
		return ""
	}
	page := await("actors on ")
	await("the counts of ")
	await("going on")
	if again := await("actors on "); again != page {
		t.Errorf("the page was at %s and is at %s", page, again)
	}
	first, paths := seen(t, page)
	if first.Totals.Restarts == 0 || first.Totals.Panics == 0 {
		t.Errorf("of the demo the page shows %+v", first.Totals)
	}
	for worker := paths["service/workers"]; ; {
		if _, later := seen(t, page); later["service/workers"].Received > worker.Received && later["service/workers"].ID == worker.ID {
			break
		}
	}
	interrupt()
	await("accepted=")
	if got := <-status; got != 0 {
		t.Errorf("status %d, %s", got, stderr.String())
	}
}
