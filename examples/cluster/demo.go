package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A demonstration posts texts to all nodes, kills the worst one half-way, and
// compares what was counted with what it has posted.
type demonstration struct {
	nodes  *nodes
	length time.Duration
	drain  time.Duration // how long the rest may take to be counted
	out    io.Writer

	http     http.Client
	posted   atomic.Int64 // texts; their ids are the numbers up to this one
	repeated atomic.Int64 // posts that were made again
}

const (
	clients = 4                    // that post, each one text after the other
	rest    = 5 * time.Millisecond // of a client, after each text
	retry   = 50 * time.Millisecond
)

func (d *demonstration) run(ctx context.Context) error {
	d.http.Timeout = 2 * patience
	defer d.http.CloseIdleConnections()
	fmt.Fprintf(d.out, "%d nodes, each a process with a NATS server: %s\n", len(d.nodes.all), d.nodes)

	var posting sync.WaitGroup
	begun := time.Now()
	limit, cancel := context.WithTimeout(ctx, d.length+d.drain)
	defer cancel()
	failed := make([]error, clients)
	for i := range clients {
		posting.Go(func() {
			for failed[i] == nil && time.Since(begun) < d.length {
				failed[i] = d.post(limit, d.posted.Add(1))
				pause(limit, rest)
			}
		})
	}
	pause(limit, d.length/2)
	killed := d.killHolder(limit)
	posting.Wait()
	if err := errors.Join(append(failed, killed)...); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "posted %d texts in %v; %d of them had to be posted again, at another node\n", d.posted.Load(), since(begun), d.repeated.Load())

	begun = time.Now()
	limit, cancel = context.WithTimeout(ctx, d.drain)
	defer cancel()
	c, err := d.drained(limit)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "drained in %v: %d texts are counted; %d came to the totals once more, and were not counted again\n", since(begun), c.Texts, c.Again)
	return d.compare(limit, c)
}

// post posts a text until a node has taken it, each time to the next one.
func (d *demonstration) post(ctx context.Context, n int64) error {
	for at := n; ; at++ {
		p := d.nodes.all[at%int64(len(d.nodes.all))]
		status, err := d.request(ctx, http.MethodPost, p.url+"/texts?id="+strconv.FormatInt(n, 10), strings.NewReader(demoText(n)), nil)
		switch {
		case status == http.StatusAccepted:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("text %d was not taken: %w", n, err)
		case status != 0 && status != http.StatusServiceUnavailable:
			return err
		}
		if at == n {
			d.repeated.Add(1)
		}
		pause(ctx, retry)
	}
}

// killHolder kills the node that the totals are on, and waits until they are on
// another.
func (d *demonstration) killHolder(ctx context.Context) error {
	before, err := d.counts(ctx)
	if err != nil {
		return err
	}
	for _, p := range d.nodes.all {
		if p.name != before.Node {
			continue
		}
		if err := p.kill(); err != nil {
			return err
		}
		begun := time.Now()
		after, err := d.counts(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(d.out, "killed %s, where the totals were, at %d texts; after %v they are on %s, with %d texts; the fencing number was %d and is %d\n",
			p.name, before.Texts, since(begun), after.Node, after.Texts, before.Fence, after.Fence)
		if after.Node == before.Node || after.Fence <= before.Fence || after.Texts < before.Texts {
			return errors.New("the totals have not moved in order")
		}
		return nil
	}
	return fmt.Errorf("the totals are on %q, which is none of the nodes", before.Node)
}

// drained waits until as many texts are counted as were posted, or more.
func (d *demonstration) drained(ctx context.Context) (counts, error) {
	for {
		c, err := d.counts(ctx)
		if err != nil || int64(c.Texts) >= d.posted.Load() {
			return c, err
		}
		if pause(ctx, retry); ctx.Err() != nil {
			return c, fmt.Errorf("%d of %d texts are counted after %v", c.Texts, d.posted.Load(), d.drain)
		}
	}
}

// compare compares all counts with those of a plain loop.
func (d *demonstration) compare(ctx context.Context, c counts) error {
	want, sum := make(map[string]int), 0
	for n := range d.posted.Load() {
		for word, times := range countWords(demoText(n + 1)) {
			want[word] += times
			sum += times
		}
	}
	got := make(map[string]int)
	for after := ""; ; {
		var page []wordCount
		if err := d.ask(ctx, "/words?after="+url.QueryEscape(after), &page); err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		for _, w := range page {
			got[w.Word] = w.Count
		}
		after = page[len(page)-1].Word
	}
	var errs []error
	if int64(c.Texts) != d.posted.Load() || c.Words != sum || c.Different != len(want) {
		errs = append(errs, fmt.Errorf("%d texts with %d words, %d different ones; want %d, %d and %d",
			c.Texts, c.Words, c.Different, d.posted.Load(), sum, len(want)))
	}
	if !maps.Equal(got, want) {
		errs = append(errs, fmt.Errorf("counts differ from the sequential count: %s", differences(got, want)))
	}
	if errs == nil {
		fmt.Fprintf(d.out, "%d words, %d different ones: all counts are those of the sequential count\n", sum, len(want))
	}
	return errors.Join(errs...)
}

// differences has the first ten words whose counts differ.
func differences(got, want map[string]int) string {
	all := maps.Clone(got)
	maps.Copy(all, want)
	var lines []string
	for _, word := range slices.Sorted(maps.Keys(all)) {
		if got[word] != want[word] && len(lines) < 10 {
			lines = append(lines, fmt.Sprintf("%s %d, not %d", word, got[word], want[word]))
		}
	}
	return strings.Join(lines, "; ")
}

func (d *demonstration) counts(ctx context.Context) (c counts, err error) {
	err = d.ask(ctx, "/counts", &c)
	return c, err
}

// ask asks the nodes in turn until one has an answer.
func (d *demonstration) ask(ctx context.Context, path string, answer any) error {
	for at := 0; ; at++ {
		p := d.nodes.all[at%len(d.nodes.all)]
		status, err := d.request(ctx, http.MethodGet, p.url+path, nil, answer)
		if status == http.StatusOK || ctx.Err() != nil {
			return err
		}
		pause(ctx, retry)
	}
}

// request returns the status, which is 0 if there was none, and an error unless
// it is a good one.
func (d *demonstration) request(ctx context.Context, method, url string, body io.Reader, answer any) (int, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return 0, err
	}
	response, err := d.http.Do(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %s", method, url, response.Status, text)
	}
	if err == nil && answer != nil {
		err = json.Unmarshal(text, answer)
	}
	if err != nil && response.StatusCode < 300 {
		return 0, err // half of an answer is none
	}
	return response.StatusCode, err
}

func (ns *nodes) String() string {
	var all []string
	for _, p := range ns.all {
		all = append(all, p.name+" "+p.url)
	}
	return strings.Join(all, ", ")
}

func since(begun time.Time) time.Duration { return time.Since(begun).Round(10 * time.Millisecond) }

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
