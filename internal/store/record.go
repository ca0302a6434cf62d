package store

import (
	"context"
	"encoding/json"
	"net/url"
	"sync"

	"kabar"
)

// Record is the audit entry that a request or a command leaves. It travels with the context: the first write that is made
// under it commits the entry together with what it changes, so that neither is stored without the other; Settle writes the
// entry of one that has written nothing. An entry that the write makes itself (AddAudit) stands for it. What was refused leaves
// an entry only when somebody has noted something: nonsense must not fill the log.
type Record struct {
	mu       sync.Mutex
	entry    Audit
	optional bool // nothing is written unless somebody notes something
	noted    bool
	claimed  bool // a write carries the entry, or has carried it
}

// NewRecord returns a record of an entry. An optional one is of something that anybody may ask for: it is written only when
// somebody notes what it is about.
func NewRecord(entry Audit, optional bool) *Record { return &Record{entry: entry, optional: optional} }

type recordKey struct{}

// WithRecord returns a context whose writes leave the record's entry.
func WithRecord(ctx context.Context, r *Record) context.Context {
	return context.WithValue(ctx, recordKey{}, r)
}

func recordOf(ctx context.Context) *Record {
	r, _ := ctx.Value(recordKey{}).(*Record)
	return r
}

// Note adds to the entry of the request or command that ctx is of what only those know who do it. Without a record, and when
// the entry is on its way already, it does nothing.
func Note(ctx context.Context, add func(*Audit)) {
	if r := recordOf(ctx); r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		add(&r.entry)
		r.noted = true
	}
}

// Actor says who does what ctx is of; the server does what nobody has asked for.
func Actor(ctx context.Context) string {
	r := recordOf(ctx)
	if r == nil {
		return kabar.ByServer
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.entry.Actor
}

// claim returns the entry to whoever is to write it; false when it is written, or on its way, or not wanted.
func (r *Record) claim(refused bool) (Audit, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.claimed || !r.noted && (r.optional || refused) {
		return Audit{}, false
	}
	r.claimed = true
	return r.entry, true
}

// release gives the entry back: the write was refused.
func (r *Record) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.claimed = false
}

// source says where the request came from.
func (r *Record) source() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.entry.Source
}

// act is what the store sees an operation do under a record.
type act struct {
	source  string
	entries int // that the operation has written itself
	account kabar.AccountID
	subject string
	detail  string // JSON
}

// about says what the running operation is about: the first that says so is right.
func (tx *Tx) about(a int64, subject string) {
	if tx.act.subject == "" {
		tx.act.account, tx.act.subject = kabar.AccountID(a), subject
	}
}

// leads notes where webhooks go from now on: the host, for the rest of an address is often a secret.
func (tx *Tx) leads(address string) {
	u, err := url.Parse(address)
	if err != nil {
		return
	}
	detail, err := json.Marshal(map[string]string{"webhook": (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()})
	if err == nil {
		tx.act.detail = string(detail)
	}
}

// complete fills in an entry.
func (a *act) complete(entry *Audit) {
	if a.subject != "" {
		entry.Subject = a.subject
	}
	if entry.Account == 0 {
		entry.Account = a.account
	}
	if entry.Detail == "" {
		entry.Detail = a.detail
	}
}

// AuditOK is the result of what was done as it was asked for.
const AuditOK = "ok"

// Settle writes the entry with a result, unless a write has. With another result than AuditOK it must have been noted.
func (db *DB) Settle(ctx context.Context, r *Record, result string) error {
	entry, ok := r.claim(result != AuditOK)
	if !ok {
		return nil
	}
	entry.Result = result
	err := db.write(context.WithoutCancel(ctx), nil, func(tx *Tx) error { return tx.AddAudit(&entry) })
	if err != nil {
		r.release()
	}
	return err
}

// recorded is Write under a context with a record.
func (db *DB) recorded(ctx context.Context, r *Record, hint func(*Tx), do func(*Tx) error) error {
	entry, claimed := r.claim(false)
	changed := false
	err := db.write(ctx, hint, func(tx *Tx) error {
		tx.act = act{source: r.source()}
		defer func() { tx.act = act{} }()
		if err := do(tx); err != nil {
			return err
		}
		if changed = len(tx.b.changed) > 0; !changed || !claimed || tx.act.entries > 0 {
			return nil
		}
		mine := entry
		tx.act.complete(&mine)
		return tx.AddAudit(&mine)
	})
	if claimed && ctx.Err() == nil && (err != nil || !changed) { // when nobody waits any more, it may be stored yet
		r.release()
	}
	return err
}
