package store

import (
	"context"
	"time"

	"kabar"
)

const recipientsOfCustomer = "account_id = $1 AND handle = $2 ORDER BY broadcast_id, place LIMIT $3"

// listed returns where a person stands on the lists of broadcasts: of more than a thousand of a name the first, and the step takes the
// others.
func (db *DB) listed(ctx context.Context, p *Person) (all []spot, err error) {
	for _, h := range p.Handles {
		rows, err := readAll(ctx, db, recipients, recipientsOfCustomer, int64(p.Account), h, int64(chunk))
		if err != nil {
			return nil, err
		}
		for i := range rows {
			all = append(all, recipients.key(&rows[i]))
		}
	}
	return all, nil
}

// WantErasure announces that it will be asked whether a customer was erased.
func (tx *Tx) WantErasure(a kabar.AccountID, handle string) {
	tx.erasures.want(customerKey{int64(a), tx.b.db.Pseudonym(a, handle)})
}

// ErasedSince reports whether a customer of an account is being erased, or has been since a time: what was meant for them before is for
// nobody.
func (tx *Tx) ErasedSince(a kabar.AccountID, handle string, since time.Time) (bool, error) {
	row, err := tx.erasures.see(customerKey{int64(a), tx.b.db.Pseudonym(a, handle)})
	if err != nil || row == nil {
		return false, err
	}
	return row.ended == 0 || row.began >= millis(since), nil
}

// recipients takes the customer off the lists of broadcasts, those that are done as well.
func (x *eraser) recipients(ctx context.Context) error {
	for _, h := range x.e.rest.Handles {
		for {
			rows, err := readAll(ctx, x.db, recipients, recipientsOfCustomer, x.account, h, int64(chunk))
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				break
			}
			err = x.commit(ctx, nil, func(tx *Tx, _ *Erasure) error {
				for i := range rows {
					if err := tx.recipients.del(recipients.key(&rows[i])); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// forgetReach puts the pseudonym in the place of a customer whom the account has reached, who still counts.
func (tx *Tx) forgetReach(account int64, handle, pseudonym string) error {
	row, err := tx.reached.get(customerKey{account, handle})
	if err != nil || row == nil {
		return err
	}
	if err := tx.reached.del(reacheds.key(row)); err != nil {
		return err
	}
	under, err := tx.reached.get(customerKey{account, pseudonym})
	if err != nil {
		return err
	}
	if under != nil && under.counted != 0 && row.counted != 0 {
		if err := tx.countReach(account, -1); err != nil { // two rows become one
			return err
		}
	}
	if under != nil {
		row.at, row.counted = max(row.at, under.at), max(row.counted, under.counted)
	}
	row.handle = pseudonym
	return tx.reached.put(*row)
}
