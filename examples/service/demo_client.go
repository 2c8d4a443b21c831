package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// postFiles posts one file after the other until over is closed and each file
// was taken once.
func (d *demo) postFiles(ctx context.Context, over <-chan struct{}) error {
	for ctx.Err() == nil {
		n := int(d.next.Add(1) - 1)
		if n >= len(d.files) {
			select {
			case <-over:
				return nil
			default:
			}
		}
		if err := d.round(ctx, n, &d.files[n%len(d.files)]); err != nil {
			return err
		}
		if err := pause(ctx, d.rest); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// round posts a file until it is admitted. Of the rounds, counted by n, every
// second waits for the count, every fourth asks for it, every sixteenth asks for
// the words.
func (d *demo) round(ctx context.Context, n int, file *source) error {
	for {
		refused, err := d.post(ctx, file, n%2 == 0)
		if err != nil {
			return err
		}
		if !refused {
			break
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	if n%4 == 0 {
		if err := d.checkText(ctx, file); err != nil {
			return err
		}
	}
	if n%16 == 0 {
		return d.checkWords(ctx)
	}
	return nil
}

// post posts a file once, and waits until it is counted if wait is true.
func (d *demo) post(ctx context.Context, file *source, wait bool) (refused bool, err error) {
	turn := int(d.turn.Add(1))
	var got struct {
		receipt
		refusal
	}
	path := fmt.Sprintf("/texts?name=%s&wait=%t", url.QueryEscape(file.name), wait)
	status, err := d.do(ctx, http.MethodPost, path, file.marked(turn), &got)
	if err != nil {
		return false, err
	}
	switch r, f := got.receipt, got.Failed; {
	case status == http.StatusTooManyRequests:
		d.seen.refuse()
		return true, nil
	case status == http.StatusAccepted && !wait && r.Name == file.name && r.Pieces > 0:
		d.seen.admit(r.Name, r.Post, admission{turn: turn, pieces: r.Pieces})
		return false, nil
	case status == http.StatusOK && wait && r.Name == file.name && r.Pieces > 0 && r.Words == file.words+1 && r.Distinct == len(file.want)+1:
		d.seen.admit(r.Name, r.Post, admission{turn: turn, pieces: r.Pieces, counted: true})
		return false, nil
	case status == http.StatusInternalServerError && wait && f != nil && f.Text == file.name && f.Piece >= 1 && f.Piece <= f.Pieces:
		d.seen.admit(f.Text, f.Post, admission{turn: turn, pieces: f.Pieces, failed: f.Piece})
		return false, nil
	}
	return false, fmt.Errorf("posting %s with wait=%t: status %d, %+v; it has %d words and the mark", file.name, wait, status, got, file.words)
}

// checkText asks about a file that has been admitted before. Whichever of its
// posts was counted last has its words and a mark.
func (d *demo) checkText(ctx context.Context, file *source) error {
	got, err := d.lookUp(ctx, file.name)
	if err != nil {
		return err
	}
	none := got.Post == 0 && got.Words == 0 && got.Distinct == 0 && (got.Pending > 0 || got.Failed != nil)
	if !none && (got.Words != file.words+1 || got.Distinct != len(file.want)+1) {
		return fmt.Errorf("asking for %s: %+v; want %d words, %d different ones, and the mark", file.name, got, file.words, len(file.want))
	}
	return nil
}

func (d *demo) lookUp(ctx context.Context, name string) (got textInfo, err error) {
	err = d.get(ctx, "/texts/"+url.PathEscape(name), &got)
	return got, err
}

func (d *demo) checkWords(ctx context.Context) error {
	const n = 10
	var got ranking
	if err := d.get(ctx, fmt.Sprintf("/words?n=%d", n), &got); err != nil {
		return err
	}
	falling := slices.IsSortedFunc(got.Words, func(a, b wordCount) int { return b.Count - a.Count })
	if len(got.Words) != min(n, got.Distinct) || !falling {
		return fmt.Errorf("asking for %d words: %+v", n, got)
	}
	return nil
}

// get asks a question, which must be answered.
func (d *demo) get(ctx context.Context, path string, value any) error {
	return d.must(ctx, http.MethodGet, path, value)
}

// must makes a request without a body, which must be granted.
func (d *demo) must(ctx context.Context, method, path string, value any) error {
	var answer json.RawMessage
	status, err := d.do(ctx, method, path, nil, &answer)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("%s %s: status %d, %s", method, path, status, answer)
	}
	return json.Unmarshal(answer, value)
}

// do makes a request, decodes the answer into value, and notes how long that
// took.
func (d *demo) do(ctx context.Context, method, path string, body []byte, value any) (status int, err error) {
	start := time.Now()
	request, err := http.NewRequestWithContext(ctx, method, d.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	response, err := d.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, fmt.Errorf("%s %s: %w", method, path, err)
	}
	d.seen.answered(time.Since(start))
	if err := json.Unmarshal(answer, value); err != nil {
		return 0, fmt.Errorf("%s %s: status %d, %w: %q", method, path, response.StatusCode, err, answer)
	}
	return response.StatusCode, nil
}
