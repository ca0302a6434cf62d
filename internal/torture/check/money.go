package main

import (
	"maps"

	"kabar/internal/torture/history"
)

// The kinds of a ledger's entries.
const (
	allocate = "allocate"
	reserve  = "reserve"
	settle   = "settle"
	release  = "release"
)

// paid is what a ledger says of one message.
type paid struct {
	reserved history.Money
	end      string // settle or release; empty: neither yet
}

// moneyAdds: limit = available + reserved + spent, and the entries of the ledger come to each of them, to the last digit. A message is
// reserved for once, and what is reserved ends once.
func moneyAdds(r *run) (all []violation) {
	if r.books == nowhere {
		return nil
	}
	a := r.records[r.books].Books
	wrong := func(format string, args ...any) { all = append(all, broken("money", []int{r.books}, format, args...)) }
	if a.Available+a.Reserved+a.Spent != a.Limit {
		wrong("available %d + reserved %d + spent %d is not the limit of %d", a.Available, a.Reserved, a.Spent, a.Limit)
	}
	var limit, held, spent history.Money
	of := map[string]paid{}
	for i, e := range a.Entries {
		p, known := of[e.Message]
		switch {
		case e.Kind == allocate:
			limit += e.Amount
			continue
		case e.Kind == reserve && e.Message != "" && !known && e.Amount > 0:
			p.reserved, held = e.Amount, held+e.Amount
		case (e.Kind == settle || e.Kind == release) && known && p.end == "" && e.Amount == p.reserved:
			if p.end, held = e.Kind, held-e.Amount; e.Kind == settle {
				spent += e.Amount
			}
		default:
			wrong("entry %d, %s %d for %q, does not follow from those before it", i, e.Kind, e.Amount, e.Message)
		}
		of[e.Message] = p
	}
	if limit != a.Limit || held != a.Reserved || spent != a.Spent {
		wrong("the ledger comes to a limit of %d, %d reserved and %d spent; the account says %d, %d and %d", limit, held, spent, a.Limit, a.Reserved, a.Spent)
	}
	return all
}

// moneyFollows: what was delivered has been paid at its price, what failed costs nothing, and nobody pays for what was never asked for.
func moneyFollows(r *run) (all []violation) {
	if r.books == nowhere {
		return nil
	}
	a, of := r.records[r.books].Books, map[string]paid{}
	for _, e := range a.Entries {
		p := of[e.Message]
		if e.Kind == reserve {
			p.reserved += e.Amount
		} else {
			p.end = e.Kind
		}
		of[e.Message] = p
	}
	unknown := maps.Clone(of)
	maps.DeleteFunc(unknown, func(id string, _ paid) bool { return id == "" || r.byID[id] != nil }) // nobody's: of limits
	mayBe := 0
	for _, m := range r.messages {
		if m.open(r) || r.excuse(m) != "" {
			mayBe++
		}
		e := r.final(m.id)
		if m.ok == nowhere || e == nil || r.excuse(m) != "" {
			continue
		}
		p := of[m.id]
		switch {
		case e.Status == failed && p.reserved != 0 && p.end != release:
			all = append(all, broken("money", []int{m.ok, e.told, r.books}, "%s has failed, and what it reserved ended as %q", m.token, p.end))
		case e.Status != failed && (p.reserved != a.Prices[m.kind] || p.end != settle):
			all = append(all, broken("money", []int{m.ok, e.told, r.books}, "%s was delivered: %d of %d was reserved for it and ended as %q", m.token,
				p.reserved, a.Prices[m.kind], p.end))
		}
	}
	if len(unknown) > mayBe {
		all = append(all, broken("money", []int{r.books}, "%d messages are paid for that nobody was told of; %d may be", len(unknown), mayBe))
	}
	return all
}

// limitKept: the limit is the last that the operator was told to hold, or one that was asked for since without an answer.
func limitKept(r *run) (all []violation) {
	if r.books == nowhere || len(r.draws) == 0 {
		return nil
	}
	if got := r.records[r.books].Books.Limit; !r.limits(len(r.records))[got] {
		all = append(all, broken("money", []int{r.draws[len(r.draws)-1], r.books}, "the limit is %d, which is not what the operator set last", got))
	}
	return all
}

// limits are those that may hold before a place.
func (r *run) limits(before int) map[history.Money]bool {
	may := map[history.Money]bool{}
	var asked history.Money
	for at := range before {
		switch rec := &r.records[at]; {
		case rec.Op == history.Draw:
			asked = rec.Limit
			may[asked] = true
		case rec.Op == history.Drew && rec.HTTP/100 == 2:
			may = map[history.Money]bool{asked: true}
		case rec.Op == history.Restored && rec.Process == "server":
			copied := at
			for copied > 0 && r.records[copied-1].At >= rec.Since {
				copied--
				if r.records[copied].Op == history.Draw {
					may[r.records[copied].Limit] = true // while the copy was made, or before the copy was put in place
				}
			}
			maps.Copy(may, r.limits(copied))
		}
	}
	return may
}
