package store

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	"kabar"
	"kabar/internal/secrets"
)

// customerKey is the key of what an account has about a customer, whichever of its numbers the customer talks to.
type customerKey struct {
	account int64
	handle  string
}

type consentRow struct {
	account                 int64
	handle, state           string
	at, own, span, marketed int64
}

var consents = &table[customerKey, consentRow]{
	shape: shape{"consent", cols("account_id:bigint handle:text"), cols("state:text at:bigint own:bigint span:bigint marketed:bigint")},
	key:   func(r *consentRow) customerKey { return customerKey{r.account, r.handle} },
	args:  func(k customerKey) []any { return []any{k.account, k.handle} },
	fields: func(r *consentRow) []any {
		return []any{&r.account, &r.handle, &r.state, &r.at, &r.own, &r.span, &r.marketed}
	},
	order: orderCustomers,
}

type consentEntryRow struct {
	id, account int64
	handle      string
	body        []byte
}

var consentEntries = &table[int64, consentEntryRow]{
	shape:  shape{"consent_entry", cols("id:bigint"), cols("account_id:bigint handle:text body:bytea")},
	key:    func(r *consentEntryRow) int64 { return r.id },
	args:   one[int64],
	fields: func(r *consentEntryRow) []any { return []any{&r.id, &r.account, &r.handle, &r.body} },
	order:  byID[int64],
}

// WantConsent announces that it will be asked what a customer has agreed to.
func (tx *Tx) WantConsent(a kabar.AccountID, handle string) {
	tx.consents.want(customerKey{int64(a), handle})
	tx.consents.want(customerKey{int64(a), tx.b.db.Pseudonym(a, handle)})
}

// Consent returns where the ledger has led for a customer of an account: ConsentUnknown for one who is not in it. Of one who has been
// erased it is known under the pseudonym that they had opted out, until they say something else.
func (tx *Tx) Consent(a kabar.AccountID, handle string) (*kabar.Consent, error) {
	row, err := tx.consents.see(customerKey{int64(a), handle})
	if err == nil && row == nil {
		row, err = tx.consents.see(customerKey{int64(a), tx.b.db.Pseudonym(a, handle)})
	}
	if err != nil {
		return nil, err
	}
	return openConsent(a, handle, row), nil
}

// SaveConsent stores what was counted of a customer, and where the ledger has led.
func (tx *Tx) SaveConsent(c *kabar.Consent) error {
	return tx.consents.put(consentRow{int64(c.Account), c.Handle, string(c.State), millis(c.At), flag(c.Own), millis(c.Span), int64(c.Count)})
}

func openConsent(a kabar.AccountID, handle string, r *consentRow) *kabar.Consent {
	if r == nil {
		return &kabar.Consent{Account: a, Handle: handle, State: kabar.ConsentUnknown}
	}
	return &kabar.Consent{Account: a, Handle: handle, State: kabar.ConsentState(r.state), At: instant(r.at), Own: r.own != 0,
		Span: instant(r.span), Count: int(r.marketed)}
}

// AddConsentEntry appends an entry about a customer to the account's ledger.
func (tx *Tx) AddConsentEntry(a kabar.AccountID, handle string, e *kabar.ConsentEntry) error {
	id, err := tx.NewKey()
	if err != nil {
		return err
	}
	tx.about(int64(a), subjectOfCustomer(tx.b.db.Pseudonym(a, handle)))
	key, err := tx.consentKey()
	if err != nil {
		return err
	}
	plain, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode an entry of consent: %w", err)
	}
	tx.consentEntries.fresh(consentEntryRow{id, int64(a), handle, key.Seal(plain, secrets.AAD("consent_entry", id))})
	return nil
}

// consentSecret is the name of the key of the ledger. It is of no number: the ledger is the account's.
const consentSecret = "consent"

// subjectOfCustomer is how the audit log, which lies open, names a customer.
func subjectOfCustomer(pseudonym string) string { return "customer/" + pseudonym }

func (tx *Tx) consentKey() (secrets.Key, error) {
	text, err := tx.secret(consentSecret, func() []byte {
		raw := make([]byte, secrets.KeySize)
		_, _ = rand.Read(raw) // never fails: crypto/rand
		return []byte(base64.StdEncoding.EncodeToString(raw))
	})
	if err != nil {
		return secrets.Key{}, err
	}
	return secrets.ParseMasterKey(string(text))
}

// Consent returns where the ledger has led for a customer of an account: ConsentUnknown for one who is not in it.
func (db *DB) Consent(ctx context.Context, a kabar.AccountID, handle string) (*kabar.Consent, error) {
	for _, name := range []string{handle, db.Pseudonym(a, handle)} {
		row, err := readKey(ctx, db, consents, db.kept.consents, customerKey{int64(a), name})
		if none := notFound(err, "consent"); IsNotFound(none) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return openConsent(a, handle, row), nil
	}
	return openConsent(a, handle, nil), nil
}

// MaxConsentHistory is how many entries about a customer are told: the newest.
const MaxConsentHistory = 100

const consentHistory = "account_id = $1 AND handle = $2"

// ConsentHistory returns the newest entries of the account's ledger about a customer, oldest first.
func (db *DB) ConsentHistory(ctx context.Context, a kabar.AccountID, handle string) ([]kabar.ConsentEntry, error) {
	rows, err := readAll(ctx, db, consentEntries, consentHistory+" ORDER BY id DESC LIMIT $3", int64(a), handle, MaxConsentHistory)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	slices.Reverse(rows)
	all := make([]kabar.ConsentEntry, len(rows))
	for i := range rows {
		if all[i], err = db.openConsentEntry(ctx, &rows[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// ConsentEntries returns up to limit entries of the account's ledger about a customer behind the one with the key after, oldest first, and
// the key of the last.
func (db *DB) ConsentEntries(ctx context.Context, a kabar.AccountID, handle string, after int64, limit int) (all []kabar.ConsentEntry, last int64, err error) {
	rows, err := readAll(ctx, db, consentEntries, consentHistory+" AND id > $3 ORDER BY id LIMIT $4", int64(a), handle, after, int64(limit))
	if err != nil || len(rows) == 0 {
		return nil, after, err
	}
	all = make([]kabar.ConsentEntry, len(rows))
	for i := range rows {
		if all[i], err = db.openConsentEntry(ctx, &rows[i]); err != nil {
			return nil, after, err
		}
	}
	return all, rows[len(rows)-1].id, nil
}

func (db *DB) openConsentEntry(ctx context.Context, r *consentEntryRow) (e kabar.ConsentEntry, err error) {
	key, err := db.knownConsentKey(ctx)
	if err != nil {
		return e, err
	}
	plain, err := key.Open(r.body, secrets.AAD("consent_entry", r.id))
	if err != nil {
		return e, fmt.Errorf("unseal an entry of consent: %w", err)
	}
	return e, json.Unmarshal(plain, &e)
}

func (db *DB) knownConsentKey(ctx context.Context) (secrets.Key, error) {
	text, err := db.KnownSecret(ctx, consentSecret)
	if err != nil {
		return secrets.Key{}, err
	}
	return secrets.ParseMasterKey(string(text))
}

const consentsAfter = "account_id = $1 AND handle > $2"

// Consents returns up to limit customers of the account's ledger by handle, behind the one given. Who has been erased is not among them.
func (db *DB) Consents(ctx context.Context, a kabar.AccountID, after string, limit int) ([]*kabar.Consent, error) {
	return db.consentsOf(ctx, "NOT LIKE", a, after, limit)
}

// ErasedConsents returns up to limit entries that outlive the erasing of who they are of, by pseudonym, behind the one given.
func (db *DB) ErasedConsents(ctx context.Context, a kabar.AccountID, after string, limit int) ([]*kabar.Consent, error) {
	return db.consentsOf(ctx, "LIKE", a, after, limit)
}

func (db *DB) consentsOf(ctx context.Context, pseudonyms string, a kabar.AccountID, after string, limit int) ([]*kabar.Consent, error) {
	rows, err := readAll(ctx, db, consents, consentsAfter+" AND state <> 'unknown' AND handle "+pseudonyms+" '"+pseudonymMark+"%' ORDER BY handle LIMIT $3", int64(a), after, limit)
	all := make([]*kabar.Consent, len(rows))
	for i := range rows {
		all[i] = openConsent(a, rows[i].handle, &rows[i])
	}
	return all, err
}
