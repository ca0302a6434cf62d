package engine

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"kabar"
	"kabar/internal/media"
	"kabar/internal/network"
	"kabar/internal/store"
)

// ErasureOptions are what Erasures works with.
type ErasureOptions struct {
	Store *store.DB
	Media *media.Store
	Now   func() time.Time // the product's clock
	Log   *slog.Logger
	// Entries names what drivers keep about a customer: network.Personal.
	Entries func(handle string) []string
}

// Erasures erases customers of accounts, one at a time. It needs no running engine. All methods are safe for concurrent use.
type Erasures struct {
	o  ErasureOptions
	mu sync.Mutex // held while somebody is erased
}

// NewErasures returns what erases the customers of a store.
func NewErasures(o ErasureOptions) *Erasures {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Erasures{o: o}
}

// Erasures erases customers.
func (e *Engine) Erasures() *Erasures { return e.erasures }

// entries names what the networks of all numbers keep about a customer.
func (e *Engine) entries(handle string) (names []string) {
	for _, l := range e.attached() {
		if p, ok := l.net.(network.Personal); ok {
			names = append(names, p.Entries(handle)...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Erase erases a customer of an account: what was said with them by all numbers of the account, what was sent and is on its way, and what
// is known of them. What stays names a pseudonym. It returns when it is done, also when ctx ends before; with a zero Ended when all that is left
// is to overwrite what the database file has held, which Resume does. Who was erased before and is not known again is none the
// worse. Of whom nothing is known is refused with ReasonNotFound. step, which may be nil, is told of what was removed.
func (x *Erasures) Erase(ctx context.Context, a kabar.AccountID, customer string, step func(store.Removed)) (*store.Erasure, error) {
	p, last, err := x.prepare(ctx, a, customer, step)
	if err != nil || p == nil {
		return last, store.Refusal(err)
	}
	defer x.mu.Unlock()
	begun, err := x.o.Store.BeginErasure(ctx, p, last, x.o.Entries, x.o.Now())
	if err != nil {
		return nil, store.Refusal(err)
	}
	return begun, store.Refusal(x.run(context.WithoutCancel(ctx), begun, step))
}

// prepare finds the customer, and holds the lock then. It returns the last erasing of the customer, too, nil if there was none: what was
// left of it is done now.
func (x *Erasures) prepare(ctx context.Context, a kabar.AccountID, customer string, step func(store.Removed)) (p *store.Person, last *store.Erasure, err error) {
	handle, err := customerHandle(customer)
	if err != nil {
		return nil, nil, err
	}
	x.mu.Lock()
	defer func() {
		if p == nil {
			x.mu.Unlock()
		}
	}()
	last, err = x.o.Store.Erasure(ctx, a, x.o.Store.Pseudonym(a, handle))
	if err == nil && last.Ended.IsZero() {
		err = x.run(context.WithoutCancel(ctx), last, step)
	}
	if err != nil && !store.IsNotFound(err) {
		return nil, nil, err
	}
	p, err = x.o.Store.FindPerson(ctx, a, handle)
	if store.IsNotFound(err) && last != nil {
		noteCustomer(ctx, a, last.Pseudonym)
		return nil, last, nil
	}
	if store.IsNotFound(err) {
		err = errNoCustomer()
	}
	return p, last, err
}

func customerHandle(customer string) (string, error) {
	who, err := ParseRecipient(customer)
	if err != nil {
		return "", kabar.Refuse(kabar.ReasonInvalid, "wa_id", "is neither a phone number with its country code nor a BSUID")
	}
	return who.Handle(), nil
}

func errNoCustomer() error {
	return kabar.Refuse(kabar.ReasonNotFound, "wa_id", "nothing is known of this customer: no conversation, no consent and no broadcast of this account names them")
}

// noteCustomer has the audit log name a customer as it does: by the pseudonym.
func noteCustomer(ctx context.Context, a kabar.AccountID, pseudonym string) {
	store.Note(ctx, func(entry *store.Audit) { entry.Account, entry.Subject = a, "customer/"+pseudonym })
}

// run removes what is left of a customer. The caller holds the lock.
func (x *Erasures) run(ctx context.Context, e *store.Erasure, step func(store.Removed)) error {
	err := x.o.Store.Erase(ctx, e, store.EraseHooks{
		Release: func(tx *store.Tx, m *kabar.Message) error {
			_, err := endCharge(tx, m, kabar.LedgerRelease, x.o.Now())
			return err
		},
		Discard: func(file string) {
			if err := x.o.Media.Remove(file); err != nil { // the sweep takes it, and nobody has its key
				x.o.Log.Warn("remove a media file", "err", err)
			}
		},
		Step: step,
	}, x.o.Now())
	if errors.Is(err, store.ErrBusy) {
		x.o.Log.InfoContext(ctx, "a customer is erased; the database file is overwritten later", "err", err)
		return nil
	}
	return err
}

// resumedAtOnce is how many erasings are looked for at a time.
const resumedAtOnce = 100

// Resume goes on with erasings that the end of the process, or a reader of the database, has broken off.
func (x *Erasures) Resume(ctx context.Context) {
	x.mu.Lock()
	defer x.mu.Unlock()
	left, err := x.o.Store.OpenErasures(ctx, resumedAtOnce)
	for _, e := range left { // one that fails holds up no other
		err = errors.Join(err, x.run(ctx, e, nil))
	}
	if err != nil && ctx.Err() == nil {
		x.o.Log.WarnContext(ctx, "go on with erasing customers", "err", err)
	}
}
