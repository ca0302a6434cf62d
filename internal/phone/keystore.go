package phone

import (
	"database/sql"
	"errors"

	"kabar/internal/e2ee"
)

// keyStore finds a customer's private keys within an operation.
type keyStore struct {
	*tx
	c *customer
}

func (s keyStore) row(id uint32, kind, orKind int) ([]byte, error) {
	var row []byte
	err := s.QueryRow("SELECT key FROM prekeys WHERE customer = ? AND id = ? AND kind IN (?, ?)", s.c.id, id, kind, orKind).Scan(&row)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, e2ee.ErrUnknownPreKey
	}
	return row, err
}

// SignedPreKey implements e2ee.PreKeyStore.
func (s keyStore) SignedPreKey(id uint32) (*e2ee.SignedPreKey, error) {
	row, err := s.row(id, keySigned, keySigned)
	if err != nil {
		return nil, err
	}
	return e2ee.UnmarshalSignedPreKey(row)
}

// KEMPreKey implements e2ee.PreKeyStore.
func (s keyStore) KEMPreKey(id uint32) (*e2ee.KEMPreKey, error) {
	row, err := s.row(id, keyLastResort, keyKEM)
	if err != nil {
		return nil, err
	}
	return e2ee.UnmarshalKEMPreKey(row)
}

// OneTimePreKey implements e2ee.PreKeyStore.
func (s keyStore) OneTimePreKey(id uint32) (*e2ee.OneTimePreKey, error) {
	row, err := s.row(id, keyOneTime, keyOneTime)
	if err != nil {
		return nil, err
	}
	return e2ee.UnmarshalOneTimePreKey(row)
}

// dropKeys deletes the one-time keys that a new session has used.
func (t *tx) dropKeys(c *customer, used e2ee.UsedKeys) error {
	if used == (e2ee.UsedKeys{}) {
		return nil
	}
	return t.exec("DELETE FROM prekeys WHERE customer = ? AND id IN (?, ?) AND kind IN (?, ?)", c.id, used.OneTime, used.KEM, keyKEM, keyOneTime)
}
