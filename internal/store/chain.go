package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"kabar/internal/secrets"
)

// The audit log is one chain for the server. Each entry has the number behind the last one's, and a MAC over that one's MAC
// and all of its own fields. The key lies sealed under the master key, and so does the end of the chain: who can write the
// database, and has not the master key, can neither change, remove, insert or move an entry nor cut off the last ones
// unnoticed. VerifyAudit finds the entry.
const (
	chainMeta   = "secret/audit" // the key
	chainEnd    = "audit-end"    // the number of the last entry and its MAC
	chainKeyLen = 32
)

// link is the end of a chain: the number of its last entry and that one's MAC.
type link struct {
	seq int64
	mac []byte
}

func (l link) encode() []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(l.seq)), l.mac...)
}

func decodeLink(b []byte) (link, error) {
	if len(b) != 8+sha256.Size {
		return link{}, fmt.Errorf("the end of the audit log has %d bytes", len(b))
	}
	return link{int64(binary.BigEndian.Uint64(b)), b[8:]}, nil
}

// String is how people note the end of a chain: number and the MAC's first half.
func (l link) String() string {
	return fmt.Sprintf("%d:%s", l.seq, hex.EncodeToString(l.mac[:sha256.Size/2]))
}

// chainStart is what stands before the first entry.
func chainStart() link { return link{0, make([]byte, sha256.Size)} }

// next returns the MAC of the row behind an entry with the MAC last.
func next(key, last []byte, r *auditRow) []byte {
	b := append([]byte(nil), last...)
	for _, n := range []int64{r.seq, r.id, r.account, r.at} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	for _, s := range []string{r.actor, r.action, r.subject, r.detail, r.source, r.result} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	h := hmac.New(sha256.New, key)
	h.Write(b)
	return h.Sum(nil)
}

// openChain reads the key of the chain. A store that has none gets one, and a chain of the entries it holds: those of an
// earlier version are trusted as the database was then, and an entry says how many they were.
func (db *DB) openChain(ctx context.Context) error {
	err := db.Write(ctx, nil, func(tx *Tx) error {
		if row, err := tx.meta.see(chainMeta); err != nil || row != nil {
			return err
		}
		key := make([]byte, chainKeyLen)
		_, _ = rand.Read(key) // never fails: crypto/rand
		if err := tx.seal(chainMeta, key); err != nil {
			return err
		}
		return tx.takeOver(key)
	})
	if err != nil {
		return err
	}
	db.chain, err = db.sealed(ctx, chainMeta)
	return err
}

// takeOver begins the chain with the entries that there are. They are loaded at once: an earlier version wrote some for each
// template, and this happens once.
func (tx *Tx) takeOver(key []byte) error {
	end := chainStart()
	var last auditRow
	err := tx.b.query(allText(&audits.shape)+" ORDER BY id", nil, func(rs *sql.Rows) error {
		if err := rs.Scan(audits.fields(&last)...); err != nil {
			return err
		}
		last.seq = end.seq + 1
		last.mac = next(key, end.mac, &last)
		end = link{last.seq, last.mac}
		tx.audits.set(last)
		return nil
	})
	if err != nil {
		return fmt.Errorf("take over the audit log: %w", err)
	}
	if end.seq > 0 {
		id, err := tx.NewKey()
		if err != nil {
			return err
		}
		began := auditRow{id: id, at: last.at, seq: end.seq + 1, actor: "server", action: "audit.began", result: AuditOK,
			detail: fmt.Sprintf(`{"taken_over":%d}`, end.seq)}
		began.mac = next(key, end.mac, &began)
		end = link{began.seq, began.mac}
		tx.audits.fresh(began)
	}
	return tx.seal(chainEnd, end.encode())
}

// chained gives a row its place at the end of the chain.
func (tx *Tx) chained(r *auditRow) error {
	end := chainStart()
	sealed, err := tx.meta.see(chainEnd)
	if err != nil {
		return err
	}
	if sealed != nil { // one that is gone is for VerifyAudit to find: whoever works must not be kept from it
		master, err := tx.master()
		if err != nil {
			return err
		}
		plain, err := master.Open(sealed.value, secrets.AAD("meta", chainEnd))
		if err != nil {
			return fmt.Errorf("unseal the end of the audit log: %w", err)
		}
		if end, err = decodeLink(plain); err != nil {
			return err
		}
	}
	r.seq = end.seq + 1
	r.mac = next(tx.b.db.chain, end.mac, r)
	return tx.seal(chainEnd, link{r.seq, r.mac}.encode())
}
