package store

import (
	"context"
	"time"

	"kabar/internal/secrets"
)

// What the tests see of the store's inside.

// KeyBlock is how many keys are reserved at once.
const KeyBlock = keyBlock

// RawKey is a key of a row in one of two tables: without a path in meta, whose key has one column, otherwise in
// idempotency, whose key has three.
type RawKey struct {
	Number    int64
	Path, Key string
}

func (k RawKey) inner() requestKey { return requestKey{k.Number, k.Path, k.Key} }

// RawWant announces a row.
func (tx *Tx) RawWant(k RawKey) {
	if k.Path == "" {
		tx.meta.want(k.Key)
	} else {
		tx.answers.want(k.inner())
	}
}

// RawGet returns a row's value; nil if there is no row.
func (tx *Tx) RawGet(k RawKey) ([]byte, error) {
	if k.Path == "" {
		row, err := tx.meta.get(k.Key)
		if row == nil {
			return nil, err
		}
		return nonNil(row.value), err
	}
	row, err := tx.answers.get(k.inner())
	if row == nil {
		return nil, err
	}
	return nonNil(row.answer), err
}

// RawPut stores a row.
func (tx *Tx) RawPut(k RawKey, v []byte) error {
	if k.Path == "" {
		return tx.meta.put(metaRow{k.Key, v})
	}
	return tx.answers.put(idempotencyRow{number: k.Number, path: k.Path, key: k.Key, answer: v})
}

// RawDel removes a row.
func (tx *Tx) RawDel(k RawKey) error {
	if k.Path == "" {
		return tx.meta.del(k.Key)
	}
	return tx.answers.del(k.inner())
}

// RawRead returns a committed row's value; nil if there is no row.
func (db *DB) RawRead(ctx context.Context, k RawKey) (v []byte, err error) {
	if k.Path == "" {
		rows, err := readAll(ctx, db, metas, "name = $1", k.Key)
		if err != nil || len(rows) == 0 {
			return nil, err
		}
		return nonNil(rows[0].value), nil
	}
	rows, err := readAll(ctx, db, idempotencies, "number_id = $1 AND path = $2 AND key = $3", k.Number, k.Path, k.Key)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return nonNil(rows[0].answer), nil
}

// WriterExec executes a statement on the writer's own connection.
func (db *DB) WriterExec(ctx context.Context, text string) error {
	_, err := db.conn.ExecContext(ctx, text)
	return err
}

// Indexed are queries that must find their rows by an index, with the index. Each placeholder of a query occurs once.
func Indexed() map[string]string {
	return map[string]string{
		selectFrom(&deliveries.shape, deliveriesWhere): "sqlite_autoindex_delivery_1", // the primary key
		headsQuery: "sqlite_autoindex_delivery_1",
		seqsQuery + Span{Newest: true}.order() + " LIMIT $6":                                  "sqlite_autoindex_delivery_1",
		selectFrom(&expiredEvents.shape, expiredWhere+Span{Newest: true}.order()+" LIMIT $5"): "sqlite_autoindex_expired_1",
		selectFrom(&events.shape, spanWhere+Span{Newest: true}.order()+" LIMIT $4"):           "sqlite_autoindex_event_1",
		parkedQuery:     "delivery_parked",
		nextParkedQuery: "delivery_parked",
		loginsOfUser:    "login_user",
		selectFrom(&idempotencies.shape, agingAnswers.where()):                                     "idempotency_at",
		selectFrom(&refs.shape, agingRefs.where()):                                                 "inbound_ref_at",
		selectFrom(&logins.shape, agingLogins.where()):                                             "login_expires",
		selectFrom(&uploads.shape, agingUploads.where()):                                           "upload_expires",
		selectFrom(&templates.shape, templatesAfter+" ORDER BY name, language LIMIT 9"):            "sqlite_autoindex_template_1",
		selectFrom(&templates.shape, templatesBefore+" ORDER BY name DESC, language DESC LIMIT 9"): "sqlite_autoindex_template_1",
		selectFrom(&templates.shape, templateByID):                                                 "template_id",
		selectFrom(&templates.shape, templateTwins):                                                "template_twin",
		selectFrom(&templates.shape, templateDue+" ORDER BY due"):                                  "template_due",
		selectFrom(&conversations.shape, barredAfter):                                              "conversation_barred",
		selectFrom(&conversations.shape, barredBefore):                                             "conversation_barred",
		selectFrom(&audits.shape, auditsOf+" ORDER BY id"):                                         "audit_subject",
		selectFrom(&consentEntries.shape, consentHistory+" ORDER BY id DESC LIMIT 9"):              "consent_entry_customer",
		selectFrom(&consents.shape, consentsAfter+" ORDER BY handle LIMIT 9"):                      "sqlite_autoindex_consent_1",
		selectFrom(&broadcasts.shape, broadcastsBefore+" ORDER BY id DESC LIMIT 9"):                "broadcast_account",
		selectFrom(&broadcasts.shape, broadcastsIn+" ORDER BY start_at LIMIT 1"):                   "broadcast_state",
		selectFrom(&recipients.shape, recipientsAfter+" ORDER BY place LIMIT 9"):                   "sqlite_autoindex_broadcast_recipient_1",
		selectFrom(&throttles.shape, agingThrottles.where()):                                       "throttle_ends",
		selectFrom(&throttles.shape, throttlesNow):                                                 "throttle_ends",
		selectFrom(&audits.shape, chainPage):                                                       "audit_seq",
		selectFrom(&audits.shape, auditNewest):                                                     "audit_seq",
		countedCustomers:                                                                           "sqlite_autoindex_reached_1",
		answersBehind:                                                                              "sqlite_autoindex_idempotency_1",
		entriesBefore:                                                                              "consent_entry_customer",
		selectFrom(&audits.shape, auditNewestOf):                                                   "audit_account",
	}
}

// Statements splits a migration.
func Statements(text string) []string { return statements(text) }

// RotateIn rotates the master key as one of a batch's operations.
func (tx *Tx) RotateIn(next secrets.Key) error {
	tx.b.db.learn(next)
	return tx.rotate(next)
}

// SetPatience changes how long the database may take. Nobody may use the store meanwhile.
func (db *DB) SetPatience(d time.Duration) { db.patience = d }
