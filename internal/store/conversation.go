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
	id, account, number         int64
	waID, bsuid                 string
	name, key                   []byte
	lastMessage, lastInbound    int64
	blocked                     int64
	billing                     int64
	category                    string
	billingExpires, profileSent int64
	identity                    string
}

var conversations = &table[int64, conversationRow]{
	shape: shape{"conversation", cols("id:bigint"),
		cols("account_id:bigint number_id:bigint wa_id:text bsuid:text name:bytea key:bytea last_message:bigint last_inbound:bigint " +
			"blocked:bigint billing_id:bigint billing_category:text billing_expires:bigint profile_sent:bigint identity:text")},
	key:  func(r *conversationRow) int64 { return r.id },
	args: one[int64],
	fields: func(r *conversationRow) []any {
		return []any{&r.id, &r.account, &r.number, &r.waID, &r.bsuid, &r.name, &r.key, &r.lastMessage, &r.lastInbound, &r.blocked,
			&r.billing, &r.category, &r.billingExpires, &r.profileSent, &r.identity}
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
func (tx *Tx) WantConversation(id kabar.ConversationID) { tx.conversations.want(int64(id)) }

// WantHandle announces that a customer will be looked for by handle.
func (tx *Tx) WantHandle(n kabar.NumberID, handle string) { tx.handles.want(named{int64(n), handle}) }

// Conversation returns a conversation of the number.
func (tx *Tx) Conversation(n kabar.NumberID, id kabar.ConversationID) (*kabar.Conversation, error) {
	row, err := tx.conversations.get(int64(id))
	if err != nil {
		return nil, err
	}
	if row == nil || row.number != int64(n) {
		return nil, &NotFoundError{"conversation"}
	}
	return tx.b.db.openConversation(row)
}

// FindConversation returns the number's conversation with the customer called handle, or nil if there is none.
func (tx *Tx) FindConversation(n kabar.NumberID, handle string) (*kabar.Conversation, error) {
	row, err := tx.handles.get(named{int64(n), handle})
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
	row := conversationRow{id: id, account: int64(n.Account), number: int64(n.ID), key: outer.Wrap(key, secrets.AAD("conversation", id))}
	tx.b.db.keepConversationKey(id, int64(n.ID), key) // harmless if the operation fails: the id is never used again
	tx.conversations.fresh(row)
	c := &kabar.Conversation{ID: kabar.ConversationID(id), Account: n.Account, Number: n.ID, Customer: who}
	return c, tx.SaveConversation(c)
}

// SaveConversation stores c, and leads its customer's handles to it.
func (tx *Tx) SaveConversation(c *kabar.Conversation) error {
	old, err := tx.conversations.get(int64(c.ID))
	if err != nil {
		return err
	}
	if old == nil || old.number != int64(c.Number) {
		return &NotFoundError{"conversation"}
	}
	key, err := tx.b.db.conversationKey(old.id, old.number, old.key)
	if err != nil {
		return err
	}
	row := *old
	row.waID, row.bsuid = c.Customer.WaID, c.Customer.BSUID
	row.name = key.Seal([]byte(c.Customer.Name), secrets.AAD("conversation.name", row.id))
	row.lastMessage, row.lastInbound, row.blocked = int64(c.LastMessage), millis(c.LastInbound), flag(c.Blocked)
	row.billing, row.category, row.billingExpires = c.Billing.ID, string(c.Billing.Category), millis(c.Billing.Expires)
	row.profileSent, row.identity = c.ProfileSent, c.IdentityHash
	if err := tx.conversations.put(row); err != nil {
		return err
	}
	for _, h := range []string{row.waID, row.bsuid} {
		if h == "" || h == old.waID || h == old.bsuid {
			continue
		}
		if err := tx.lead(h, &row); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) lead(handle string, c *conversationRow) error {
	have, err := tx.handles.get(named{c.number, handle})
	if err != nil || (have != nil && have.conversation == c.id) {
		return err
	}
	return tx.handles.put(handleRow{c.number, handle, c.account, c.id})
}

func (db *DB) openConversation(r *conversationRow) (*kabar.Conversation, error) {
	key, err := db.conversationKey(r.id, r.number, r.key)
	if err != nil {
		return nil, err
	}
	name, err := key.Open(r.name, secrets.AAD("conversation.name", r.id))
	if err != nil {
		return nil, err
	}
	return &kabar.Conversation{
		ID: kabar.ConversationID(r.id), Account: kabar.AccountID(r.account), Number: kabar.NumberID(r.number),
		Customer:    kabar.Customer{WaID: r.waID, BSUID: r.bsuid, Name: string(name)},
		LastMessage: kabar.MessageID(r.lastMessage), LastInbound: instant(r.lastInbound), Blocked: r.blocked != 0,
		Billing:     kabar.Billing{ID: r.billing, Category: kabar.Category(r.category), Expires: instant(r.billingExpires)},
		ProfileSent: r.profileSent, IdentityHash: r.identity,
	}, nil
}

// Conversation returns a conversation of the number.
func (db *DB) Conversation(ctx context.Context, n kabar.NumberID, id kabar.ConversationID) (*kabar.Conversation, error) {
	row, err := readOne(ctx, db, conversations, "id = $1 AND number_id = $2", int64(id), int64(n))
	if err != nil {
		return nil, notFound(err, "conversation")
	}
	return db.openConversation(row)
}

// FindConversation returns the number's conversation with the customer called handle, or a NotFoundError.
func (db *DB) FindConversation(ctx context.Context, n kabar.NumberID, handle string) (*kabar.Conversation, error) {
	row, err := readOne(ctx, db, handles, "number_id = $1 AND handle = $2", int64(n), handle)
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
