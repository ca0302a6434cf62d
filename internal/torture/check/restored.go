package main

import "fmt"

// interval is what a store has lost when an older copy took its place: times.
type interval struct{ since, at int64 }

// lost says why something that was under way between two places is not judged by what became of it: a store was set back
// meanwhile. An end of nowhere is the end of the history. It is "" when there is no excuse.
func (r *run) lost(begin, end int) string {
	for _, i := range r.restored {
		if r.records[begin].At <= i.at && (end == nowhere || r.records[end].At >= i.since) {
			return fmt.Sprintf("under way when a store was set back from %d to %d", i.at, i.since)
		}
	}
	return ""
}

// excuse is lost for a message: from its first attempt until the sink has taken the last that there is to tell. The
// same key may make a message anew after the server's store was set back.
func (r *run) excuse(m *message) string {
	end, done := nowhere, false
	for _, e := range r.of[m.id] {
		end = max(end, e.done)
		done = done || e.done != nowhere && e.Status != sent
	}
	if !done || m.id == "" {
		end = nowhere
	}
	if m.id == "" && m.settled != nowhere { // refused
		end = m.settled
	}
	return r.lost(m.begun, end)
}

// excuseSaying is lost for what a customer wrote.
func (r *run) excuseSaying(s *saying) string { return r.lost(s.say, s.done()) }

// excuseEvent is lost for what the sink was told.
func (r *run) excuseEvent(e *event) string {
	if s := r.sayings[e.Token]; s != nil && e.Status == "" {
		return r.excuseSaying(s)
	}
	if m := r.byID[e.ID]; m != nil {
		return r.excuse(m)
	}
	return r.lost(e.told, e.told)
}

// again says that a message may have been made twice: asked for before and after the store that held the first was set back.
func (r *run) again(m *message) bool {
	for _, i := range r.restored {
		if m.settled != nowhere && r.records[m.settled].At < i.since {
			continue // what it made is in the copy
		}
		first, last := r.records[m.asked[0]].At, r.records[m.asked[len(m.asked)-1]].At
		if first <= i.at && last > i.at {
			return true
		}
	}
	return false
}
