package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"kabar"
)

type templateRow struct {
	account                          int64
	name, language, category, status string
	body                             string
	id                               int64
	twin, words, score               string
	created, due                     int64
}

var templates = &table[templateKey, templateRow]{
	shape: shape{"template", cols("account_id:bigint name:text language:text"),
		cols("category:text status:text body:text id:bigint twin:text words:text score:text created:bigint due:bigint")},
	key:  func(r *templateRow) templateKey { return templateKey{r.account, r.name, r.language} },
	args: func(k templateKey) []any { return []any{k.account, k.name, k.language} },
	fields: func(r *templateRow) []any {
		return []any{&r.account, &r.name, &r.language, &r.category, &r.status, &r.body, &r.id, &r.twin, &r.words, &r.score, &r.created, &r.due}
	},
	order: func(a, b templateKey) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.name, b.name), cmp.Compare(a.language, b.language))
	},
}

// templateBody is a template as it is stored.
type templateBody struct {
	*kabar.TemplateDef
	Life kabar.TemplateLife `json:"life,omitzero"`
}

// WantTemplate announces that the template will be asked for.
func (tx *Tx) WantTemplate(a kabar.AccountID, name, language string) {
	tx.templates.want(templateKey{int64(a), name, language})
}

// SaveTemplate stores a template of an account under its name and language, new or changed. A new one gets its ID.
func (tx *Tx) SaveTemplate(t *kabar.TemplateDef) error {
	key := templateKey{int64(t.Account), t.Name, t.Language}
	if t.ID == 0 {
		old, err := tx.templates.see(key)
		if err != nil {
			return err
		}
		if old != nil {
			t.ID = kabar.TemplateID(old.id)
		} else if t.ID, err = tx.newTemplateID(); err != nil {
			return err
		}
	}
	body, err := json.Marshal(templateBody{t, t.Life})
	if err != nil {
		return fmt.Errorf("encode template: %w", err)
	}
	row := templateRow{account: key.account, name: t.Name, language: t.Language, category: string(t.Category), status: string(t.Status), body: string(body),
		id: int64(t.ID), twin: t.Twin(), words: strings.ToLower(t.Name + "\n" + t.Text()), score: string(t.Quality())}
	if !t.Life.Created.IsZero() {
		row.created = millis(t.Life.Created)
	}
	if due := t.Due(); !due.IsZero() {
		row.due = millis(due)
	}
	tx.forgetTemplate(key)
	return tx.templates.put(row)
}

// newTemplateID returns the id of a new template: that of a node of the Graph API.
func (tx *Tx) newTemplateID() (kabar.TemplateID, error) {
	key, err := tx.NewKey()
	return kabar.TemplateID(tx.b.db.Node(key)), err
}

// RemoveTemplate forgets a template. One that is not there is no error.
func (tx *Tx) RemoveTemplate(t *kabar.TemplateDef) error {
	key := templateKey{int64(t.Account), t.Name, t.Language}
	tx.forgetTemplate(key)
	return tx.templates.del(key)
}

// FindTemplate returns a template of the account, or nil if there is none.
func (tx *Tx) FindTemplate(a kabar.AccountID, name, language string) (*kabar.TemplateDef, error) {
	row, err := tx.templates.see(templateKey{int64(a), name, language})
	if err != nil || row == nil {
		return nil, err
	}
	return openTemplate(row)
}

// Template returns a template of the account, or a NotFoundError.
func (db *DB) Template(ctx context.Context, a kabar.AccountID, name, language string) (*kabar.TemplateDef, error) {
	row, err := readOne(ctx, db, templates, "account_id = $1 AND name = $2 AND language = $3", int64(a), name, language)
	if err != nil {
		return nil, notFound(err, "template")
	}
	return openTemplate(row)
}

const templateByID = "id = $1 AND account_id = $2"

// TemplateByID returns a template of the account by its id, or a NotFoundError.
func (db *DB) TemplateByID(ctx context.Context, a kabar.AccountID, id kabar.TemplateID) (*kabar.TemplateDef, error) {
	row, err := readOne(ctx, db, templates, templateByID, int64(id), int64(a))
	if err != nil {
		return nil, notFound(err, "template")
	}
	return openTemplate(row)
}

func openTemplate(row *templateRow) (*kabar.TemplateDef, error) {
	t := templateBody{TemplateDef: new(kabar.TemplateDef)}
	if err := json.Unmarshal([]byte(row.body), &t); err != nil {
		return nil, fmt.Errorf("decode template: %w", err)
	}
	t.Account, t.ID, t.TemplateDef.Life = kabar.AccountID(row.account), kabar.TemplateID(row.id), t.Life
	return t.TemplateDef, nil
}

func openTemplates(rows []templateRow, err error) ([]*kabar.TemplateDef, error) {
	if err != nil {
		return nil, err
	}
	all := make([]*kabar.TemplateDef, len(rows))
	for i := range rows {
		if all[i], err = openTemplate(&rows[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Templates returns the templates of the account, or of all accounts when a is zero, by name and language.
func (db *DB) Templates(ctx context.Context, a kabar.AccountID) ([]*kabar.TemplateDef, error) {
	return openTemplates(readAll(ctx, db, templates, "account_id = $1 OR $1 = 0 ORDER BY account_id, name, language", int64(a)))
}

// TemplatesNamed returns the templates of the account with a name, by language.
func (db *DB) TemplatesNamed(ctx context.Context, a kabar.AccountID, name string) ([]*kabar.TemplateDef, error) {
	return openTemplates(readAll(ctx, db, templates, "account_id = $1 AND name = $2 ORDER BY language", int64(a), name))
}

// HasTemplates reports whether the account has a template in the language.
func (db *DB) HasTemplates(ctx context.Context, a kabar.AccountID, language string) (bool, error) {
	rows, err := readAll(ctx, db, templates, "account_id = $1 AND language = $2 LIMIT 1", int64(a), language)
	return len(rows) > 0, err
}

const templateTwins = "account_id = $1 AND twin = $2"

// Twins returns up to ten templates of the account that are duplicates of t, but for those that are deleted.
func (db *DB) Twins(ctx context.Context, t *kabar.TemplateDef) ([]*kabar.TemplateDef, error) {
	twin := t.Twin()
	if twin == "" {
		return nil, nil
	}
	return openTemplates(readAll(ctx, db, templates, templateTwins+" AND name <> $3 AND status NOT IN ('DELETED', 'PENDING_DELETION', 'REJECTED') LIMIT 10",
		int64(t.Account), twin, t.Name))
}

// CountTemplates returns how many templates the account has, without the one of a name and those that are deleted, and how many were
// made since. Languages of one count once among all, and each by itself among those that were made.
func (db *DB) CountTemplates(ctx context.Context, a kabar.AccountID, but string, since time.Time) (all, lately int, err error) {
	ctx, cancel := db.within(ctx)
	defer cancel()
	err = db.read.QueryRowContext(ctx, `SELECT
		(SELECT count(DISTINCT name) FROM template WHERE account_id = $1 AND name <> $3 AND status NOT IN ('DELETED', 'PENDING_DELETION')),
		(SELECT count(*) FROM template WHERE account_id = $1 AND created > $2)`, int64(a), millis(since), but).Scan(&all, &lately)
	if err != nil {
		err = faultIn(ctx, err)
	}
	return all, lately, err
}

const templateDue = "due > 0 AND due <= $1"

// DueTemplates returns up to limit templates of all accounts to which something happens by itself at now or earlier.
func (db *DB) DueTemplates(ctx context.Context, now time.Time, limit int) ([]*kabar.TemplateDef, error) {
	return openTemplates(readAll(ctx, db, templates, templateDue+" ORDER BY due LIMIT $2", millis(now), int64(limit)))
}

// NextDue returns when something happens to a template by itself, whichever comes first; zero: nothing does.
func (db *DB) NextDue(ctx context.Context) (time.Time, error) {
	rows, err := readAll(ctx, db, templates, "due > 0 ORDER BY due LIMIT 1")
	if err != nil || len(rows) == 0 {
		return time.Time{}, err
	}
	return instant(rows[0].due), nil
}

// FillTemplates fills in what is searched of templates that were stored by an older program.
func (db *DB) FillTemplates(ctx context.Context) error {
	old, err := openTemplates(readAll(ctx, db, templates, "words = ''"))
	if err != nil || len(old) == 0 {
		return err
	}
	return db.Write(ctx, nil, func(tx *Tx) error {
		for _, t := range old {
			now, err := tx.FindTemplate(t.Account, t.Name, t.Language)
			if err != nil {
				return err
			}
			if now == nil {
				continue
			}
			if err := tx.SaveTemplate(now); err != nil {
				return err
			}
		}
		return nil
	})
}
