package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"kabar"
)

// TemplateQuery says which templates of an account are listed. Empty fields say nothing.
type TemplateQuery struct {
	Name       string // exactly
	Language   string
	Category   kabar.Category
	Statuses   []kabar.TemplateStatus // none: all but those that are deleted
	Score      kabar.TemplateScore
	Content    string // stands in the text, in either case
	NameOrText string // stands in the name or in the text, in either case

	After, Before *TemplateSpot // behind one, or before one
	Limit         int
}

// TemplateSpot is a place in the order in which templates are listed: by name, then by language.
type TemplateSpot struct{ Name, Language string }

// The order and the places of a list are the primary key's.
const (
	templatesAfter  = "account_id = $1 AND (name, language) > ($2, $3)"
	templatesBefore = "account_id = $1 AND (name, language) < ($2, $3)"
)

// ListTemplates returns up to q.Limit templates of the account, by name and language, and whether there are more in the
// direction of the query.
func (db *DB) ListTemplates(ctx context.Context, a kabar.AccountID, q TemplateQuery) (all []*kabar.TemplateDef, more bool, err error) {
	where, spot, order := templatesAfter, TemplateSpot{}, " ORDER BY name, language"
	switch {
	case q.After != nil:
		spot = *q.After
	case q.Before != nil:
		where, spot, order = templatesBefore, *q.Before, " ORDER BY name DESC, language DESC"
	}
	f := &filters{text: where, args: []any{int64(a), spot.Name, spot.Language}}
	f.equal("name", q.Name)
	f.equal("language", q.Language)
	f.equal("category", string(q.Category))
	f.equal("score", string(q.Score))
	f.statuses(q.Statuses)
	f.has("substr(words, length(name) + 2)", q.Content)
	f.has("words", q.NameOrText)
	f.args = append(f.args, int64(q.Limit)+1)
	all, err = openTemplates(readAll(ctx, db, templates, fmt.Sprintf("%s%s LIMIT $%d", f.text, order, len(f.args)), f.args...))
	if more = len(all) > q.Limit; more {
		all = all[:q.Limit]
	}
	if q.Before != nil && q.After == nil {
		slices.Reverse(all)
	}
	return all, more, err
}

// filters gathers the conditions of a query.
type filters struct {
	text string
	args []any
}

func (f *filters) and(condition string, arg any) {
	f.args = append(f.args, arg)
	f.text += " AND " + fmt.Sprintf(condition, len(f.args))
}

func (f *filters) equal(column, value string) {
	if value != "" {
		f.and(column+" = $%d", value)
	}
}

// has looks for a part of a text that is in lower case.
func (f *filters) has(column, part string) {
	if part != "" {
		part = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(part))
		f.and(column+` LIKE $%d ESCAPE '\'`, "%"+part+"%")
	}
}

func (f *filters) statuses(wanted []kabar.TemplateStatus) {
	if len(wanted) == 0 {
		f.text += " AND status NOT IN ('DELETED', 'PENDING_DELETION')"
		return
	}
	var places []string
	for _, s := range wanted {
		f.args = append(f.args, string(s))
		places = append(places, fmt.Sprintf("$%d", len(f.args)))
	}
	f.text += " AND status IN (" + strings.Join(places, ", ") + ")"
}
