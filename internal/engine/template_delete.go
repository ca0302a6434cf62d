package engine

import (
	"context"
	"slices"
	"time"

	"kabar"
	"kabar/internal/store"
)

// Doomed says which templates are to be deleted: all of a name, or those with the ids. With both, the ids must have the name.
type Doomed struct {
	Name string
	IDs  []kabar.TemplateID
}

// Delete deletes templates, all of them or none. One that is unknown is ReasonNotFound.
func (t *Templates) Delete(ctx context.Context, a kabar.AccountID, which Doomed, actor string) error {
	all, err := t.doomed(ctx, a, which)
	if err != nil {
		return store.Refusal(err)
	}
	now := t.now()
	return t.write(ctx, a, actor, func(tx *store.Tx) (changes []kabar.TemplateChange, err error) {
		for _, d := range all {
			d, err := tx.FindTemplate(a, d.Name, d.Language)
			if err != nil || d == nil {
				return nil, err
			}
			busy, err := underWay(tx, d.ID, now)
			if err != nil {
				return nil, err
			}
			more, gone, err := d.Delete(now, busy)
			if err != nil {
				return nil, err
			}
			changes = append(changes, more...)
			if gone {
				err = tx.RemoveTemplate(d)
			} else {
				err = tx.SaveTemplate(d)
			}
			if err != nil {
				return nil, err
			}
		}
		return changes, nil
	})
}

func (t *Templates) doomed(ctx context.Context, a kabar.AccountID, which Doomed) (all []*kabar.TemplateDef, err error) {
	for _, id := range which.IDs {
		d, err := t.db.TemplateByID(ctx, a, id)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	if len(which.IDs) == 0 {
		if all, err = t.db.TemplatesNamed(ctx, a, which.Name); err != nil {
			return nil, err
		}
	}
	all = slices.DeleteFunc(all, func(d *kabar.TemplateDef) bool {
		return d.Status == kabar.TemplateDeleted || d.Status == kabar.TemplatePendingDeletion || which.Name != "" && d.Name != which.Name
	})
	if len(all) == 0 || len(which.IDs) > len(all) {
		return nil, kabar.Refuse(kabar.ReasonNotFound, "name", "there is no such template")
	}
	return all, nil
}

// underWay reports whether messages of the template were accepted and neither sent nor failed.
func underWay(tx *store.Tx, id kabar.TemplateID, now time.Time) (bool, error) {
	var sum kabar.TemplateUse
	for day := kabar.DayOf(now.Add(-kabar.DefaultTTL)); day <= kabar.DayOf(now); day++ {
		u, err := tx.Use(id, day)
		if err != nil {
			return false, err
		}
		sum.Add(u)
	}
	return sum.Accepted > sum.Sent+sum.Failed, nil
}
