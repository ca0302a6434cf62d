package store

import (
	"context"
	"sync"

	"kabar"
)

// keptTemplates bounds how many decoded templates are kept.
const keptTemplates = 8192

// templateCache keeps decoded templates for those who send them. What is kept is what is committed: a commit that changes a
// template drops it, and who has read it before that does not put it back.
type templateCache struct {
	mu    sync.RWMutex
	defs  map[templateKey]*kabar.TemplateDef
	epoch int64
}

func (c *templateCache) get(k templateKey) (*kabar.TemplateDef, int64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.defs[k], c.epoch
}

// put keeps what was read when the cache was in an epoch.
func (c *templateCache) put(k templateKey, d *kabar.TemplateDef, epoch int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.epoch != epoch {
		return
	}
	if c.defs == nil || len(c.defs) >= keptTemplates {
		c.defs = map[templateKey]*kabar.TemplateDef{}
	}
	c.defs[k] = d
}

func (c *templateCache) drop(k templateKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.defs, k)
	c.epoch++
}

func (c *templateCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.defs = nil
	c.epoch++
}

func (tx *Tx) forgetTemplate(k templateKey) { tx.After(func() { tx.b.db.templates.drop(k) }) }

// SendableTemplate returns a template of the account as it is committed, or a NotFoundError. It is shared: nobody changes it.
func (db *DB) SendableTemplate(ctx context.Context, a kabar.AccountID, name, language string) (*kabar.TemplateDef, error) {
	k := templateKey{int64(a), name, language}
	d, epoch := db.templates.get(k)
	if d != nil {
		return d, nil
	}
	d, err := db.Template(ctx, a, name, language)
	if err == nil {
		db.templates.put(k, d, epoch)
	}
	return d, err
}
