package auth

import (
	"sync"
	"time"
)

// Limits of a cache. What it remembers for a second spares the store a read a request; what another process changes
// counts after that second.
const (
	cacheSize = 10_000
	cacheLife = time.Second
)

// cache remembers who is behind a session or a key.
type cache struct {
	now func() time.Time

	mu      sync.Mutex
	drops   uint64 // raised when something is dropped: what was read before must not be kept after
	entries map[string]entry
}

type entry struct {
	who   Who
	until time.Time
}

func newCache(now func() time.Time) *cache {
	return &cache{now: now, entries: map[string]entry{}}
}

// get returns what is remembered, or else a ticket for put: take it before the store is read.
func (c *cache) get(id string) (w Who, ok bool, ticket uint64) {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[id]
	return e.who, ok && now.Before(e.until), c.drops
}

// put remembers w until limit, and no longer than the cache's life. It does nothing when something has been dropped since
// the ticket was taken.
func (c *cache) put(id string, w Who, ticket uint64, limit time.Time) {
	until := c.now().Add(cacheLife)
	if limit.Before(until) {
		until = limit
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if ticket != c.drops {
		return
	}
	if _, have := c.entries[id]; !have && len(c.entries) >= cacheSize {
		for old := range c.entries { // any: it is read again when it is needed
			delete(c.entries, old)
			break
		}
	}
	c.entries[id] = entry{w, until}
}

// drop forgets everything that doomed chooses.
func (c *cache) drop(doomed func(id string, w Who) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drops++
	for id, e := range c.entries {
		if doomed(id, e.who) {
			delete(c.entries, id)
		}
	}
}
