package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"kabar/internal/secrets"
)

// What lies directly under the master key: the keys of the numbers, and the rows of meta that are not listed here. One of
// these says which master key that is: by its ID, which is not secret.
const masterMeta = "master"

var openMetas = []string{masterMeta, stepMeta, probeMeta}

// ErrMasterKey says that the store was sealed with another master key; the error is a *MasterKeyError.
var ErrMasterKey = errors.New("the master key does not open this store")

// MasterKeyError says which master key a store needs, by the key's ID.
type MasterKeyError struct {
	Need  string // empty: the store does not say; it was last used by a program of schema 1
	Given string
}

func (e *MasterKeyError) Error() string {
	need := "the key file the store was made with"
	if e.Need != "" {
		need = "the file of the key " + e.Need
	}
	return fmt.Sprintf("%s: the key given is %s; give %s (kabar key rotate keeps earlier keys as FILE.previous-KEY)", ErrMasterKey, e.Given, need)
}

// Is makes every MasterKeyError an ErrMasterKey.
func (e *MasterKeyError) Is(target error) bool { return target == ErrMasterKey }

// MasterKeyID returns the ID of the master key that the store is sealed with.
func (db *DB) MasterKeyID(ctx context.Context) (string, error) {
	row, err := readOne(ctx, db, metas, "name = $1", masterMeta)
	if err != nil {
		return "", notFound(err, "the ID of the master key")
	}
	return string(row.value), nil
}

// SealedUnder returns the ID of the master key that a store is sealed with, for who has not got the key. It needs the store for itself, as
// Open does.
func SealedUnder(ctx context.Context, o Options) (string, error) {
	db, err := connected(ctx, o)
	if err != nil {
		return "", err
	}
	var id []byte
	err = db.conn.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = '"+masterMeta+"'").Scan(&id)
	return string(id), errors.Join(err, db.close())
}

// Rotate puts everything that lies under the master key under next, in one operation, while others read and write. When it
// returns nil, only next opens the store. After an UnavailableError either key may be the one: Rotate with the same key
// again settles it, whichever it was. Earlier keys open the backups that were made under them.
func (db *DB) Rotate(ctx context.Context, next secrets.Key) error {
	db.learn(next)
	return db.Write(ctx, nil, func(tx *Tx) error { return tx.rotate(next) })
}

func (tx *Tx) rotate(next secrets.Key) error {
	old, err := tx.master()
	if err != nil || old.ID() == next.ID() {
		return err
	}
	rows, err := tx.numbers.all()
	if err != nil {
		return err
	}
	for _, r := range rows {
		key, err := old.Unwrap(r.key, secrets.AAD("number", r.id))
		if err != nil {
			return fmt.Errorf("rewrap the key of number %d: %w", r.id, err)
		}
		r.key = next.Wrap(key, secrets.AAD("number", r.id))
		if err := tx.numbers.put(r); err != nil {
			return err
		}
	}
	return tx.rotateMeta(old, next)
}

func (tx *Tx) rotateMeta(old, next secrets.Key) error {
	rows, err := tx.meta.all()
	if err != nil {
		return err
	}
	for _, r := range rows {
		if slices.Contains(openMetas, r.name) {
			continue
		}
		plain, err := old.Open(r.value, secrets.AAD("meta", r.name))
		if err != nil {
			return fmt.Errorf("rewrap %s: %w", r.name, err)
		}
		if err := tx.meta.put(metaRow{r.name, next.Seal(plain, secrets.AAD("meta", r.name))}); err != nil {
			return err
		}
	}
	return tx.meta.put(metaRow{masterMeta, []byte(next.ID())})
}

// master returns the master key as it is for this operation: the store itself says which. So an operation behind a rotation
// in the same batch uses the new key, one behind a rotation that was refused the old one, and nobody has to know how a
// commit ended whose answer was lost.
func (tx *Tx) master() (secrets.Key, error) {
	row, err := tx.meta.get(masterMeta)
	if err != nil {
		return secrets.Key{}, err
	}
	if row == nil {
		return secrets.Key{}, &NotFoundError{"the ID of the master key"}
	}
	return tx.b.db.known(string(row.value))
}

// learn keeps a master key in memory: it may be the store's, or become it.
func (db *DB) learn(k secrets.Key) {
	db.keys.mu.Lock()
	defer db.keys.mu.Unlock()
	db.keys.masters[k.ID()] = k
}

// known returns the master key with an ID.
func (db *DB) known(id string) (secrets.Key, error) {
	db.keys.mu.Lock()
	defer db.keys.mu.Unlock()
	k, ok := db.keys.masters[id]
	if !ok {
		return k, &MasterKeyError{Need: id, Given: db.master.ID()}
	}
	return k, nil
}

// checkMaster finds out whether the master key that was given is the store's, and has the store say so from then on. It
// makes the key of the public ids of a new store: whether that opens is the proof.
func (tx *Tx) checkMaster(given secrets.Key, made func() []byte) error {
	id, err := tx.meta.get(masterMeta)
	if err != nil {
		return err
	}
	proof, err := tx.meta.get(permutationMeta)
	if err != nil {
		return err
	}
	aad := secrets.AAD("meta", permutationMeta)
	if proof == nil {
		if err := tx.meta.put(metaRow{permutationMeta, given.Seal(made(), aad)}); err != nil {
			return err
		}
	} else if _, err := given.Open(proof.value, aad); err != nil {
		e := &MasterKeyError{Given: given.ID()}
		if id != nil {
			e.Need = string(id.value)
		}
		return e
	}
	if id != nil && string(id.value) == given.ID() {
		return nil
	}
	return tx.meta.put(metaRow{masterMeta, []byte(given.ID())}) // a store of schema 1 has none
}
