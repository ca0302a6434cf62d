package main

// keysKept: one key has one id and one answer.
func keysKept(r *run) (all []violation) {
	for _, m := range r.messages {
		if m.ok == nowhere || r.again(m) {
			continue
		}
		first := &r.records[m.ok]
		for _, at := range m.answers {
			if rec := &r.records[at]; rec.HTTP/100 == 2 && (rec.ID != first.ID || rec.Hash != first.Hash) {
				all = append(all, broken("idempotency", []int{m.ok, at}, "key %s was answered with %s (%.8s) and with %s (%.8s)", m.key, first.ID, first.Hash, rec.ID, rec.Hash))
			}
		}
	}
	return all
}

// idsShared: two keys never have one id.
func idsShared(r *run) (all []violation) {
	for _, m := range r.messages {
		if m.ok == nowhere {
			continue
		}
		if other := r.byID[m.id]; other != m && r.excuse(m) == "" && r.excuse(other) == "" {
			all = append(all, broken("idempotency", []int{other.ok, m.ok}, "keys %s and %s were both answered with %s", other.key, m.key, m.id))
		}
	}
	return all
}

// madeTwice: the message that a phone shows for a key is the one that its asker was told of.
func madeTwice(r *run) (all []violation) {
	for _, m := range r.messages {
		for _, s := range m.shown {
			if m.ok != nowhere && s.ID != m.id && !r.again(m) {
				all = append(all, broken("idempotency", []int{m.ok, s.thread}, "key %s was answered with %s; its phone shows %s as %s", m.key, m.id, m.token, s.ID))
			}
		}
	}
	return all
}
