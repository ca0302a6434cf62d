package main

// statusForward: the statuses of a message are told in their order, each when the one before has been taken; one that failed
// was never delivered, and has no status behind that.
func statusForward(r *run) (all []violation) {
	seen := map[string]bool{}
	for _, e := range r.events {
		if e.Status == "" || seen[e.ID] {
			continue
		}
		seen[e.ID] = true
		if m := r.byID[e.ID]; m != nil && r.excuse(m) != "" || m == nil && r.lost(e.told, e.told) != "" {
			continue
		}
		all = append(all, r.forward(r.of[e.ID])...)
	}
	return all
}

// forward judges the statuses of one message, given in the order in which they ought to be.
func (r *run) forward(statuses []*event) (all []violation) {
	for i, e := range statuses {
		if rank(e.Status) < 0 && e.Status != failed {
			all = append(all, broken("status", []int{e.told}, "%s was told a status %q", e.ID, e.Status))
		}
		if i == 0 {
			continue
		}
		switch before := statuses[i-1]; {
		case e.Status == failed && rank(before.Status) >= rank(delivered):
			all = append(all, broken("status", []int{before.told, e.told}, "%s was told as failed and as %s", e.ID, before.Status))
		case overtakes(before, e):
			all = append(all, broken("status", []int{before.told, before.done, e.told}, "%s was told as %s before it had been taken as %s", e.ID, e.Status, before.Status))
		}
	}
	return all
}
