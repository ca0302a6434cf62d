package store

import "sync"

// keptRows is how many rows of a table are kept in memory when Options does not say.
const keptRows = 8192

// caches keep committed rows of the tables that a message passes through again and again on its way. Nobody else writes to
// the store, so a row that is kept is the row in the database. Only the writer puts rows in, once their commit is known, and
// it forgets all of them when a transaction fails or a connection has to be made anew: the store may have been somebody
// else's meanwhile. Sealed columns are sealed here, too.
type caches struct {
	counters      *cache[string, counterRow]
	conversations *cache[int64, conversationRow]
	latest        *cache[int64, latestRow]
	handles       *cache[named, handleRow]
	messages      *cache[int64, messageRow]
	jobs          *cache[int64, jobRow]
	states        *cache[named, stateRow]
	days          *cache[dayKey, dayRow]
	policies      *cache[int64, policyRow]
	traffic       *cache[trafficKey, trafficRow]
	credits       *cache[int64, creditRow]
	ledger        *cache[spot, ledgerRow]
	rateUses      *cache[named, rateUseRow]
	consents      *cache[customerKey, consentRow]
	reaches       *cache[int64, reachRow]
	reached       *cache[customerKey, reachedRow]
}

func newCaches(rows int) caches {
	if rows < 0 {
		return caches{}
	}
	if rows == 0 {
		rows = keptRows
	}
	return caches{
		counters:      newCache[string, counterRow](rows),
		conversations: newCache[int64, conversationRow](rows),
		latest:        newCache[int64, latestRow](rows),
		handles:       newCache[named, handleRow](rows),
		messages:      newCache[int64, messageRow](rows),
		jobs:          newCache[int64, jobRow](rows),
		states:        newCache[named, stateRow](rows),
		days:          newCache[dayKey, dayRow](rows),
		policies:      newCache[int64, policyRow](rows),
		traffic:       newCache[trafficKey, trafficRow](rows),
		credits:       newCache[int64, creditRow](rows),
		ledger:        newCache[spot, ledgerRow](rows),
		rateUses:      newCache[named, rateUseRow](rows),
		consents:      newCache[customerKey, consentRow](rows),
		reaches:       newCache[int64, reachRow](rows),
		reached:       newCache[customerKey, reachedRow](rows),
	}
}

func (c *caches) forget() {
	c.counters.forget()
	c.conversations.forget()
	c.latest.forget()
	c.handles.forget()
	c.messages.forget()
	c.jobs.forget()
	c.states.forget()
	c.days.forget()
	c.policies.forget()
	c.traffic.forget()
	c.credits.forget()
	c.ledger.forget()
	c.rateUses.forget()
	c.consents.forget()
	c.reaches.forget()
	c.reached.forget()
}

// cache keeps the rows that were used last in two generations: what is used moves to the young one, and when that is full the
// old one is dropped. Of a row that is known not to be there it keeps that. Rows are shared: nobody changes one. A nil cache
// keeps nothing.
type cache[K comparable, R any] struct {
	mu         sync.Mutex
	limit      int // of a generation
	young, old map[K]*R
}

func newCache[K comparable, R any](rows int) *cache[K, R] {
	return &cache[K, R]{limit: max(1, rows/2), young: map[K]*R{}}
}

// get returns a committed row, nil if there is none; known is false when it is not kept which of the two.
func (c *cache[K, R]) get(k K) (row *R, known bool) {
	if c == nil {
		return nil, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if row, known = c.young[k]; known {
		return row, true
	}
	if row, known = c.old[k]; known {
		c.keep(k, row)
	}
	return row, known
}

// put takes over what a commit has left of a row; nil: there is none.
func (c *cache[K, R]) put(k K, row *R) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(k, row)
}

func (c *cache[K, R]) forget() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.young, c.old = map[K]*R{}, nil
}

// keep makes a row the youngest. The caller holds the lock.
func (c *cache[K, R]) keep(k K, row *R) {
	if len(c.young) >= c.limit {
		c.young, c.old = make(map[K]*R, c.limit), c.young // one that has been full once will be full again
	}
	c.young[k] = row
}
