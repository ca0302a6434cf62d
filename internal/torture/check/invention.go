package main

// inventedShown: what a phone shows was asked for by a client, of this customer, or said by the customer.
func inventedShown(r *run) (all []violation) {
	for customer, at := range r.threads {
		for _, s := range r.records[at].Shown {
			if s.Mine {
				if said := r.sayings[s.Token]; s.Token != "" && (said == nil || said.customer != customer) {
					all = append(all, broken("invention", []int{at}, "the phone of %s shows %s as its own; it was not said there", customer, s.Token))
				}
				continue
			}
			if s.Token == "" && s.Kind != "text" && s.Kind != "image" && s.Kind != "template" {
				continue // a line of the phone's own
			}
			m := r.byToken[s.Token]
			switch {
			case m == nil || len(m.asked) == 0:
				all = append(all, broken("invention", []int{at}, "the phone of %s shows %s %q (%s); nobody asked for it", customer, s.Kind, s.Token, s.ID))
			case m.to != customer:
				all = append(all, broken("invention", []int{m.asked[0], at}, "the phone of %s shows %s", customer, s.Token))
			case m.ok == nowhere && !m.open(r):
				all = append(all, broken("invention", []int{m.settled, at}, "the phone of %s shows %s; it was refused", customer, s.Token))
			}
		}
	}
	return all
}

// inventedTold: what the sink was told as a customer's message was said by this customer, as it was told.
func inventedTold(r *run) (all []violation) {
	for _, e := range r.events {
		if e.Status != "" {
			continue
		}
		s := r.sayings[e.Token]
		switch {
		case s == nil:
			all = append(all, broken("invention", []int{e.told}, "the sink was told a message %q (%s) of %s; nobody said it", e.Token, e.ID, e.Customer))
		case s.customer != e.Customer:
			all = append(all, broken("invention", []int{s.say, e.told}, "the sink was told %s as a message of %s", e.Token, e.Customer))
		case s.said != nowhere && s.http != 0 && !s.accepted():
			all = append(all, broken("invention", []int{s.said, e.told}, "the sink was told %s; the phone had refused it with %d", e.Token, s.http))
		case s.kind != e.Kind || s.hash != "" && s.hash != e.Hash:
			all = append(all, broken("invention", []int{s.say, e.told}, "%s was said as %s %s and told as %s %s", e.Token, s.kind, s.hash, e.Kind, e.Hash))
		}
	}
	return all
}

// inventedStatuses: a status is about an id that was answered to somebody. An id that nobody was told belongs to a message
// whose outcome is unknown, and each of those has one id at most.
func inventedStatuses(r *run) (all []violation) {
	open := map[string]int{}
	for _, m := range r.messages {
		if m.open(r) {
			open[m.to]++
		}
	}
	counted := map[string]bool{}
	for _, e := range r.events {
		if e.Status == "" {
			continue
		}
		if m := r.byID[e.ID]; m != nil {
			if m.to != e.Customer {
				all = append(all, broken("invention", []int{m.ok, e.told}, "%s of %s was told as %s to %s", e.ID, m.token, e.Status, e.Customer))
			}
			continue
		}
		if counted[e.ID] || r.lost(e.told, e.told) != "" {
			continue
		}
		counted[e.ID] = true
		if open[e.Customer]--; open[e.Customer] < 0 {
			all = append(all, broken("invention", []int{e.told}, "%s was told of %s to %s; no answer named it, and no question is without answer", e.Status, e.ID, e.Customer))
		}
	}
	return all
}
