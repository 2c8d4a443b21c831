//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
)

// A signal ends the service with the account of all that it had accepted.
func TestSignals(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			cmd := program(t, "-addr", "127.0.0.1:0")
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			var stderr strings.Builder
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(stdout)
			lines.Scan()
			base, found := strings.CutPrefix(lines.Text(), "listening on ")
			if !found {
				t.Fatalf("the first line is %q", lines.Text())
			}

			pieces := 0
			for i := range 20 {
				text := strings.NewReader(textOf(i%4+1, "word"))
				response, err := http.Post(fmt.Sprintf("%s/texts?name=%d", base, i), "text/plain", text)
				if err != nil {
					t.Fatal(err)
				}
				var got receipt
				err = json.NewDecoder(response.Body).Decode(&got)
				response.Body.Close()
				if err != nil || response.StatusCode != http.StatusAccepted {
					t.Fatalf("status %d, %v", response.StatusCode, err)
				}
				pieces += got.Pieces
			}
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			lines.Scan()
			if want := fmt.Sprintf("accepted=%d processed=%d handed back=0", pieces, pieces); lines.Text() != want {
				t.Errorf("the last line is %q, want %q", lines.Text(), want)
			}
			if lines.Scan() {
				t.Errorf("there is a line more: %q", lines.Text())
			}
			if err := cmd.Wait(); err != nil || stderr.Len() > 0 {
				t.Errorf("the service ended with %v and said %q", err, stderr.String())
			}
		})
	}
}
