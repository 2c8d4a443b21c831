package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestNode is one node alone, in this process.
func TestNode(t *testing.T) {
	t.Parallel()
	ctx, end := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := runNode(ctx, nodeConfig{Name: "alone", Store: t.TempDir(), Replicas: 1}, w)
		w.CloseWithError(err)
		ended <- err
	}()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	base := strings.TrimSpace(line)
	do := func(method, path, body string) (int, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(text)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/texts", "no id", http.StatusBadRequest},
		{"POST", "/texts?id=" + strings.Repeat("x", maxID+1), "too long an id", http.StatusBadRequest},
		{"POST", "/texts?id=1", "\xff", http.StatusBadRequest},
		{"POST", "/texts?id=1", strings.Repeat("x", maxText+1), http.StatusRequestEntityTooLarge},
		{"GET", "/texts?id=1", "", http.StatusMethodNotAllowed},
		{"GET", "/nothing", "", http.StatusNotFound},
		{"POST", "/texts?id=1", "to be or not to be", http.StatusAccepted},
		{"POST", "/texts?id=1", "to be or not to be", http.StatusAccepted},
		{"POST", "/texts?id=2", "or", http.StatusAccepted},
	} {
		if status, text := do(c.method, c.path, c.body); status != c.status {
			t.Errorf("%s %.20s: %d %s, want %d", c.method, c.path, status, text, c.status)
		}
	}
	var got counts
	eventually(t, "two texts are counted", func() bool {
		status, text := do("GET", "/counts", "")
		return status == http.StatusOK && json.Unmarshal([]byte(text), &got) == nil && got.Texts == 2
	})
	if got.Node != "alone" || got.Fence == 0 || got.Words != 7 || got.Different != 4 {
		t.Errorf("the totals are %+v", got)
	}
	if status, text := do("GET", "/words?after=not", ""); status != http.StatusOK || strings.TrimSpace(text) != `[{"word":"or","count":2},{"word":"to","count":2}]` {
		t.Errorf("words after not: %d %s", status, text)
	}
	if status, text := do("GET", "/debug/actors/", ""); status != http.StatusOK || !strings.Contains(text, "<title>") {
		t.Errorf("the page of the actors: %d %.100s", status, text)
	}
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
