package main

// relayLost: an envelope that the relay has stored reaches its recipient, once the recipient is connected. A mailbox is in order: a
// later one that has come shows a loss, too, when not everything has come to rest.
func relayLost(r *run) (all []violation) {
	newest := map[string]int{} // place of the sending of the newest envelope that was delivered, by recipient
	for _, e := range r.envelopes {
		if len(e.delivers) > 0 && len(e.sends) > 0 {
			newest[e.to] = max(newest[e.to], e.sends[0])
		}
	}
	rest := r.quiet != nowhere && r.records[r.quiet].Detail == ""
	for _, e := range r.envelopes {
		if e.stored == nowhere || len(e.delivers) > 0 {
			continue
		}
		if last := r.last[e.to]; e.stored < newest[e.to] || rest && e.stored < last {
			all = append(all, broken("relay", []int{e.stored, max(newest[e.to], last)}, "envelope %s of %s was stored and never delivered to %s, who was connected later", e.id, e.from, e.to))
		}
	}
	return all
}

// relayInvented: what the relay delivers was sent to this recipient, and is what was sent.
func relayInvented(r *run) (all []violation) {
	for _, e := range r.envelopes {
		for _, at := range e.delivers {
			rec := &r.records[at]
			switch {
			case len(e.sends) == 0:
				all = append(all, broken("relay", []int{at}, "envelope %s was delivered to %s; %s did not send it", e.id, rec.Device, e.from))
			case rec.Device != e.to || rec.Hash != r.records[e.sends[0]].Hash:
				all = append(all, broken("relay", []int{e.sends[0], at}, "envelope %s arrived at %s as another one than was sent to %s", e.id, rec.Device, e.to))
			}
		}
	}
	return all
}
