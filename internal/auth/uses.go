package auth

import (
	"context"
	"fmt"
	"sync"
	"time"

	"kabar/internal/store"
)

// What is noted of the use of keys: that a key was used in the last minute or so, and not each request. It is written
// beside the requests, so that none waits for it and a crash loses at most the last moments.
const (
	noteEvery  = time.Minute      // how often a key's use is noted, at most
	writeEvery = 10 * time.Second // how often what was noted is written
	lastWrite  = 2 * time.Second  // how long the write at the end may take
)

// uses remembers which keys have been used until that is written: one time a key.
type uses struct {
	mu   sync.Mutex
	keys map[string]time.Time // by id
}

func newUses() *uses { return &uses{keys: map[string]time.Time{}} }

// note remembers the use of a key that has just been read from the store.
func (u *uses) note(k *store.Key, now time.Time) {
	if now.Sub(k.LastUsed) < noteEvery {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.keys) < cacheSize { // more keys than that a moment: some are noted later
		u.keys[k.ID] = now
	}
}

// take returns what is to be written.
func (u *uses) take() map[string]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := u.keys
	u.keys = map[string]time.Time{}
	return all
}

// NoteUses writes when keys were used, as far as it is not written yet: in one operation, beside the requests. Call it
// before a list of keys is read. What could not be written is forgotten; the key's next use is noted again.
func (a *Auth) NoteUses(ctx context.Context) error {
	used := a.uses.take()
	if len(used) == 0 {
		return nil
	}
	err := a.db.Write(ctx, nil, func(tx *store.Tx) error {
		for id, at := range used {
			if err := tx.TouchKey(id, at); err != nil && !store.IsNotFound(err) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note the use of %d keys: %w", len(used), store.Refusal(err))
	}
	return nil
}

// Run writes every few seconds which keys were used, and once more when ctx ends. Without it nothing is wrong but the times
// in a list of keys. What cannot be written now is left for the next use of the key: it never returns an error.
func (a *Auth) Run(ctx context.Context) error {
	tick := time.NewTicker(writeEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = a.NoteUses(ctx) // the store's own log says when it is down; the time of a key's last use may be missing
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWrite)
			defer cancel()
			_ = a.NoteUses(ctx) // likewise
			return nil
		}
	}
}
