package store

import "context"

const (
	broadcastsAfter  = "SELECT id FROM broadcast WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3"
	placesOfCustomer = "SELECT place FROM broadcast_recipient WHERE broadcast_id = $1 AND handle = $2 ORDER BY place LIMIT $3"
)

// recipients takes the customer off the lists of broadcasts, those that are done as well.
func (x *eraser) recipients(ctx context.Context) error {
	for after := int64(0); ; {
		ids, err := list(ctx, x.db, scanID, broadcastsAfter, x.account, after, int64(chunk))
		if err != nil {
			return err
		}
		for _, id := range ids {
			for _, h := range x.e.rest.Handles {
				if err := x.strike(ctx, id, h); err != nil {
					return err
				}
			}
		}
		if len(ids) < chunk {
			return nil
		}
		after = ids[len(ids)-1]
	}
}

// strike takes a handle off the list of one broadcast, which has it once unless somebody has had two ways to write it.
func (x *eraser) strike(ctx context.Context, broadcast int64, handle string) error {
	places, err := list(ctx, x.db, scanID, placesOfCustomer, broadcast, handle, int64(chunk))
	if err != nil || len(places) == 0 {
		return err
	}
	return x.commit(ctx, nil, func(tx *Tx, _ *Erasure) error {
		for _, p := range places {
			if err := tx.recipients.del(spot{broadcast, p}); err != nil {
				return err
			}
		}
		return nil
	})
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
