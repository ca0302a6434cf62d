package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"kabar"
	"kabar/internal/secrets"
)

type conversationRow struct {
	id, account, number int64
	name, key           []byte
	conversationFacts
}

// conversationFacts are the columns that lie open and may change.
type conversationFacts struct {
	waID, bsuid                 string
	blocked, barred             int64
	billing                     int64
	category                    string
	billingExpires, profileSent int64
	identity, former            string
	identityAt, identityPending int64
	adAt, entryPoint            int64
}

var conversations = &table[int64, conversationRow]{
	shape: shape{"conversation", cols("id:bigint"),
		cols("account_id:bigint number_id:bigint wa_id:text bsuid:text name:bytea key:bytea " +
			"blocked:bigint billing_id:bigint billing_category:text billing_expires:bigint profile_sent:bigint identity:text former:text " +
			"identity_at:bigint identity_pending:bigint barred:bigint ad_at:bigint? entry_point:bigint?")},
	key:  func(r *conversationRow) int64 { return r.id },
	args: one[int64],
	fields: func(r *conversationRow) []any {
		return []any{&r.id, &r.account, &r.number, &r.waID, &r.bsuid, &r.name, &r.key, &r.blocked,
			&r.billing, &r.category, &r.billingExpires, &r.profileSent, &r.identity, &r.former, &r.identityAt, &r.identityPending, &r.barred,
			&r.adAt, &r.entryPoint}
	},
	order: byID[int64],
}

// latestRow is what changes of a conversation with each message. One that has no such row has had no message and no job.
type latestRow struct {
	conversation, account, number     int64
	lastMessage, lastInbound, lastJob int64
	pairSince, pairUntil, away        int64
}

var latests = &table[int64, latestRow]{
	shape: shape{"latest", cols("conversation_id:bigint"), cols("account_id:bigint number_id:bigint last_message:bigint last_inbound:bigint last_job:bigint " +
		"pair_since:bigint? pair_until:bigint? away:bigint?")},
	key:  func(r *latestRow) int64 { return r.conversation },
	args: one[int64],
	fields: func(r *latestRow) []any {
		return []any{&r.conversation, &r.account, &r.number, &r.lastMessage, &r.lastInbound, &r.lastJob, &r.pairSince, &r.pairUntil, &r.away}
	},
	order: byID[int64],
}

type handleRow struct {
	number       int64
	handle       string
	account      int64
	conversation int64
}

var handles = &table[named, handleRow]{
	shape:  shape{"handle", cols("number_id:bigint handle:text"), cols("account_id:bigint conversation_id:bigint")},
	key:    func(r *handleRow) named { return named{r.number, r.handle} },
	args:   namedArgs,
	fields: func(r *handleRow) []any { return []any{&r.number, &r.handle, &r.account, &r.conversation} },
	order:  orderNamed,
}

// WantConversation announces that the conversation will be asked for.
func (tx *Tx) WantConversation(id kabar.ConversationID) {
	tx.conversations.want(int64(id))
	tx.latest.want(int64(id))
}

// WantHandle announces that a customer will be looked for by handle.
func (tx *Tx) WantHandle(n kabar.NumberID, handle string) { tx.handles.want(named{int64(n), handle}) }

// Conversation returns a conversation of the number.
func (tx *Tx) Conversation(n kabar.NumberID, id kabar.ConversationID) (*kabar.Conversation, error) {
	row, err := tx.conversations.see(int64(id))
	if err != nil {
		return nil, err
	}
	if row == nil || row.number != int64(n) {
		return nil, &NotFoundError{"conversation"}
	}
	latest, err := tx.latest.see(int64(id))
	if err != nil {
		return nil, err
	}
	return tx.b.db.openConversation(row, latest)
}

// FindConversation returns the number's conversation with the customer called handle, or nil if there is none.
func (tx *Tx) FindConversation(n kabar.NumberID, handle string) (*kabar.Conversation, error) {
	row, err := tx.handles.see(named{int64(n), handle})
	if err != nil || row == nil {
		return nil, err
	}
	return tx.Conversation(n, kabar.ConversationID(row.conversation))
}

// CreateConversation starts a conversation with a customer who has none; both handles lead to it from now on.
func (tx *Tx) CreateConversation(n *kabar.Number, who kabar.Customer) (*kabar.Conversation, error) {
	id, err := tx.NewKey()
	if err != nil {
		return nil, err
	}
	outer, err := tx.b.db.numberKey(int64(n.ID))
	if err != nil {
		return nil, err
	}
	key := secrets.NewKey()
	row := conversationRow{id: id, account: int64(n.Account), number: int64(n.ID), name: sealName("", id, key),
		key: outer.Wrap(key, secrets.AAD("conversation", id))}
	tx.b.db.keepConversationKey(id, int64(n.ID), key) // harmless if the operation fails: the id is never used again
	tx.conversations.fresh(row)
	c := &kabar.Conversation{ID: kabar.ConversationID(id), Account: n.Account, Number: n.ID, Customer: who}
	return c, tx.SaveConversation(c)
}

// SaveConversation stores c, and leads its customer's handles to it.
func (tx *Tx) SaveConversation(c *kabar.Conversation) error {
	old, err := tx.conversations.see(int64(c.ID))
	if err != nil {
		return err
	}
	if old == nil || old.number != int64(c.Number) {
		return &NotFoundError{"conversation"}
	}
	if err := tx.saveLatest(c); err != nil {
		return err
	}
	row, err := tx.b.db.sealConversation(old, c)
	if err != nil || row == nil {
		return err
	}
	if err := tx.conversations.put(*row); err != nil {
		return err
	}
	for _, h := range []string{row.waID, row.bsuid} {
		if h == "" || h == old.waID || h == old.bsuid {
			continue
		}
		if err := tx.lead(h, row); err != nil {
			return err
		}
	}
	return nil
}

// saveLatest stores what a message has changed of c.
func (tx *Tx) saveLatest(c *kabar.Conversation) error {
	old, err := tx.latest.see(int64(c.ID))
	if err != nil {
		return err
	}
	row := latestRow{conversation: int64(c.ID), account: int64(c.Account), number: int64(c.Number)}
	if old != nil {
		row = *old
	}
	was := row
	row.lastMessage, row.lastInbound = int64(c.LastMessage), millis(c.LastInbound)
	if row.pairSince, row.pairUntil, row.away = millis(c.Pair.Since), millis(c.Pair.Until), millis(c.Away); row == was {
		return nil
	}
	return tx.latest.put(row)
}

// sealConversation returns what a conversation's row becomes with c, or nil if it stays as it is.
func (db *DB) sealConversation(old *conversationRow, c *kabar.Conversation) (*conversationRow, error) {
	key, err := db.conversationKey(old.id, old.number, old.key)
	if err != nil {
		return nil, err
	}
	name, err := db.openName(old)
	if err != nil {
		return nil, err
	}
	row := *old
	row.conversationFacts = conversationFacts{
		waID: c.Customer.WaID, bsuid: c.Customer.BSUID, blocked: flag(c.Blocked),
		billing: c.Billing.ID, category: string(c.Billing.Category), billingExpires: millis(c.Billing.Expires),
		profileSent: c.ProfileSent, identity: c.IdentityHash, identityAt: millis(c.IdentitySince), identityPending: flag(c.IdentityPending),
		former: c.Customer.Former, barred: millis(c.Barred), adAt: millis(c.AdTapped), entryPoint: millis(c.EntryPoint),
	}
	if name == c.Customer.Name && row.conversationFacts == old.conversationFacts {
		return nil, nil
	}
	row.name = sealName(c.Customer.Name, row.id, key)
	return &row, nil
}

func (tx *Tx) lead(handle string, c *conversationRow) error {
	have, err := tx.handles.see(named{c.number, handle})
	if err != nil || (have != nil && have.conversation == c.id) {
		return err
	}
	return tx.handles.put(handleRow{c.number, handle, c.account, c.id})
}

// Unlead has a handle of the number lead nowhere: whoever is called so next is another customer.
func (tx *Tx) Unlead(n kabar.NumberID, handle string) error {
	return tx.handles.del(named{int64(n), handle})
}

func (db *DB) openConversation(r *conversationRow, latest *latestRow) (*kabar.Conversation, error) {
	name, err := db.openName(r)
	if err != nil {
		return nil, err
	}
	if latest == nil {
		latest = &latestRow{}
	}
	return &kabar.Conversation{
		ID: kabar.ConversationID(r.id), Account: kabar.AccountID(r.account), Number: kabar.NumberID(r.number),
		Customer:    kabar.Customer{WaID: r.waID, BSUID: r.bsuid, Name: name, Former: r.former},
		LastMessage: kabar.MessageID(latest.lastMessage), LastInbound: instant(latest.lastInbound), Blocked: r.blocked != 0, Barred: instant(r.barred),
		Billing:     kabar.Billing{ID: r.billing, Category: kabar.Category(r.category), Expires: instant(r.billingExpires)},
		ProfileSent: r.profileSent, IdentityHash: r.identity, IdentitySince: instant(r.identityAt), IdentityPending: r.identityPending != 0,
		AdTapped: instant(r.adAt), EntryPoint: instant(r.entryPoint),
		Away: instant(latest.away), Pair: kabar.Pair{Since: instant(latest.pairSince), Until: instant(latest.pairUntil)},
	}, nil
}

// Conversation returns a conversation of the number.
func (db *DB) Conversation(ctx context.Context, n kabar.NumberID, id kabar.ConversationID) (*kabar.Conversation, error) {
	row, err := readKey(ctx, db, conversations, db.kept.conversations, int64(id))
	if err != nil {
		return nil, notFound(err, "conversation")
	}
	if row.number != int64(n) {
		return nil, &NotFoundError{"conversation"}
	}
	latest, err := readKey(ctx, db, latests, db.kept.latest, int64(id))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	return db.openConversation(row, latest)
}

// FindConversation returns the number's conversation with the customer called handle, or a NotFoundError.
func (db *DB) FindConversation(ctx context.Context, n kabar.NumberID, handle string) (*kabar.Conversation, error) {
	row, err := readKey(ctx, db, handles, db.kept.handles, named{int64(n), handle})
	if err != nil {
		return nil, notFound(err, "conversation")
	}
	return db.Conversation(ctx, n, kabar.ConversationID(row.conversation))
}

// notFound gives "no rows" the name of what was looked for.
func notFound(err error, what string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return &NotFoundError{what}
	}
	return err
}

// Times are stored as milliseconds since 1970; zero is the zero time.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
