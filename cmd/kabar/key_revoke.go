package main

import (
	"context"
	"fmt"
	"strings"

	"kabar/internal/auth"
	"kabar/internal/control"
	"kabar/internal/store"
)

type keyRevokeCmd struct {
	storeFlags `embed:""`
	ID         string `arg:"" name:"id" help:"The key's id, as the list shows it, or enough of its beginning; or the key itself."`
}

type (
	revokeKey struct {
		ID string `json:"id"`
	}
	revokedKey struct {
		Item keyItem `json:"item"`
	}
)

// Run revokes a key.
func (c *keyRevokeCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var revoked revokedKey
		if err := op.Call(ctx, "key.revoke", revokeKey{c.ID}, &revoked, nil); err != nil {
			return err
		}
		k := &revoked.Item
		_, err := fmt.Fprintf(s.out, "Revoked the key %s (%s…, %s) of %s. Requests with it are answered 401 from now on.\n", k.ID, k.Hint, orDash(k.Label), k.Number)
		return err
	})
}

func (p *parts) revokeKey(ctx context.Context, in revokeKey, _ control.Report) (out revokedKey, err error) {
	numbers, err := p.chosen(ctx, "")
	if err != nil {
		return out, err
	}
	all, err := p.db.Keys(ctx, 0, 0)
	if err != nil {
		return out, err
	}
	k, err := pickKey(all, in.ID)
	if err != nil {
		return out, err
	}
	accounts, err := p.accountNames(ctx)
	if err != nil {
		return out, err
	}
	digits, ok := numbers[k.Number]
	if !ok {
		digits = reachOf(k, accounts)
	}
	out.Item = newKeyItem(k, digits)
	return out, told(p.auth.RevokeKey(ctx, k.ID))
}

// minID is the least of an id that names a key: a slip must not revoke one.
const minID = 6

// pickKey finds a key by its id, by the beginning of it, or by the key itself.
func pickKey(all []*store.Key, id string) (*store.Key, error) {
	wanted := strings.ToLower(strings.TrimSuffix(id, "…"))
	if strings.HasPrefix(id, "kbr_") {
		wanted = auth.KeyID(id)
	}
	if len(wanted) < minID {
		return nil, control.Refuse("%q is too short for an id: give at least %d characters (kabar key list)", id, minID)
	}
	var found *store.Key
	for _, k := range all {
		switch {
		case !strings.HasPrefix(k.ID, wanted):
		case found != nil:
			return nil, control.Refuse("several keys begin with %q: give more of the id (kabar key list)", id)
		default:
			found = k
		}
	}
	if found == nil {
		return nil, control.Refuse("there is no such key: kabar key list shows what there is")
	}
	return found, nil
}
