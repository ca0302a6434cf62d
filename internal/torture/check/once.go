package main

import "slices"

// shownTwice: a phone shows a message once. The one excuse is a key that was asked for again behind the loss of what it had made:
// then the ids differ.
func shownTwice(r *run) (all []violation) {
	for customer, at := range r.threads {
		seen := map[string]string{} // id by token
		for _, s := range r.records[at].Shown {
			if s.Token == "" {
				continue
			}
			id, twice := seen[s.Token]
			if m := r.byToken[s.Token]; twice && (s.Mine || m == nil || id == s.ID || !r.again(m)) {
				all = append(all, broken("once", []int{at}, "the phone of %s shows %s twice, as %s and %s", customer, s.Token, id, s.ID))
			}
			seen[s.Token] = s.ID
		}
	}
	return all
}

// rewritten: every attempt of a webhook has the same body, also when it is told again.
func rewritten(r *run) (all []violation) {
	for _, p := range r.hooks.order {
		attempts := slices.Concat(p.attempts, p.again)
		for _, at := range attempts {
			if first := attempts[0]; r.records[at].Hash != r.records[first].Hash {
				all = append(all, broken("once", []int{first, at}, "webhook %s has two bodies", p.id))
				break
			}
		}
	}
	return all
}

// toldTwice: an event is told under one webhook-id, once in it, and a customer's message under one id. A store that was set
// back tells anew what happened meanwhile, by the same ids inside.
func toldTwice(r *run) (all []violation) {
	for _, e := range r.events {
		name := e.Status
		if name == "" {
			name = "message " + e.Token
		}
		if e.twice != nowhere {
			all = append(all, broken("once", []int{e.twice}, "one webhook holds %s of %s twice", name, e.ID))
		}
		if len(e.posts) > 1 && r.excuseEvent(e) == "" {
			all = append(all, broken("once", []int{e.posts[0].attempts[0], e.posts[1].attempts[0]}, "%s of %s was told under two webhook-ids", name, e.ID))
		}
	}
	for _, s := range r.sayings {
		if len(s.told) > 1 && r.lost(s.told[0].told, s.told[0].told) == "" { // the server has forgotten that it had it
			all = append(all, broken("once", []int{s.told[0].told, s.told[1].told}, "%s was told as %s and as %s", s.token, s.told[0].ID, s.told[1].ID))
		}
	}
	return all
}
