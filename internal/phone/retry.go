package phone

import (
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/e2ee"
	"kabar/internal/payload"
	"kabar/internal/relayclient"
)

const (
	// maxDead is how many unreadable envelopes a customer's handset keeps; a hostile relay could send any number.
	maxDead = 1000
	// freshFor is how long a session that we opened counts as fresh: a second unreadable envelope within that time does
	// not cost another bundle.
	freshFor = time.Minute
)

// bury keeps an envelope that could not be understood.
func (a *arrival) bury(d relayclient.Delivery, cause error) error {
	err := a.exec("INSERT INTO dead (customer, sender, msg_id, ciphertext, reason, at) VALUES (?, ?, ?, ?, ?, ?)",
		a.c.id, d.From.Account, d.ID[:], d.Ciphertext, cause.Error(), a.now.UnixMilli())
	if err == nil {
		err = a.exec(`DELETE FROM dead WHERE customer = ?1 AND id <=
			(SELECT id FROM dead WHERE customer = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)`, a.c.id, maxDead)
	}
	if err != nil {
		return fmt.Errorf("keep unreadable envelope: %w", err)
	}
	return nil
}

// lose keeps an envelope that could not be decrypted, and has it asked for again, in a fresh session, so that the answer
// can be read. Nothing is asked of a business that the customer has blocked.
func (a *arrival) lose(in *incoming, d relayclient.Delivery, cause error) error {
	if err := a.bury(d, cause); err != nil {
		return err
	}
	if in.blocked {
		return nil
	}
	in.lost = append(in.lost, hex.EncodeToString(d.ID[:]))
	return nil
}

// retries asks for what was lost.
func (a *arrival) retries(in *incoming) (things []posting) {
	if len(in.lost) == 0 {
		return nil
	}
	a.renew(in.chat)
	for ids := in.lost; len(ids) > 0; {
		n := min(len(ids), maxReceipts)
		things = append(things, posting{payload: &payload.Payload{Retry: &payload.Retry{IDs: ids[:n]}}})
		ids = ids[n:]
	}
	return things
}

// renew gives up the sessions for writing, so that what is written next opens a fresh one, unless the present one is.
func (t *tx) renew(ch *chat) {
	if t.now.Sub(time.UnixMilli(ch.opened)).Abs() < freshFor {
		return
	}
	ch.peer, ch.changed = ch.peer.Retire(), true
}

// again answers a retry request: what our envelopes held goes out once more, in the session in which the request came,
// which the business has just opened. One that did not come in a new session, or a second request for the same message,
// makes us open one ourselves.
func (a *arrival) again(in *incoming, ids []string, request []byte) error {
	_, fresh, err := e2ee.PreKeyIDs(request)
	if err != nil {
		return fmt.Errorf("read retry request: %w", err) // it was decrypted a moment ago
	}
	for _, id := range ids {
		envelope, err := hex.DecodeString(id)
		if err != nil {
			return fmt.Errorf("read retry request: %w", err) // payload.Decode has checked it
		}
		attempts, err := a.requeue(in, envelope)
		if err != nil {
			return err
		}
		fresh = fresh && attempts <= 1
	}
	if !fresh {
		a.renew(in.chat)
	}
	return nil
}

// requeue has the payload of an envelope encrypted again, up to the limit. It returns the number of attempts.
func (a *arrival) requeue(in *incoming, envelope []byte) (attempts int, err error) {
	var id int64
	var wire string
	err = a.QueryRow("SELECT id, message, attempts FROM outbox WHERE customer = ? AND business = ? AND msg_id = ?", a.c.id, in.business, envelope).
		Scan(&id, &wire, &attempts)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil // delivered meanwhile, or long ago
	}
	if err != nil {
		return 0, fmt.Errorf("look for envelope: %w", err)
	}
	if attempts >= kabar.MaxResends {
		return 0, a.fail(a.c, in.business, id, wire, "the business could not decrypt it")
	}
	a.due = append(a.due, a.c.id)
	return attempts + 1, a.exec("UPDATE outbox SET state = ?, ciphertext = NULL, msg_id = ?, attempts = attempts + 1, medium = NULL WHERE id = ?",
		rowQueued, newMsgID(), id)
}
