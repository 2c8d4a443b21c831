package cluster

import "sync"

// reports are the messages on their way to Config.Undelivered. A goroutine hands
// them out while there are any.
type reports struct {
	node *Node

	mu      sync.Mutex
	queue   []report
	running bool
	done    sync.WaitGroup
}

type report struct {
	name string
	msg  any
	err  error
}

func (r *reports) add(more ...report) {
	if len(more) == 0 {
		return
	}
	r.node.count.undelivered.Add(uint64(len(more)))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue = append(r.queue, more...)
	if !r.running {
		r.running = true
		r.done.Go(r.run)
	}
}

func (r *reports) run() {
	for {
		r.mu.Lock()
		batch := r.queue
		r.queue = nil
		r.running = len(batch) > 0
		r.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		if r.node.cfg.Undelivered == nil {
			first := batch[0]
			r.node.cfg.Logger.Warn("cluster: messages undelivered", "node", r.node.id, "name", first.name, "count", len(batch), "err", first.err)
			continue
		}
		for _, b := range batch {
			r.tell(b)
		}
	}
}

// tell calls the user's function. If that panics, the next message still has its turn.
func (r *reports) tell(b report) {
	defer func() {
		if v := recover(); v != nil {
			r.node.cfg.Logger.Error("cluster: Config.Undelivered panicked", "node", r.node.id, "name", b.name, "panic", v)
		}
	}()
	r.node.cfg.Undelivered(b.name, b.msg, b.err)
}

// wait returns when all is handed out.
func (r *reports) wait() { r.done.Wait() }
