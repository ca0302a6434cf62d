package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"kabar"
	"kabar/internal/store"
)

// write commits what do does together with the events and the audit entries of the changes that it returns.
func (t *Templates) write(ctx context.Context, a kabar.AccountID, actor string, do func(tx *store.Tx) ([]kabar.TemplateChange, error)) error {
	teller, err := t.teller(ctx, a)
	if err != nil {
		return store.Refusal(err)
	}
	err = t.db.Write(ctx, nil, func(tx *store.Tx) error {
		changes, err := do(tx)
		if err != nil {
			return err
		}
		return t.tell(tx, a, teller, actor, changes)
	})
	return store.Refusal(err)
}

// tell writes down what has changed: in the audit log, and in the log of the account's oldest number.
func (t *Templates) tell(tx *store.Tx, a kabar.AccountID, teller kabar.NumberID, actor string, changes []kabar.TemplateChange) error {
	now := t.now()
	for i := range changes {
		c := &changes[i]
		detail, err := json.Marshal(c)
		if err != nil {
			return fmt.Errorf("encode a change of a template: %w", err)
		}
		what := string(c.Kind)
		if c.Kind == kabar.NewsStatus {
			what = strings.ToLower(c.Event)
		}
		if err := tx.AddAudit(&store.Audit{Account: a, At: now, Actor: actor, Action: "template." + what, Subject: subjectOf(c.ID), Detail: string(detail)}); err != nil {
			return err
		}
		if teller == 0 {
			continue
		}
		if err := tx.AddEvent(&kabar.Event{Account: a, Number: teller, Kind: kabar.EventTemplate, At: now, Template: c}); err != nil {
			return err
		}
	}
	if len(changes) > 0 {
		tx.After(func() {
			t.hurry()
			if teller != 0 {
				t.committed(teller)
			}
		})
	}
	return nil
}

func subjectOf(id kabar.TemplateID) string { return "template/" + strconv.FormatInt(int64(id), 10) }

// teller returns the number in whose log the account's templates are told of: its oldest; 0 when it has none.
func (t *Templates) teller(ctx context.Context, a kabar.AccountID) (oldest kabar.NumberID, err error) {
	numbers, err := t.db.Numbers(ctx)
	for _, n := range numbers {
		if n.Account == a && (oldest == 0 || n.ID < oldest) {
			oldest = n.ID
		}
	}
	return oldest, err
}

// hurry has whoever waits for the next time look again.
func (t *Templates) hurry() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}
