package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"kabar"
)

type templateRow struct {
	account                          int64
	name, language, category, status string
	body                             string
}

var templates = &table[templateKey, templateRow]{
	shape: shape{"template", cols("account_id:bigint name:text language:text"), cols("category:text status:text body:text")},
	key:   func(r *templateRow) templateKey { return templateKey{r.account, r.name, r.language} },
	args:  func(k templateKey) []any { return []any{k.account, k.name, k.language} },
	fields: func(r *templateRow) []any {
		return []any{&r.account, &r.name, &r.language, &r.category, &r.status, &r.body}
	},
	order: func(a, b templateKey) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.name, b.name), cmp.Compare(a.language, b.language))
	},
}

// SaveTemplate stores a template of an account under its name and language, new or changed.
func (tx *Tx) SaveTemplate(t *kabar.TemplateDef) error {
	body, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("encode template: %w", err)
	}
	return tx.templates.put(templateRow{account: int64(t.Account), name: t.Name, language: t.Language, category: string(t.Category),
		status: string(t.Status), body: string(body)})
}

// Template returns a template of the account, or a NotFoundError.
func (db *DB) Template(ctx context.Context, a kabar.AccountID, name, language string) (*kabar.TemplateDef, error) {
	row, err := readOne(ctx, db, templates, "account_id = $1 AND name = $2 AND language = $3", int64(a), name, language)
	if err != nil {
		return nil, notFound(err, "template")
	}
	t := new(kabar.TemplateDef)
	if err := json.Unmarshal([]byte(row.body), t); err != nil {
		return nil, fmt.Errorf("decode template: %w", err)
	}
	t.Account = a
	return t, nil
}
