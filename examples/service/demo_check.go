package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
)

// check compares the books and the last snapshot with what the clients were
// told and with the sequential count of the files.
func (d *demo) check(left books) error {
	err := errors.Join(d.seen.checkTrouble(), d.seen.checkPieces(left.account), d.checkTexts(left))
	text, unread := os.ReadFile(d.snapshot)
	if unread != nil {
		return errors.Join(err, unread)
	}
	words, unread := readSnapshot(text, d.seen.format)
	if unread == nil && !maps.Equal(words, left.total) {
		unread = errors.New("the last snapshot has other words than the books")
	}
	return errors.Join(err, unread)
}

// checkTrouble is an error if some trouble has not come about.
func (r *record) checkTrouble() error {
	var errs []error
	if len(r.crashes) == 0 {
		errs = append(errs, errors.New("no piece was reported crashed"))
	}
	for _, child := range []string{"workers", "store", taskName} {
		if r.crashed[child] == 0 || r.restarts[child] != r.crashed[child] {
			errs = append(errs, fmt.Errorf("%s has crashed %d times, and was restarted %d times", child, r.crashed[child], r.restarts[child]))
		}
	}
	if r.refused == 0 {
		errs = append(errs, errors.New("no request was refused"))
	}
	if r.stops == 0 {
		errs = append(errs, errors.New("the task never stopped"))
	}
	return errors.Join(errs...)
}

// checkPieces compares the account of the pieces with the answers.
func (r *record) checkPieces(a account) error {
	var errs []error
	differ := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	_, pieces := r.admitted()
	if a.accepted != pieces || a.accepted != a.processed+a.handedBack+a.crashed || a.handedBack != 0 || a.crashed != len(r.crashes) {
		differ("the account is %v, and the clients were told of %d accepted pieces and of %d crashed ones", a, pieces, len(r.crashes))
	}
	for id, times := range r.crashes {
		post, admitted := r.posts[id.Text][id.Post]
		switch {
		case !admitted || post.pieces != id.Pieces:
			differ("%v was reported crashed, and its post was not admitted", id)
		case post.counted:
			differ("%v was reported crashed, and its post was counted", id)
		case times != 1:
			differ("%v was reported crashed %d times", id, times)
		}
	}
	for name, posts := range r.posts {
		for number, post := range posts {
			id := pieceID{Text: name, Post: number, Piece: post.failed, Pieces: post.pieces}
			if post.failed != 0 && r.crashes[id] == 0 {
				differ("the post of %v has failed, and that was not reported crashed", id)
			}
		}
	}
	return errors.Join(errs...)
}

// checkTexts compares what is left of the texts with the sequential count. Each
// must have the words of its file and the mark of one post: of those admitted
// of which no piece crashed, the one with the highest number. Then nothing of a
// post that failed has been counted, and none has taken away what was there.
func (d *demo) checkTexts(left books) error {
	var errs []error
	differ := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	failed := make(map[string]map[int]bool)
	for id := range d.seen.crashes {
		if failed[id.Text] == nil {
			failed[id.Text] = make(map[int]bool)
		}
		failed[id.Text][id.Post] = true
	}
	total := make(map[string]int)
	files := slices.Clone(d.files)
	if len(d.seen.posts[d.flood.name]) > 0 { // all of the flood may have been refused
		files = append(files, d.flood)
	}
	for _, file := range files {
		posts := d.seen.posts[file.name]
		if len(posts) == 0 {
			differ("%s was never admitted", file.name)
		}
		last := 0
		for number := range posts {
			if !failed[file.name][number] {
				last = max(last, number)
			}
		}
		want := make(map[string]int)
		if last > 0 {
			maps.Copy(want, file.want)
			want[mark(posts[last].turn)]++
		}
		if left.posts[file.name] != last || !maps.Equal(left.texts[file.name], want) {
			differ("%s should have the words of post %d as the sequential count has them, and has %d words of post %d",
				file.name, last, sum(left.texts[file.name]), left.posts[file.name])
		}
		for word, n := range want {
			total[word] += n
		}
	}
	if len(left.texts) != len(files) {
		differ("there are %d texts, and %d were posted", len(left.texts), len(files))
	}
	if !maps.Equal(left.total, total) {
		differ("the words of all texts are not those of the sequential count")
	}
	return errors.Join(errs...)
}

// readSnapshot decodes a snapshot.
func readSnapshot(text []byte, f format) (map[string]int, error) {
	if f == asJSON {
		var words map[string]int
		if err := json.Unmarshal(text, &words); err != nil {
			return nil, fmt.Errorf("the snapshot in %s: %w", f, err)
		}
		return words, nil
	}
	lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("the snapshot in %s: %w", f, err)
	}
	if len(lines) == 0 || lines[0][0] != "word" {
		return nil, fmt.Errorf("the snapshot in %s has no headline", f)
	}
	words := make(map[string]int)
	for _, line := range lines[1:] {
		n, err := strconv.Atoi(line[1])
		if err != nil {
			return nil, fmt.Errorf("the snapshot in %s: %w", f, err)
		}
		words[line[0]] = n
	}
	return words, nil
}
