package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"kabar"
)

// dayKey is the key of what is counted of a template on a day; heldKey that of a message that waits.
type (
	dayKey  struct{ template, day int64 }
	heldKey struct{ template, message int64 }
)

type dayRow struct {
	template, day, account int64
	body                   string
}

var templateDays = &table[dayKey, dayRow]{
	shape:  shape{"template_day", cols("template_id:bigint day:bigint"), cols("account_id:bigint body:text")},
	key:    func(r *dayRow) dayKey { return dayKey{r.template, r.day} },
	args:   func(k dayKey) []any { return []any{k.template, k.day} },
	fields: func(r *dayRow) []any { return []any{&r.template, &r.day, &r.account, &r.body} },
	order: func(a, b dayKey) int {
		return cmp.Or(cmp.Compare(a.template, b.template), cmp.Compare(a.day, b.day))
	},
}

type heldRow struct{ template, message, account, number int64 }

var templateHeld = &table[heldKey, heldRow]{
	shape:  shape{"template_held", cols("template_id:bigint message_id:bigint"), cols("account_id:bigint number_id:bigint")},
	key:    func(r *heldRow) heldKey { return heldKey{r.template, r.message} },
	args:   func(k heldKey) []any { return []any{k.template, k.message} },
	fields: func(r *heldRow) []any { return []any{&r.template, &r.message, &r.account, &r.number} },
	order: func(a, b heldKey) int {
		return cmp.Or(cmp.Compare(a.template, b.template), cmp.Compare(a.message, b.message))
	},
}

// WantUse announces that the use of a template on a day will be changed.
func (tx *Tx) WantUse(t kabar.TemplateID, day int64) { tx.days.want(dayKey{int64(t), day}) }

// AddUse adds to what is counted of a template of the account on a day, by kabar.DayOf.
func (tx *Tx) AddUse(a kabar.AccountID, t kabar.TemplateID, day int64, more kabar.TemplateUse) error {
	use, err := tx.Use(t, day)
	if err != nil {
		return err
	}
	use.Add(more)
	body, err := json.Marshal(use)
	if err != nil {
		return fmt.Errorf("encode the use of a template: %w", err)
	}
	return tx.days.put(dayRow{int64(t), day, int64(a), string(body)})
}

// Use returns what is counted of a template on a day.
func (tx *Tx) Use(t kabar.TemplateID, day int64) (u kabar.TemplateUse, err error) {
	row, err := tx.days.see(dayKey{int64(t), day})
	if err != nil || row == nil {
		return u, err
	}
	return openUse(row.body)
}

// UseOfDays returns what is counted of a template on the days up to and with last, as many as quality looks back.
func (tx *Tx) UseOfDays(t kabar.TemplateID, last int64) (map[int64]kabar.TemplateUse, error) {
	days := map[int64]kabar.TemplateUse{}
	for day := last - kabar.TemplateDays + 1; day <= last; day++ {
		u, err := tx.Use(t, day)
		if err != nil {
			return nil, err
		}
		if u.Accepted+u.Sent+u.Delivered+u.Read+u.Failed+u.Blocked+len(u.Clicked)+len(u.Opened) > 0 {
			days[day] = u
		}
	}
	return days, nil
}

func openUse(body string) (u kabar.TemplateUse, err error) {
	if err := json.Unmarshal([]byte(body), &u); err != nil {
		return u, fmt.Errorf("decode the use of a template: %w", err)
	}
	return u, nil
}

// TemplateUse returns what is counted of a template of the account on the days from first to last, by day.
func (db *DB) TemplateUse(ctx context.Context, a kabar.AccountID, t kabar.TemplateID, first, last int64) (map[int64]kabar.TemplateUse, error) {
	rows, err := readAll(ctx, db, templateDays, "template_id = $1 AND day >= $2 AND day <= $3 AND account_id = $4", int64(t), first, last, int64(a))
	if err != nil {
		return nil, err
	}
	days := make(map[int64]kabar.TemplateUse, len(rows))
	for _, r := range rows {
		if days[r.day], err = openUse(r.body); err != nil {
			return nil, err
		}
	}
	return days, nil
}

// UsedTemplate is a template that has been in use.
type UsedTemplate struct {
	Account        kabar.AccountID
	Name, Language string
}

// UsedTemplates returns the templates of all accounts of which messages were counted since a day.
func (db *DB) UsedTemplates(ctx context.Context, since int64) ([]UsedTemplate, error) {
	return list(ctx, db, func(rs *sql.Rows) (u UsedTemplate, err error) {
		return u, rs.Scan(&u.Account, &u.Name, &u.Language)
	}, "SELECT account_id, name, language FROM template WHERE id IN (SELECT template_id FROM template_day WHERE day >= $1)", since)
}

// Hold notes that a message of the number waits until it is known how customers take its template.
func (tx *Tx) Hold(t kabar.TemplateID, m *kabar.Message) {
	tx.held.fresh(heldRow{int64(t), int64(m.ID), int64(m.Account), int64(m.Number)})
}

// Unhold ends that.
func (tx *Tx) Unhold(t kabar.TemplateID, m kabar.MessageID) {
	tx.held.drop(heldKey{int64(t), int64(m)})
}

// HeldMessage is a message that waits.
type HeldMessage struct {
	Template kabar.TemplateID
	Number   kabar.NumberID
	Message  kabar.MessageID
}

// HeldMessages returns up to limit messages that wait for a template of the account, oldest first.
func (db *DB) HeldMessages(ctx context.Context, a kabar.AccountID, t kabar.TemplateID, limit int) ([]HeldMessage, error) {
	rows, err := readAll(ctx, db, templateHeld, "template_id = $1 AND account_id = $2 ORDER BY message_id LIMIT $3", int64(t), int64(a), int64(limit))
	all := make([]HeldMessage, len(rows))
	for i, r := range rows {
		all[i] = HeldMessage{kabar.TemplateID(r.template), kabar.NumberID(r.number), kabar.MessageID(r.message)}
	}
	return all, err
}

// TemplatesHolding returns the templates of all accounts for which messages wait.
func (db *DB) TemplatesHolding(ctx context.Context) ([]UsedTemplate, error) {
	return list(ctx, db, func(rs *sql.Rows) (u UsedTemplate, err error) {
		return u, rs.Scan(&u.Account, &u.Name, &u.Language)
	}, "SELECT account_id, name, language FROM template WHERE id IN (SELECT DISTINCT template_id FROM template_held)")
}
