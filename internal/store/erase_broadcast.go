package store

import "context"

const recipientsOfCustomer = "account_id = $1 AND handle = $2 ORDER BY broadcast_id, place LIMIT $3"

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
