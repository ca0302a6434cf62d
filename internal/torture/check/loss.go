package main

// lostMessages: what was answered 2xx is shown by the customer's phone, or the sink has taken that it failed.
func lostMessages(r *run) (all []violation) {
	for _, m := range r.messages {
		if m.ok == nowhere || len(m.shown) > 0 || r.excuse(m) != "" {
			continue
		}
		if e := r.status(m.id, failed); e != nil && e.done != nowhere {
			continue
		}
		all = append(all, broken("loss", []int{m.ok, r.thread(m.to)},
			"%s was acknowledged as %s; its phone does not show it, and no failure was told", m.token, m.id))
	}
	return all
}

// lostSayings: what a phone accepted from its customer was told to the sink, and taken. A message that the server has
// acknowledged to the relay without ever telling it is gone; one that may still be under way is lost, too, once all had time.
func lostSayings(r *run) (all []violation) {
	for _, s := range r.sayings {
		if !s.accepted() || s.done() != nowhere || r.excuseSaying(s) != "" {
			continue
		}
		rule, how := "loss", "the sink never took it"
		if len(s.told) == 0 && r.acknowledged(s) {
			rule, how = "gone", "everything of the customer's was acknowledged to the relay, and the sink was never told of it"
		}
		if s.failed {
			how += "; its phone shows it as failed"
		}
		all = append(all, broken(rule, []int{s.say, s.said}, "%s was said: %s", s.token, how))
	}
	return all
}

// acknowledged says that a customer's envelopes have left since a saying, and that nothing of the customer's waits at the relay.
func (r *run) acknowledged(s *saying) bool {
	left := false
	for _, e := range r.from[s.customer] {
		if e.stored != nowhere && !r.taken(r.records, e) {
			return false
		}
		left = left || len(e.sends) > 0 && e.sends[len(e.sends)-1] > s.say
	}
	return left
}

// spoiltUploads: an acknowledged upload can be used: the image sent with it is accepted and arrives as it was.
func spoiltUploads(r *run) (all []violation) {
	for _, m := range r.messages {
		if m.uploaded == nowhere || m.closed || r.excuse(m) != "" {
			continue
		}
		for _, s := range m.shown {
			if s.Hash != m.upload {
				all = append(all, broken("upload", []int{m.uploaded, s.thread}, "%s arrived with a medium of hash %q; %s was uploaded", m.token, s.Hash, m.upload))
			}
		}
		if m.ok == nowhere && m.settled != nowhere {
			all = append(all, broken("upload", []int{m.uploaded, m.settled}, "%s was refused with %d although its medium had been acknowledged", m.token, r.records[m.settled].HTTP))
		}
		if e := r.status(m.id, failed); e != nil && m.ok != nowhere {
			all = append(all, broken("upload", []int{m.uploaded, e.told}, "%s failed with %d although its medium had been acknowledged", m.token, e.Failure))
		}
	}
	return all
}

// thread is the place of a customer's thread.
func (r *run) thread(customer string) int {
	if at, ok := r.threads[customer]; ok {
		return at
	}
	return nowhere
}
