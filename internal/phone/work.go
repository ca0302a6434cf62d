package phone

import "kabar/internal/relayclient"

// worker is a task that runs in one goroutine at a time, and once more if it was started meanwhile.
type worker struct{ running, again bool }

// start runs f in the background, unless it runs already: then it runs again.
func (n *line) start(w *worker, f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return
	}
	if w.running {
		w.again = true
		return
	}
	w.running = true
	n.work.Go(func() {
		for more := true; more; {
			f()
			n.mu.Lock()
			more = w.again && n.ctx.Err() == nil
			w.again, w.running = false, more
			n.mu.Unlock()
		}
	})
}

// drainInbox commits what has arrived, in batches, and acknowledges it. When that fails, the connection is given up: what
// was not acknowledged comes again with the next one.
func (n *line) drainInbox() {
	for {
		n.mu.Lock()
		batch := n.inbox
		n.inbox = nil
		n.mu.Unlock()
		if len(batch) == 0 || n.ctx.Err() != nil {
			return
		}
		fetch, err := n.receive(n.ctx, batch)
		if err != nil {
			n.giveUp("store what arrived", err)
			return
		}
		seqs := make([]uint64, len(batch))
		for i, d := range batch {
			seqs[i] = d.Seq
		}
		if n.conn.Ack(n.ctx, seqs...) != nil {
			return // the connection has ended
		}
		if fetch {
			n.start(&n.fetcher, n.fetch)
		}
	}
}

// fillDirectory publishes keys.
func (n *line) fillDirectory() {
	n.mu.Lock()
	have := n.have
	n.have = relayclient.LoginInfo{Published: true, OneTime: stock, OneTimeKEM: stock} // until the relay says otherwise
	n.mu.Unlock()
	if err := n.keys(n.ctx, have); err != nil {
		if n.ctx.Err() == nil {
			n.log.Warn("cannot publish keys", "error", err)
			n.end(err) // the next connection tries again
		}
		return
	}
	n.link.reached()
}

// keysLow notes what the relay has left and publishes more.
func (n *line) keysLow(oneTime, kem int) {
	n.mu.Lock()
	n.have.OneTime, n.have.OneTimeKEM = oneTime, kem
	n.mu.Unlock()
	n.start(&n.filer, n.fillDirectory)
}
