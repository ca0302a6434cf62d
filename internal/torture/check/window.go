package main

// codeClosed is how the API says that a message needs a customer who has written in the last 24 hours.
const codeClosed = 470

// windowClosed: a free-form message to a customer who has never written is accepted, never leaves, and ends as failed with 470.
func windowClosed(r *run) (all []violation) {
	for _, m := range r.messages {
		if !m.closed || !m.freeForm() {
			continue
		}
		for _, s := range m.shown {
			all = append(all, broken("window", []int{m.asked[0], s.thread}, "%s is shown to a customer who never wrote", m.token))
		}
		if m.ok == nowhere {
			continue
		}
		for _, e := range r.envelopesOf(m.id) {
			all = append(all, broken("window", []int{m.ok, e.sends[0]}, "%s left for a customer who never wrote", m.token))
		}
		for _, e := range r.of[m.id] {
			if e.Status != failed || e.Failure != codeClosed {
				all = append(all, broken("window", []int{m.ok, e.told}, "%s to a customer who never wrote was told as %s (%d)", m.token, e.Status, e.Failure))
			}
		}
	}
	return all
}

// windowOpen: a customer of whom the sink has been told a message can be answered. Runs are shorter than 24 hours.
func windowOpen(r *run) (all []violation) {
	heard := map[string]int{}
	for _, s := range r.inOrder() {
		if len(s.told) > 0 && r.excuseSaying(s) == "" {
			if at, ok := heard[s.customer]; !ok || s.told[0].told < at {
				heard[s.customer] = s.told[0].told
			}
		}
	}
	for _, m := range r.messages {
		if m.ok == nowhere || r.excuse(m) != "" {
			continue
		}
		e := r.status(m.id, failed)
		if at, ok := heard[m.to]; ok && at < m.asked[0] && e != nil && e.Failure == codeClosed {
			all = append(all, broken("window", []int{at, m.asked[0], e.told}, "%s failed with %d although the customer had written", m.token, codeClosed))
		}
	}
	return all
}
