package main

import "strings"

// unfinished: when everything has been given time, the sink has taken of every acknowledged message what has become of it:
// accepted = delivered + failed. What the harness names as not at rest is pending.
func unfinished(r *run) (all []violation) {
	detail := r.records[r.quiet].Detail
	for _, m := range r.messages {
		if m.ok == nowhere || r.final(m.id) != nil || r.excuse(m) != "" {
			continue
		}
		if named := detail != "" && (strings.Contains(detail, m.token) || strings.Contains(detail, m.id)); !named {
			all = append(all, broken("accounting", []int{m.ok, r.quiet}, "%s (%s) is neither delivered nor failed, as far as the sink has taken", m.token, m.id))
		}
	}
	return all
}

// contradicted: what was told of a message and what its phone shows agree.
func contradicted(r *run) (all []violation) {
	for _, m := range r.messages {
		if m.ok == nowhere || r.excuse(m) != "" {
			continue
		}
		for _, e := range r.of[m.id] {
			if shown := len(m.shown) > 0; shown && e.Status == failed || !shown && rank(e.Status) >= rank(delivered) {
				all = append(all, broken("accounting", []int{m.ok, e.told, r.thread(m.to)}, "%s was told as %s; shown on its phone: %t", m.token, e.Status, shown))
			}
		}
	}
	return all
}
