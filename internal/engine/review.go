package engine

import (
	"context"
	"strings"
	"sync"
	"time"

	"kabar"
	"kabar/internal/store"
)

// Reviews judge what accounts say of themselves: who the business is, and how its numbers want to be called. What becomes of it is
// committed together with the event that tells of it, the entry of the audit log, and whatever follows. They work without an
// Engine, too; then nothing is decided by itself. All methods are safe for concurrent use.
type Reviews struct {
	db        *store.DB
	now       func() time.Time
	setting   sync.Locker
	changed   func(*kabar.Number, kabar.Settings) // after the commit
	committed func(kabar.NumberID)                // an event was added to a number's log
	wake      chan struct{}                       // something may be due earlier
}

// NewReviews returns the reviews of a store that no engine runs on.
func NewReviews(db *store.DB, now func() time.Time) *Reviews {
	return &Reviews{db: db, now: now, setting: new(sync.Mutex), changed: func(*kabar.Number, kabar.Settings) {}, committed: func(kabar.NumberID) {},
		wake: make(chan struct{}, 1)}
}

// Reviews returns the reviews of the accounts whose numbers the engine runs.
func (e *Engine) Reviews() *Reviews { return e.reviews }

// Verify puts the business of an account before review: kabar.Verification.Submit.
func (r *Reviews) Verify(ctx context.Context, id kabar.AccountID, actor string) (*kabar.Account, error) {
	return r.account(ctx, id, actor, func(v *kabar.Verification) (kabar.Outcome, error) { return v.Submit(r.now()) })
}

// Judge executes a ruling about the business of an account: kabar.Verification.Decide. Its numbers leave the lowest tier when it is
// verified.
func (r *Reviews) Judge(ctx context.Context, id kabar.AccountID, ruling kabar.Ruling, actor string) (*kabar.Account, error) {
	return r.account(ctx, id, actor, func(v *kabar.Verification) (kabar.Outcome, error) { return v.Decide(r.now(), ruling) })
}

func (r *Reviews) account(ctx context.Context, id kabar.AccountID, actor string, do func(*kabar.Verification) (kabar.Outcome, error)) (w *kabar.Account, err error) {
	r.setting.Lock()
	defer r.setting.Unlock()
	numbers, err := numbersOf(ctx, r.db, id)
	if err != nil {
		return nil, store.Refusal(err)
	}
	err = r.db.Write(ctx, nil, func(tx *store.Tx) error {
		if w, err = tx.Account(id); err != nil {
			return err
		}
		outcome, err := do(&w.Verification)
		if err != nil {
			return err
		}
		if err := tx.SaveVerification(id, w.Verification); err != nil {
			return err
		}
		if len(numbers) > 0 {
			if err := tx.AddEvent(&kabar.Event{Account: id, Number: numbers[0], Kind: kabar.EventReview, At: r.now(), Outcome: outcome}); err != nil {
				return err
			}
			tx.After(func() { r.committed(numbers[0]) })
		}
		if outcome == kabar.OutcomeApproved {
			if err := r.trust(tx, numbers); err != nil {
				return err
			}
		}
		return audit(tx, w, "account."+strings.ToLower(string(outcome)), actor, r.now(), map[string]string{"note": w.Verification.Note})
	})
	return w, store.Refusal(err)
}

// trust has numbers leave the lowest tier.
func (r *Reviews) trust(tx *store.Tx, numbers []kabar.NumberID) error {
	for _, id := range numbers {
		n, s, err := WriteLimits(tx, id, r.now(), func(l *kabar.Limits) error { *l = l.Trusted(); return nil })
		if err != nil {
			return err
		}
		tx.After(func() { r.changed(n, s) })
	}
	return nil
}

// numbersOf returns the numbers of an account, oldest first.
func numbersOf(ctx context.Context, db *store.DB, id kabar.AccountID) (ids []kabar.NumberID, err error) {
	all, err := db.Numbers(ctx)
	for _, n := range all {
		if n.Account == id {
			ids = append(ids, n.ID)
		}
	}
	return ids, err
}

// trusted reports whether the business of an account is verified, and one of its numbers has an approved name.
func trusted(ctx context.Context, db *store.DB, id kabar.AccountID) (bool, error) {
	w, err := db.Account(ctx, id)
	if err != nil || w.Verification.State != kabar.Verified {
		return false, err
	}
	numbers, err := numbersOf(ctx, db, id)
	for _, n := range numbers {
		_, s, err := db.Number(ctx, n)
		if err != nil || s.Naming.Approved() {
			return err == nil, err
		}
	}
	return false, err
}
