package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"kabar"
)

// pseudonymMark begins every pseudonym, so that no handle of a network is one.
const pseudonymMark = "person-"

// pseudonymLen is how many bytes of the MAC a pseudonym has: two customers of an account do not get the same by chance.
const pseudonymLen = 12

// openPseudonyms reads the key of the pseudonyms, or makes one. It is no more than any other secret of the store replaced by a rotation
// of the master key: the same customer has the same pseudonym for good.
func (db *DB) openPseudonyms(ctx context.Context) (err error) {
	db.naming, err = db.Secret(ctx, "pseudonym", func() []byte {
		key := make([]byte, sha256.Size)
		_, _ = rand.Read(key) // never fails: crypto/rand
		return key
	})
	return err
}

// Pseudonym returns what stands for a customer in what is kept about nobody: the audit log, the ledger of a person who has been
// erased, the opt-out that outlives them. It is the same each time, another for each account, and without the key, which lies under the
// master key, nobody can compute it or go back from it to the handle.
func (db *DB) Pseudonym(a kabar.AccountID, handle string) string {
	mac := hmac.New(sha256.New, db.naming)
	_, _ = mac.Write(binary.BigEndian.AppendUint64(nil, uint64(a))) // never fails: hash.Hash
	_, _ = mac.Write([]byte(handle))
	return pseudonymMark + hex.EncodeToString(mac.Sum(nil)[:pseudonymLen])
}
