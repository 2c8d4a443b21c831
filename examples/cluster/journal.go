package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// A record says which texts were counted together, and what was in them.
type record struct {
	Fence uint64 // of who has written it
	Texts []string
	Words map[string]int
}

// A journal is what the totals are made from again on another node: a JetStream
// stream of records. It survives what most of the nodes survive. It is written by
// one at a time: whoever opens it appends a record, and whoever had it open before
// then expects another record to be the last, and is refused.
//
// It only grows. One for longer would hold a snapshot now and then, and forget
// what was before that.
type journal struct {
	js    jetstream.JetStream
	fence uint64
	last  uint64 // the number of the last record
}

// journalStream is the name of the stream, and the subject of its records.
const journalStream = "counts"

var errFenced = errors.New("the journal was opened by a later holder")

// openJournal makes this process the one that writes, and calls replay for each
// record that is there, in order. The fencing number grows from holder to holder:
// one that comes late, after it was replaced, finds a higher one than its own.
func openJournal(ctx context.Context, js jetstream.JetStream, replicas int, fence uint64, replay func(record)) (*journal, error) {
	stream, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: journalStream, Subjects: []string{journalStream}, Replicas: replicas,
	})
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j := &journal{js: js, fence: fence}
	for opened := false; !opened; {
		info, err := stream.Info(ctx)
		if err != nil {
			return nil, fmt.Errorf("journal: %w", err)
		}
		j.last = info.State.LastSeq
		switch err := j.append(ctx, record{}); {
		case err == nil:
			opened = true
		case !refused(err): // else somebody still writes
			return nil, err
		}
	}
	for n := uint64(1); n <= j.last; n++ {
		r, err := read(ctx, stream, n)
		switch {
		case err != nil:
			return nil, err
		case r.Fence > fence:
			return nil, fmt.Errorf("%w: its fencing number is %d, and this one's %d", errFenced, r.Fence, fence)
		}
		replay(r)
	}
	return j, nil
}

// read reads a record, from the leader of the stream: the others may be behind.
func read(ctx context.Context, stream jetstream.Stream, n uint64) (r record, err error) {
	m, err := stream.GetMsg(ctx, n)
	if err == nil {
		err = json.Unmarshal(m.Data, &r)
	}
	if err != nil {
		return r, fmt.Errorf("journal: record %d: %w", n, err)
	}
	return r, nil
}

// append writes a record. After an error it is not known whether it is there, and
// the journal must be opened again.
func (j *journal) append(ctx context.Context, r record) error {
	r.Fence = j.fence
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	ack, err := j.js.Publish(ctx, journalStream, data, jetstream.WithExpectLastSequence(j.last))
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.last = ack.Sequence
	return nil
}

// refused reports whether a record was refused because another is the last.
func refused(err error) bool {
	api, ok := errors.AsType[*jetstream.APIError](err)
	return ok && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}
