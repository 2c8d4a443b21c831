package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// demoClients is how many clients the demo has. Each waits for its answers, so
// it is also how many requests there are at once.
const demoClients = 8

// runDemo runs the service on a free port, has clients post the files below
// dir for d and until each was admitted once, ends the service as a signal
// would, and checks everything that was answered and what is left in the
// books. It returns an error if anything does not add up.
func runDemo(ctx context.Context, set settings, dir string, d time.Duration, out io.Writer) error {
	sources, err := readSources(dir, set.maxBytes)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%v below %s\n", sources, dir)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	serving, signal := context.WithCancel(ctx)
	defer signal()
	var (
		left   books
		served = make(chan error, 1)
	)
	go func() {
		var err error
		left, err = serve(serving, l, newService(context.Background(), set, countWords), out)
		served <- err
	}()

	load, driven := drive(ctx, "http://"+l.Addr().String(), sources.files, d)
	signal()
	if err := errors.Join(driven, <-served); err != nil {
		return err
	}
	fmt.Fprintln(out, load)
	if err := compare(left, sources.files, load); err != nil {
		return err
	}
	fmt.Fprintf(out, "the counts of %d texts with %d different words are those of the sequential count\n", len(left.texts), len(left.total))
	return nil
}

// A source is a file that the demo posts.
type source struct {
	name  string         // the text's name: the path below the folder, with slashes
	body  []byte         // what the clients post
	want  map[string]int // the sequential count
	words int            // the sum of want
}

// sources are the files of a folder.
type sources struct {
	files   []source
	bytes   int
	leftOut int // files that the service refuses: empty ones and too large ones
}

func (s sources) String() string {
	return fmt.Sprintf("%d files of %d bytes (%d empty or too large ones left out)", len(s.files), s.bytes, s.leftOut)
}

// readSources reads the *.go and *.md files below dir, and has each counted by
// the sequential count. The folder .git is passed over: it may hold branches
// whose names end so.
func readSources(dir string, maxBytes int64) (sources, error) {
	var found sources
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == ".git" {
			return filepath.SkipDir
		}
		if ext := filepath.Ext(path); !entry.Type().IsRegular() || ext != ".go" && ext != ".md" {
			return nil
		}
		file, err := readSource(dir, path)
		if err != nil {
			return err
		}
		if size := len(file.body); size == 0 || int64(size) > maxBytes {
			found.leftOut++
			return nil
		}
		found.files = append(found.files, file)
		found.bytes += len(file.body)
		return nil
	})
	if err == nil && len(found.files) == 0 {
		err = fmt.Errorf("there is no *.go or *.md file to post below %s", dir)
	}
	return found, err
}

func readSource(dir, path string) (source, error) {
	name, err := filepath.Rel(dir, path)
	if err != nil {
		return source{}, err
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return source{}, err
	}
	want, err := sequentialCount(path)
	if err != nil {
		return source{}, err
	}
	file := source{name: filepath.ToSlash(name), body: body, want: want}
	for _, n := range want {
		file.words += n
	}
	return file, nil
}

// A load is what the clients have seen.
type load struct {
	admitted  int // texts
	pieces    int // of the texts that were admitted
	refused   int // posts answered with 429
	questions int // answered GETs
	took      time.Duration
	latencies []time.Duration // of all requests, sorted
}

func (l *load) requests() int { return len(l.latencies) }

func (l *load) String() string {
	return fmt.Sprintf("%d texts admitted, %d refused, %d questions answered\n%.0f requests/s, p50 %v, p99 %v",
		l.admitted, l.refused, l.questions,
		float64(l.requests())/l.took.Seconds(), l.percentile(50), l.percentile(99))
}

func (l *load) percentile(p int) time.Duration {
	if len(l.latencies) == 0 {
		return 0
	}
	return l.latencies[(len(l.latencies)-1)*p/100].Round(time.Microsecond)
}

// add takes over what another client has seen.
func (l *load) add(other *load) {
	l.admitted += other.admitted
	l.pieces += other.pieces
	l.refused += other.refused
	l.questions += other.questions
	l.latencies = append(l.latencies, other.latencies...)
}

// drive has the clients post files, in turn and over and over, for d and until
// each has been admitted once. It ends early when ctx ends and when an answer
// is not as it should be, and returns the reason.
func drive(ctx context.Context, base string, files []source, d time.Duration) (*load, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	transport := &http.Transport{MaxIdleConnsPerHost: demoClients}
	defer transport.CloseIdleConnections()

	var (
		total   load
		mu      sync.Mutex // guards total
		next    atomic.Int64
		clients sync.WaitGroup
		start   = time.Now()
	)
	for range demoClients {
		clients.Go(func() {
			c := &client{base: base, http: &http.Client{Transport: transport, Timeout: 30 * time.Second}}
			for ctx.Err() == nil {
				turn := int(next.Add(1) - 1)
				if turn >= len(files) && time.Since(start) >= d {
					break
				}
				if err := c.round(ctx, turn, &files[turn%len(files)]); err != nil {
					cancel(err)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			total.add(&c.load)
		})
	}
	clients.Wait()
	total.took = time.Since(start)
	slices.Sort(total.latencies)
	return &total, context.Cause(ctx)
}

// A client makes one request after the other and remembers how they went.
type client struct {
	base string
	http *http.Client
	load
}

// round posts a file until it is admitted. Now and then it asks for the count
// of the file and for the most frequent words, and checks what can be known of
// the answers while others post.
func (c *client) round(ctx context.Context, turn int, file *source) error {
	if err := c.post(ctx, file); err != nil {
		return err
	}
	if turn%4 == 0 {
		if err := c.checkText(ctx, file); err != nil {
			return err
		}
	}
	if turn%16 == 0 {
		return c.checkWords(ctx)
	}
	return nil
}

// post posts a file until it is admitted.
func (c *client) post(ctx context.Context, file *source) error {
	for {
		var got receipt
		status, err := c.do(ctx, http.MethodPost, "/texts?name="+url.QueryEscape(file.name), file.body, &got)
		switch {
		case err != nil:
			return err
		case status == http.StatusAccepted && got.Name == file.name && got.Pieces > 0:
			c.admitted++
			c.pieces += got.Pieces
			return nil
		case status != http.StatusTooManyRequests:
			return fmt.Errorf("posting %s: status %d, %+v", file.name, status, got)
		}
		c.refused++
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// checkText asks about a file that has been admitted before. Every post of a
// file has the same words, so that whichever was counted last has them too.
func (c *client) checkText(ctx context.Context, file *source) error {
	var got textInfo
	status, err := c.do(ctx, http.MethodGet, "/texts/"+url.PathEscape(file.name), nil, &got)
	if err != nil {
		return err
	}
	c.questions++
	first := got.Post == 0 && got.Pending > 0
	if status != http.StatusOK || !first && (got.Words != file.words || got.Distinct != len(file.want)) {
		return fmt.Errorf("asking for %s: status %d, %+v; want %d words, %d different ones", file.name, status, got, file.words, len(file.want))
	}
	return nil
}

func (c *client) checkWords(ctx context.Context) error {
	const n = 10
	var got ranking
	status, err := c.do(ctx, http.MethodGet, fmt.Sprintf("/words?n=%d", n), nil, &got)
	if err != nil {
		return err
	}
	c.questions++
	falling := slices.IsSortedFunc(got.Words, func(a, b wordCount) int { return b.Count - a.Count })
	if status != http.StatusOK || len(got.Words) != min(n, got.Distinct) || !falling {
		return fmt.Errorf("asking for %d words: status %d, %+v", n, status, got)
	}
	return nil
}

// do makes a request, decodes the answer into value if it is one of success,
// and notes how long that took.
func (c *client) do(ctx context.Context, method, path string, body []byte, value any) (status int, err error) {
	start := time.Now()
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, fmt.Errorf("%s %s: %w", method, path, err)
	}
	c.latencies = append(c.latencies, time.Since(start))
	if response.StatusCode < 300 {
		err = json.Unmarshal(answer, value)
	}
	return response.StatusCode, err
}

// compare checks the books against what the clients have seen and against the
// sequential count of the files.
func compare(left books, files []source, seen *load) error {
	var errs []error
	differ := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	if a := left.account; a.accepted != seen.pieces || a.accepted != a.processed+a.handedBack || a.handedBack != 0 {
		differ("the account is %v, and the clients were told of %d accepted pieces", a, seen.pieces)
	}
	total := make(map[string]int)
	for _, file := range files {
		if !maps.Equal(left.texts[file.name], file.want) {
			differ("the words of %s are not those of the sequential count", file.name)
		}
		for word, n := range file.want {
			total[word] += n
		}
	}
	if len(left.texts) != len(files) {
		differ("there are %d texts, and %d files were posted", len(left.texts), len(files))
	}
	if !maps.Equal(left.total, total) {
		differ("the words of all texts are not those of the sequential count")
	}
	return errors.Join(errs...)
}
