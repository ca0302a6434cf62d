package engine

import (
	"context"
	"slices"

	"kabar"
	"kabar/internal/store"
)

// Where the webhooks of the Cloud API go (contract Cloud API, 1.7): to the URL that the number names, else to that of its account,
// else to the app's callback, if the app has subscribed to messages. An account that the app is not subscribed to is not heard of:
// its events wait, as those of an endpoint without a URL do.

// SetCallback says where the app hears of its accounts, and of which fields. An empty URL ends that.
func (e *Engine) SetCallback(ctx context.Context, url string, fields []string) error {
	return e.redirect(ctx, func(tx *store.Tx) error {
		return tx.ChangeApp(func(a *store.App) error { a.Callback, a.CallbackFields = url, fields; return nil })
	})
}

// SetHearing says how an account is heard of.
func (e *Engine) SetHearing(ctx context.Context, id kabar.AccountID, h store.Hearing) error {
	return e.redirect(ctx, func(tx *store.Tx) error { return tx.SetAccountHearing(id, h) })
}

// SetOverride says where the webhooks of one number go; empty: where those of its account do.
func (e *Engine) SetOverride(ctx context.Context, id kabar.NumberID, url string) error {
	return e.redirect(ctx, func(tx *store.Tx) error {
		n, s, err := tx.Number(id)
		if err != nil {
			return err
		}
		s.Override = url
		tx.After(func() { e.changed(n, s) })
		return tx.SaveNumber(n, s)
	})
}

// Redirect points the endpoints of all numbers to where their webhooks go, for a number that has just been added.
func (e *Engine) Redirect(ctx context.Context) error {
	return e.redirect(ctx, func(*store.Tx) error { return nil })
}

// redirect commits a change together with the URLs that follow from it. change may be called more than once.
func (e *Engine) redirect(ctx context.Context, change func(*store.Tx) error) error {
	e.setting.Lock()
	defer e.setting.Unlock()
	numbers, err := e.db.Numbers(ctx)
	if err != nil {
		return store.Refusal(err)
	}
	endpoints := map[kabar.NumberID]*kabar.Endpoint{}
	for _, n := range numbers {
		all, err := e.db.Endpoints(ctx, n.ID)
		if err != nil {
			return store.Refusal(err)
		}
		if i := slices.IndexFunc(all, func(ep *kabar.Endpoint) bool { return ep.Dialect == kabar.Cloud }); i >= 0 {
			endpoints[n.ID] = all[i]
		}
	}
	return store.Refusal(e.db.Write(ctx, nil, func(tx *store.Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		var app store.App
		if err := tx.ChangeApp(func(a *store.App) error { app = *a; return nil }); err != nil {
			return err
		}
		for _, n := range numbers {
			if err := e.point(tx, n, endpoints[n.ID], &app); err != nil {
				return err
			}
		}
		return nil
	}))
}

// point gives a number's Cloud endpoint, which may be missing, its URL. A new one begins with what happens from now on.
func (e *Engine) point(tx *store.Tx, n *kabar.Number, ep *kabar.Endpoint, app *store.App) error {
	_, s, err := tx.Number(n.ID)
	if err != nil {
		return err
	}
	h, err := tx.AccountHearing(n.Account)
	if err != nil {
		return err
	}
	url := s.Override
	switch {
	case h.Deaf:
		url = ""
	case url == "" && h.Override != "":
		url = h.Override
	case url == "" && slices.Contains(app.CallbackFields, FieldMessages):
		url = app.Callback
	}
	switch {
	case ep == nil && url == "", ep != nil && ep.URL == url:
		return nil
	case ep == nil:
		head, err := tx.Head(n.ID)
		if err != nil {
			return err
		}
		ep := &kabar.Endpoint{Account: n.Account, Number: n.ID, Dialect: kabar.Cloud, URL: url, Mark: head}
		if err := tx.AddEndpoint(ep, e.now()); err != nil {
			return err
		}
	default:
		if err := tx.SetURL(n.ID, ep.ID, url); err != nil {
			return err
		}
	}
	tx.After(func() { e.committed(n.ID) })
	return nil
}

// FieldMessages is the field of webhooks that tells of messages and their statuses.
const FieldMessages = "messages"
