package main

import (
	"fmt"
	"slices"
)

// violation is a promise that a history breaks.
type violation struct {
	rule    string // name of the invariant
	what    string
	records []int // places of the records concerned
}

// broken makes a violation of the records at some places; those that are nowhere are left out.
func broken(rule string, records []int, format string, args ...any) violation {
	v := violation{rule: rule, what: fmt.Sprintf(format, args...)}
	for _, at := range records {
		if at != nowhere {
			v.records = append(v.records, at)
		}
	}
	return v
}

// rules are judged of every history, in the order of the report.
func rules() []func(*run) []violation {
	return []func(*run) []violation{
		inventedShown, inventedTold, inventedStatuses,
		shownTwice, rewritten, toldTwice,
		keysKept, idsShared, madeTwice,
		threadOrder, sayingOrder, sentOrder,
		statusForward,
		messageKeys, oneTimeKeys, bundledTwice, resends,
		windowClosed, windowOpen,
		spoiltUploads,
		relayLost, relayInvented,
	}
}

// restRules are judged when everything has been given time to arrive: before, what is missing may be under way.
func restRules() []func(*run) []violation {
	return []func(*run) []violation{lostMessages, lostSayings, unfinished, contradicted, moneyAdds, moneyFollows, limitKept}
}

// toldRules are judged of every endpoint beside the first one, too: of all that is told, which alone differs there.
func toldRules() []func(*run) []violation {
	return []func(*run) []violation{inventedTold, inventedStatuses, rewritten, toldTwice, sayingOrder, sentOrder, statusForward}
}

// toldAtRest are those that are judged when everything has been given time.
func toldAtRest() []func(*run) []violation {
	return []func(*run) []violation{lostSayings, unfinished, contradicted}
}

// logRules are judged of every endpoint: they are about its place in the number's log, and about what it is told again.
func logRules() []func(*run) []violation {
	return []func(*run) []violation{oneID, logOrder, uninvited, replayOrder}
}

func logAtRest() []func(*run) []violation {
	return []func(*run) []violation{skipped, replayedOnly, notRepeated}
}

// judge returns every violation of a history.
func judge(r *run) (all []violation) {
	add := func(r *run, judged, atRest []func(*run) []violation) {
		if r.quiet != nowhere {
			judged = append(judged, atRest...)
		}
		for _, rule := range judged {
			found := rule(r)
			slices.SortStableFunc(found, func(a, b violation) int { return slices.Compare(a.records, b.records) })
			for _, v := range found {
				if r.endpoint != "" {
					v.what = "endpoint " + r.endpoint + ": " + v.what
				}
				all = append(all, v)
			}
		}
	}
	add(r, rules(), restRules())
	add(r, logRules(), logAtRest())
	for _, other := range r.views() {
		add(other, toldRules(), toldAtRest())
		add(other, logRules(), logAtRest())
	}
	return all
}
