package store

import (
	"context"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/secrets"
)

type qrCodeRow struct {
	number  int64
	code    string
	account int64
	body    []byte
	created int64
}

var qrCodes = &table[named, qrCodeRow]{
	shape:  shape{"qr_code", cols("number_id:bigint code:text"), cols("account_id:bigint body:bytea created:bigint")},
	key:    func(r *qrCodeRow) named { return named{r.number, r.code} },
	args:   namedArgs,
	fields: func(r *qrCodeRow) []any { return []any{&r.number, &r.code, &r.account, &r.body, &r.created} },
	order:  orderNamed,
}

// QRCode is a code that leads a customer to a number, with a text to begin with.
type QRCode struct {
	Account   kabar.AccountID
	Number    kabar.NumberID
	Code      string // unique within the number
	Prefilled string // sealed at rest
	Created   time.Time
}

// SaveQRCode stores a code, in the place of the one before if there is one.
func (tx *Tx) SaveQRCode(q *QRCode) error {
	key, err := tx.b.db.numberKey(int64(q.Number))
	if err != nil {
		return err
	}
	sealed := key.Seal([]byte(q.Prefilled), secrets.AAD("qr_code", int64(q.Number), q.Code))
	return tx.qrCodes.put(qrCodeRow{int64(q.Number), q.Code, int64(q.Account), sealed, millis(q.Created)})
}

// QRCode returns a code of the number, or a NotFoundError.
func (tx *Tx) QRCode(n kabar.NumberID, code string) (*QRCode, error) {
	row, err := tx.qrCodes.get(named{int64(n), code})
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, &NotFoundError{"QR code"}
	}
	return tx.b.db.openQRCode(row)
}

// RemoveQRCode removes a code of the number, or returns a NotFoundError.
func (tx *Tx) RemoveQRCode(n kabar.NumberID, code string) error {
	if _, err := tx.QRCode(n, code); err != nil {
		return err
	}
	return tx.qrCodes.del(named{int64(n), code})
}

// QRCodes returns the codes of the number, newest first.
func (db *DB) QRCodes(ctx context.Context, n kabar.NumberID) (all []*QRCode, err error) {
	rows, err := readAll(ctx, db, qrCodes, "number_id = $1 ORDER BY created DESC, code", int64(n))
	if err != nil {
		return nil, err
	}
	for i := range rows {
		q, err := db.openQRCode(&rows[i])
		if err != nil {
			return nil, err
		}
		all = append(all, q)
	}
	return all, nil
}

// QRCode returns a code of the number, or a NotFoundError.
func (db *DB) QRCode(ctx context.Context, n kabar.NumberID, code string) (*QRCode, error) {
	row, err := readOne(ctx, db, qrCodes, "number_id = $1 AND code = $2", int64(n), code)
	if err != nil {
		return nil, notFound(err, "QR code")
	}
	return db.openQRCode(row)
}

func (db *DB) openQRCode(r *qrCodeRow) (*QRCode, error) {
	key, err := db.numberKey(r.number)
	if err != nil {
		return nil, err
	}
	text, err := key.Open(r.body, secrets.AAD("qr_code", r.number, r.code))
	if err != nil {
		return nil, fmt.Errorf("unseal a QR code: %w", err)
	}
	return &QRCode{kabar.AccountID(r.account), kabar.NumberID(r.number), r.code, string(text), instant(r.created)}, nil
}
