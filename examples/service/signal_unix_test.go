//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// running is a service in a process of its own.
type running struct {
	*exec.Cmd
	addr     string
	lines    *bufio.Scanner // of its output, after the first
	stderr   strings.Builder
	snapshot string
}

// start starts a service by a command that runs it, and waits until it listens.
func start(t *testing.T, cmd *exec.Cmd) *running {
	t.Helper()
	r := &running{Cmd: cmd, snapshot: filepath.Join(t.TempDir(), "snapshot")}
	cmd.Args = append(cmd.Args, "-addr", "127.0.0.1:0", "-snapshot", r.snapshot)
	cmd.Stderr = &r.stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.lines = bufio.NewScanner(stdout)
	r.lines.Scan()
	var found bool
	if r.addr, found = strings.CutPrefix(r.lines.Text(), "listening on http://"); !found {
		t.Fatalf("the first line is %q", r.lines.Text())
	}
	r.lines.Scan()
	if want := "actors on http://" + r.addr + actorsPath; r.lines.Text() != want {
		t.Fatalf("the second line is %q, want %q", r.lines.Text(), want)
	}
	return r
}

func (r *running) post(t *testing.T, name, text string) receipt {
	t.Helper()
	response, err := http.Post(fmt.Sprintf("http://%s/texts?name=%s", r.addr, name), "text/plain", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var got receipt
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil || response.StatusCode != http.StatusAccepted {
		t.Fatalf("status %d, %v", response.StatusCode, err)
	}
	return got
}

// counted waits until a text is counted.
func (r *running) counted(t *testing.T, name string) {
	t.Helper()
	for got := (textInfo{}); got.Post == 0; {
		r.get(t, "/texts/"+name, &got)
	}
}

// held waits until so many pieces wait in the queue, because the workers hold
// the others.
func (r *running) held(t *testing.T, waiting int) {
	t.Helper()
	for got := (stats{}); got.Queues["workers"] != waiting || got.Open == waiting; {
		got = stats{}
		r.get(t, "/stats", &got)
	}
}

func (r *running) get(t *testing.T, path string, value any) {
	t.Helper()
	response, err := http.Get("http://" + r.addr + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(value); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d, %v", path, response.StatusCode, err)
	}
}

// begin begins to post a text and returns when the service reads it, which it
// does in vain.
func (r *running) begin(t *testing.T) {
	t.Helper()
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprint(conn, "POST /texts?name=b HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n")
	// The service asks for the text when it has begun to read it.
	if line, err := bufio.NewReader(conn).ReadString('\n'); !strings.Contains(line, "100 Continue") {
		t.Fatalf("%q, %v", line, err)
	}
	fmt.Fprint(conn, "half of a te")
}

func (r *running) signal(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := r.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// deaf waits until the service takes no more requests.
func (r *running) deaf() {
	for {
		conn, err := net.Dial("tcp", r.addr)
		if err != nil {
			return
		}
		conn.Close()
	}
}

// end waits for the end of the service, and checks its one line and its status.
func (r *running) end(t *testing.T, line string, status int) {
	t.Helper()
	r.lines.Scan()
	if r.lines.Text() != line {
		t.Errorf("the last line is %q, want %q", r.lines.Text(), line)
	}
	if r.lines.Scan() {
		t.Errorf("there is a line more: %q", r.lines.Text())
	}
	err := r.Wait()
	if got := r.ProcessState.ExitCode(); got != status {
		t.Errorf("the service ended with %v, want status %d; it said:\n%s", err, status, r.stderr.String())
	}
}

// says checks that what the service has said tells of all that.
func (r *running) says(t *testing.T, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(r.stderr.String(), part) {
			t.Errorf("the service does not say %q:\n%s", part, r.stderr.String())
		}
	}
}

// A signal ends the service with the account of all that it had accepted, and
// with a last snapshot of it.
func TestSignals(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			r := start(t, executable(t))
			pieces, want := 0, make(map[string]int)
			for i := range 20 {
				text := textOf(i%4+1, "word")
				pieces += r.post(t, fmt.Sprint(i), text).Pieces
				add(want, countWords(text))
			}
			r.signal(t, signal)
			r.end(t, account{accepted: pieces, processed: pieces}.String(), 0)
			if r.stderr.Len() > 0 {
				t.Errorf("the service said %q", r.stderr.String())
			}
			text, err := os.ReadFile(r.snapshot)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := readSnapshot(text, asJSON); err != nil || !maps.Equal(got, want) {
				t.Errorf("the last snapshot is %v, %v; want %v", got, err, want)
			}
		})
	}
}

// A second signal does not wait for a client that does not send the text that it
// has begun.
func TestSecondSignal(t *testing.T) {
	r := start(t, executable(t, "-grace", "1h"))
	pieces := r.post(t, "a", textOf(3, "word")).Pieces
	r.counted(t, "a")
	r.begin(t)
	r.signal(t, syscall.SIGTERM)
	r.deaf()
	r.signal(t, syscall.SIGINT)
	r.end(t, account{accepted: pieces, processed: pieces}.String(), 1)
	r.says(t, "second signal", "interrupt", "requests under way: 1")
}

// hanging returns a command that runs a service whose workers hang.
func hanging(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), hangs+"=1")
	return cmd
}

// A second signal hands back what is queued and names the worker that is stuck
// and where it hangs.
func TestSecondSignalStuck(t *testing.T) {
	r := start(t, hanging(t, "-workers-max", "1", "-grace", "1h"))
	r.post(t, "a", textOf(3, "word"))
	r.held(t, 2)
	r.signal(t, syscall.SIGTERM)
	r.deaf()
	r.signal(t, syscall.SIGTERM)
	r.end(t, account{accepted: 3, handedBack: 2}.String(), 1)
	r.says(t, "second signal", `actor "workers"`, "stuck", "TestMain", "have not come back: 1")
}

// When the grace is over, the service does as at a second signal.
func TestGraceOver(t *testing.T) {
	r := start(t, hanging(t, "-workers-max", "1", "-grace", "10ms"))
	r.post(t, "a", textOf(3, "word"))
	r.held(t, 2)
	r.signal(t, syscall.SIGTERM)
	r.end(t, account{accepted: 3, handedBack: 2}.String(), 1)
	r.says(t, "within 10ms", `actor "workers"`, "stuck")
}

// A slow client does not cost the accepted work its time, nor the service its
// good end.
func TestSlowClient(t *testing.T) {
	r := start(t, executable(t, "-grace", "2s"))
	r.post(t, "a", "a word")
	r.begin(t)
	r.signal(t, syscall.SIGTERM)
	r.end(t, account{accepted: 1, processed: 1}.String(), 0)
	r.says(t, "connections were cut")
}

// When a part of the service crashes once too often, the service ends in order,
// with what was accepted on the account and in the snapshot, and says why.
func TestCrashStorm(t *testing.T) {
	r := start(t, executable(t, "-allow-crash", "-restarts", "2", "-restarts-within", "1h"))
	pieces := r.post(t, "a", textOf(3, "word")).Pieces
	r.counted(t, "a")
	for range 3 {
		response, err := http.Post("http://"+r.addr+"/crash?what=task", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Fatalf("status %d", response.StatusCode)
		}
	}
	r.end(t, account{accepted: pieces, processed: pieces}.String(), 1)
	lines := strings.Split(strings.TrimSpace(r.stderr.String()), "\n")
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, `service: supervisor "service": child "snapshot": one restart too many: `) {
		t.Errorf("the last line is %q of\n%s", last, r.stderr.String())
	}
	text, err := os.ReadFile(r.snapshot)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := readSnapshot(text, asJSON); err != nil || !maps.Equal(got, countWords(textOf(3, "word"))) {
		t.Errorf("the last snapshot is %v, %v", got, err)
	}
}
