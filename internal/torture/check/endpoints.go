package main

import (
	"maps"
	"slices"
)

// told returns what an endpoint was told; empty is the first one.
func (r *run) told(endpoint string) *hooks {
	if endpoint == "" {
		return &r.hooks
	}
	h := r.others[endpoint]
	if h == nil {
		made := newHooks(endpoint)
		h = &made
		r.others[endpoint] = h
	}
	return h
}

// views returns the history as each endpoint beside the first one has it: what was asked, shown and carried is the same, what was told
// is its own. So is what is excused: how long something was under way depends on when it was taken.
func (r *run) views() (all []*run) {
	for _, name := range slices.Sorted(maps.Keys(r.others)) {
		v := *r
		v.hooks, v.sayings = *r.others[name], make(map[string]*saying, len(r.sayings))
		for token, s := range r.sayings {
			own := *s
			own.told = nil
			v.sayings[token] = &own
		}
		v.finishHooks()
		v.joinTold()
		all = append(all, &v)
	}
	return all
}
