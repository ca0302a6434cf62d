package store

import (
	"bytes"

	"kabar/internal/secrets"
)

func sealName(name string, id int64, key secrets.Key) []byte {
	return key.Seal([]byte(name), secrets.AAD("conversation.name", id))
}

// openName returns the customer's name. Each message asks for the row that it is in, so what was opened is kept beside the key.
func (db *DB) openName(r *conversationRow) (string, error) {
	if kept, ok := db.keptKey(r.id); ok && kept.sealed != nil && bytes.Equal(kept.sealed, r.name) {
		return kept.name, nil
	}
	key, err := db.conversationKey(r.id, r.number, r.key)
	if err != nil {
		return "", err
	}
	name, err := key.Open(r.name, secrets.AAD("conversation.name", r.id))
	if err != nil {
		return "", err
	}
	db.keepName(r.id, r.name, string(name))
	return string(name), nil
}
