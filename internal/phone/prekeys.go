package phone

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"kabar/internal/e2ee"
	"kabar/internal/prekeys"
	"kabar/internal/relayclient"
	"kabar/internal/sqlite"
)

// Prekeys in the directory. A customer talks to few businesses, so a small stock does.
const (
	stock    = 20 // one-time keys of each kind after a top-up
	lowWater = 10 // top up below this
)

// need is how many keys of each kind are to be made.
type need struct {
	signed, lastResort bool
	kem, oneTime       int
}

func (d need) count() int {
	n := d.kems() + d.oneTime
	if d.signed {
		n++
	}
	return n
}

// kems counts the KEM keys, the last resort included.
func (d need) kems() int {
	if d.lastResort {
		return d.kem + 1
	}
	return d.kem
}

// keys keeps the directory filled: all that is missing there, what is below the low-water mark, and what is due for
// rotation; of a customer who was set back everything. have is what the relay says of its stock.
func (n *line) keys(ctx context.Context, have relayclient.LoginInfo) error {
	var setBack bool
	if err := n.p.db.Read.QueryRowContext(ctx, "SELECT set_back FROM customers WHERE id = ?", n.id).Scan(&setBack); err != nil {
		return fmt.Errorf("read customer: %w", err)
	}
	if setBack {
		have.Published = false
		if have.HighestID > 0 { // an old relay does not name it, and would keep the keys from before beside the new ones
			have.OneTime, have.OneTimeKEM = 0, 0
		}
	}
	for range 5 { // what a last run has left, what is needed now, and some more for ids that the relay refuses
		waiting, err := n.unpublished(ctx)
		if err == nil && waiting == nil {
			waiting, err = n.makeKeys(ctx, have)
		}
		if err != nil || waiting == nil {
			return err
		}
		waiting.Replace = setBack
		err = n.conn.Publish(ctx, *waiting)
		if reused, ok := errors.AsType[*relayclient.PrekeyIDReused](err); ok { // our store is older than the relay: begin above what it has seen
			if err := n.skipKeys(ctx, reused.Highest); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("publish keys: %w", err)
		}
		if err := n.own(ctx, func(t *tx) error { return t.published(n.id) }); err != nil {
			return err
		}
		setBack = false
		have.Published = have.Published || waiting.Signed != nil && waiting.LastResort != nil
		have.OneTime += len(waiting.OneTime)
		have.OneTimeKEM += len(waiting.OneTimeKEM)
	}
	return errors.New("publish keys: the relay refuses every id")
}

// published notes that the directory has all keys that were to go there.
func (t *tx) published(customer int64) error {
	return errors.Join(t.exec("UPDATE prekeys SET public = NULL WHERE customer = ? AND public IS NOT NULL", customer),
		t.exec("UPDATE customers SET set_back = 0 WHERE id = ?", customer))
}

// outdateKeys has all keys in the directory replaced, by keys with ids above the highest that the relay has seen. What was
// about to be published may have been, in the life that was lost.
func (t *tx) outdateKeys(customer int64, highest uint32) error {
	return errors.Join(t.exec("UPDATE prekeys SET public = NULL WHERE customer = ? AND public IS NOT NULL", customer),
		t.exec("UPDATE customers SET set_back = 1, next_key = max(next_key, ?) WHERE id = ?", int64(highest)+1, customer))
}

// skipKeys drops the keys that the relay does not want and moves the ids beyond those it has seen.
func (n *line) skipKeys(ctx context.Context, highest uint32) error {
	return n.own(ctx, func(t *tx) error {
		if err := t.exec("DELETE FROM prekeys WHERE customer = ? AND public IS NOT NULL", n.id); err != nil {
			return err
		}
		return t.exec("UPDATE customers SET next_key = max(next_key, ?) WHERE id = ?", int64(highest)+1, n.id)
	})
}

// unpublished returns the keys that are stored but perhaps not in the directory yet, or nil.
func (n *line) unpublished(ctx context.Context) (*relayclient.Prekeys, error) {
	out := &relayclient.Prekeys{Identity: prekeys.Identity(n.identity.Public())}
	found := false
	err := sqlite.Each(ctx, n.p.db.Read, func(r *sql.Rows) error {
		found = true
		var kind int
		var k relayclient.Prekey
		if err := r.Scan(&kind, &k.ID, &k.Key); err != nil {
			return err
		}
		switch kind {
		case keySigned:
			out.Signed = &k
		case keyLastResort:
			out.LastResort = &k
		case keyKEM:
			out.OneTimeKEM = append(out.OneTimeKEM, k)
		case keyOneTime:
			out.OneTime = append(out.OneTime, k)
		}
		return nil
	}, "SELECT kind, id, public FROM prekeys WHERE customer = ? AND public IS NOT NULL ORDER BY id", n.id)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	if !found {
		return nil, nil
	}
	return out, nil
}

// makeKeys makes and stores what is needed and returns it, or nil when nothing is.
func (n *line) makeKeys(ctx context.Context, have relayclient.LoginInfo) (*relayclient.Prekeys, error) {
	var first int64
	var d need
	err := n.own(ctx, func(t *tx) error {
		var err error
		if d, err = t.needed(n.id, have); err != nil || d.count() == 0 {
			return err
		}
		return t.QueryRow("UPDATE customers SET next_key = next_key + ? WHERE id = ? RETURNING next_key", d.count(), n.id).Scan(&first)
	})
	if err != nil || d.count() == 0 {
		return nil, err
	}
	made, err := generate(n.identity, d, uint32(first)-uint32(d.count()), n.p.now())
	if err != nil {
		return nil, err
	}
	err = n.own(ctx, func(t *tx) error {
		for _, k := range made {
			err := t.exec("INSERT INTO prekeys (customer, id, kind, created, key, public) VALUES (?, ?, ?, ?, ?, ?)",
				n.id, k.public.ID, k.kind, t.now.UnixMilli(), k.row, k.public.Key)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store keys: %w", err)
	}
	return n.unpublished(ctx)
}

// needed compares what there is with what there should be.
func (t *tx) needed(customer int64, have relayclient.LoginInfo) (d need, err error) {
	age := func(kind int) (due bool, err error) {
		var newest sql.NullInt64
		err = t.QueryRow("SELECT max(created) FROM prekeys WHERE customer = ? AND kind = ?", customer, kind).Scan(&newest)
		return !have.Published || !newest.Valid || t.now.Sub(time.UnixMilli(newest.Int64)) >= e2ee.PreKeyRotation, err
	}
	if d.signed, err = age(keySigned); err != nil {
		return need{}, err
	}
	if d.lastResort, err = age(keyLastResort); err != nil {
		return need{}, err
	}
	if have.OneTimeKEM < lowWater {
		d.kem = stock - have.OneTimeKEM
	}
	if have.OneTime < lowWater {
		d.oneTime = stock - have.OneTime
	}
	return d, nil
}

// newKey is a key that is about to be stored.
type newKey struct {
	kind   int
	row    []byte
	public relayclient.Prekey
}

// own runs an operation on keys of the identity that this connection speaks for.
func (n *line) own(ctx context.Context, op func(t *tx) error) error {
	return n.p.do(ctx, func(t *tx) error {
		if _, err := n.self(t); err != nil {
			return err
		}
		return op(t)
	})
}

// generate makes keys with ids from first on.
func generate(self *e2ee.Identity, d need, first uint32, now time.Time) (out []newKey, err error) {
	id := first
	add := func(kind int, k interface{ MarshalBinary() ([]byte, error) }, public relayclient.Prekey) {
		var row []byte
		if row, err = k.MarshalBinary(); err == nil {
			out = append(out, newKey{kind, row, public})
			id++
		}
	}
	if d.signed {
		k, err := e2ee.GenerateSignedPreKey(self, id, now)
		if err != nil {
			return nil, fmt.Errorf("make signed prekey: %w", err)
		}
		add(keySigned, k, prekeys.Signed(k))
	}
	for i := range d.kems() {
		kind, oneTime := keyKEM, true
		if d.lastResort && i == 0 {
			kind, oneTime = keyLastResort, false
		}
		k, err := e2ee.GenerateKEMPreKey(self, id, oneTime, now)
		if err != nil {
			return nil, fmt.Errorf("make KEM prekey: %w", err)
		}
		add(kind, k, prekeys.KEM(k))
	}
	for range d.oneTime {
		k, err := e2ee.GenerateOneTimePreKeys(id)
		if err != nil {
			return nil, fmt.Errorf("make one-time prekey: %w", err)
		}
		add(keyOneTime, k[0], prekeys.OneTime(k[0]))
	}
	return out, err
}
