package engine

import (
	"context"
	"crypto/rand"
	"strings"
	"unicode/utf8"

	"kabar"
	"kabar/internal/store"
)

// Limits of a number's QR codes (contract Cloud API, 1.6 and 4).
const (
	MaxQRCodes   = 2000
	maxPrefilled = 140 // characters
	qrCodeLength = 14
)

// AddQRCode makes a QR code for a number, with the text that customers begin with, unless the number has most of them, which
// is MaxQRCodes.
func (e *Engine) AddQRCode(ctx context.Context, n kabar.NumberID, prefilled string, most int) (*store.QRCode, error) {
	l, err := e.line(n)
	if err != nil {
		return nil, err
	}
	if err := checkPrefilled(prefilled); err != nil {
		return nil, err
	}
	e.setting.Lock() // one is counted and added at a time
	defer e.setting.Unlock()
	all, err := e.QRCodes(ctx, n)
	if err != nil {
		return nil, err
	}
	if len(all) >= most {
		return nil, kabar.Refuse(kabar.ReasonInvalid, "", "the number has %d QR codes, the limit is %d: delete some first", len(all), most)
	}
	q := &store.QRCode{Account: l.number.Account, Number: n, Code: rand.Text()[:qrCodeLength], Prefilled: prefilled, Created: e.now()}
	return q, store.Refusal(e.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.SaveQRCode(q) }))
}

// ChangeQRCode gives a QR code of a number another text.
func (e *Engine) ChangeQRCode(ctx context.Context, n kabar.NumberID, code, prefilled string) (*store.QRCode, error) {
	if err := checkPrefilled(prefilled); err != nil {
		return nil, err
	}
	var changed *store.QRCode
	err := e.db.Write(ctx, nil, func(tx *store.Tx) (err error) {
		if changed, err = tx.QRCode(n, code); err != nil {
			return err
		}
		changed.Prefilled = prefilled
		return tx.SaveQRCode(changed)
	})
	return changed, store.Refusal(err)
}

// RemoveQRCode removes a QR code of a number. It is never made again.
func (e *Engine) RemoveQRCode(ctx context.Context, n kabar.NumberID, code string) error {
	return store.Refusal(e.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.RemoveQRCode(n, code) }))
}

// QRCodes returns the QR codes of a number, newest first.
func (e *Engine) QRCodes(ctx context.Context, n kabar.NumberID) ([]*store.QRCode, error) {
	all, err := e.db.QRCodes(ctx, n)
	return all, store.Refusal(err)
}

// QRCode returns a QR code of a number. One that is not there is refused as not found.
func (e *Engine) QRCode(ctx context.Context, n kabar.NumberID, code string) (*store.QRCode, error) {
	q, err := e.db.QRCode(ctx, n, code)
	return q, store.Refusal(err)
}

func checkPrefilled(text string) error {
	if strings.TrimSpace(text) == "" {
		return kabar.Refuse(kabar.ReasonMissing, "prefilled_message", "is required: what the customer's message begins with")
	}
	if n := utf8.RuneCountInString(text); n > maxPrefilled {
		return kabar.Refuse(kabar.ReasonInvalid, "prefilled_message", "has %d characters, the limit is %d", n, maxPrefilled)
	}
	return nil
}
