package main

import (
	"context"
	"strings"
	"time"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/store"
)

type keyListCmd struct {
	storeFlags `embed:""`
	listFlags  `embed:""`
	Number     string `help:"Only the keys of this number." placeholder:"DIGITS" env:"-"`
}

type (
	listKeys struct {
		Number string `json:"number"` // empty: all
	}
	keyItem struct {
		ID       string    `json:"id"` // the beginning of it
		Hint     string    `json:"hint"`
		Number   string    `json:"number"`
		Role     string    `json:"role,omitempty"`
		Scopes   []string  `json:"scopes"`
		Label    string    `json:"label"`
		Created  time.Time `json:"created"`
		Expires  time.Time `json:"expires,omitzero"`
		LastUsed time.Time `json:"last_used,omitzero"`
		Revoked  time.Time `json:"revoked,omitzero"`
	}
)

func newKeyItem(k *store.Key, digits string) keyItem {
	return keyItem{ID: k.ID[:min(shortID, len(k.ID))], Hint: k.Hint, Number: digits, Role: k.Role, Scopes: k.Scopes, Label: k.Label,
		Created: k.Created.UTC(), Expires: utc(k.Expires), LastUsed: utc(k.LastUsed), Revoked: utc(k.Revoked)}
}

// utc keeps the zero time what it is.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

// ends says when a key ends, or has ended.
func (k *keyItem) ends() string {
	switch {
	case !k.Revoked.IsZero():
		return "revoked " + moment(k.Revoked, "")
	case !k.Expires.IsZero() && !time.Now().Before(k.Expires):
		return "expired " + moment(k.Expires, "")
	}
	return moment(k.Expires, "never")
}

// Run lists the keys.
func (c *keyListCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var all []keyItem
		if err := op.Call(ctx, "key.list", listKeys{c.Number}, &all, nil); err != nil {
			return err
		}
		return c.print(s.out, all, "There are no keys yet. Make one: kabar key add --label TEXT --data "+c.Data, keyHeader, keyRows(all))
	})
}

// may says what a key may do: its role, or its scopes behind before.
func (k *keyItem) may(before string) string {
	if k.Role != "" {
		return "role " + k.Role
	}
	return before + orDash(strings.Join(k.Scopes, " "))
}

func keyRows(all []keyItem) (rows [][]string) {
	for _, k := range all {
		rows = append(rows, []string{k.ID, orDash(k.Hint), k.Number, k.may(""), orDash(k.Label), moment(k.Created, "-"),
			k.ends(), moment(k.LastUsed, "never")})
	}
	return rows
}

// accountNames returns the accounts' names.
func (p *parts) accountNames(ctx context.Context) (map[kabar.AccountID]string, error) {
	all, err := p.db.Accounts(ctx)
	names := map[kabar.AccountID]string{}
	for _, a := range all {
		names[a.ID] = a.Name
	}
	return names, err
}

// reachOf stands in lists for the number of a key that has none.
func reachOf(k *store.Key, accounts map[kabar.AccountID]string) string {
	if k.Account == 0 {
		return wholeServer
	}
	return allOf(accounts[k.Account])
}

func (p *parts) listKeys(ctx context.Context, in listKeys, _ control.Report) ([]keyItem, error) {
	numbers, err := p.chosen(ctx, in.Number)
	if err != nil {
		return nil, err
	}
	if err := p.auth.NoteUses(ctx); err != nil { // so that the list is of now
		return nil, err
	}
	all, err := p.db.Keys(ctx, 0, 0)
	if err != nil {
		return nil, err
	}
	accounts, err := p.accountNames(ctx)
	if err != nil {
		return nil, err
	}
	items := []keyItem{}
	for _, k := range all {
		digits, ok := numbers[k.Number]
		if k.Number == 0 && in.Number == "" {
			digits, ok = reachOf(k, accounts), true
		}
		if ok {
			items = append(items, newKeyItem(k, digits))
		}
	}
	return items, nil
}
