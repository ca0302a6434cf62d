package engine

import (
	"context"
	"slices"

	"kabar"
	"kabar/internal/signature"
	"kabar/internal/store"
)

// Where the webhooks of the Cloud API go (contract Cloud API, 1.7): to the URL that the number names, else to that of its account,
// else to the app's callback, if the app has subscribed to messages. An account that the app is not subscribed to is not heard of:
// its events wait, as those of an endpoint without a URL do.
//
// Whoever subscribes has answered the challenge at the URL. So an endpoint of it that was suspended is active again; one that its owner has
// paused or disabled stays as it is.

// SetCallback says where the app hears of its accounts, and of which fields. An empty URL ends that.
func (e *Engine) SetCallback(ctx context.Context, url string, fields []string) error {
	return e.redirect(ctx, url, func(tx *store.Tx) error {
		return tx.ChangeApp(func(a *store.App) error { a.Callback, a.CallbackFields = url, fields; return nil })
	})
}

// SetHearing says how an account is heard of.
func (e *Engine) SetHearing(ctx context.Context, id kabar.AccountID, h store.Hearing) error {
	return e.redirect(ctx, h.Override, func(tx *store.Tx) error { return tx.SetAccountHearing(id, h) })
}

// SetOverride says where the webhooks of one number go; empty: where those of its account do.
func (e *Engine) SetOverride(ctx context.Context, id kabar.NumberID, url string) error {
	return e.redirect(ctx, url, func(tx *store.Tx) error {
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
	return e.redirect(ctx, "", func(*store.Tx) error { return nil })
}

// redirect commits a change together with the URLs that follow from it. proved is the URL that has answered the challenge; empty: none was
// asked. change may be called more than once.
func (e *Engine) redirect(ctx context.Context, proved string, change func(*store.Tx) error) error {
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
		if i := slices.IndexFunc(all, func(ep *kabar.Endpoint) bool { return ep.Dialect == kabar.Cloud && ep.Origin == kabar.FromSubscription }); i >= 0 {
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
			url, err := leadsTo(tx, n, &app)
			if err != nil {
				return err
			}
			if ep := endpoints[n.ID]; ep == nil || ep.URL != url || url != "" && url == proved {
				err = e.point(ctx, tx, n, ep, url)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// leadsTo returns where a number's webhooks go; empty: nowhere.
func leadsTo(tx *store.Tx, n *kabar.Number, app *store.App) (string, error) {
	_, s, err := tx.Number(n.ID)
	if err != nil {
		return "", err
	}
	h, err := tx.AccountHearing(n.Account)
	if err != nil {
		return "", err
	}
	switch {
	case h.Deaf:
		return "", nil
	case s.Override != "":
		return s.Override, nil
	case h.Override != "":
		return h.Override, nil
	case slices.Contains(app.CallbackFields, FieldMessages):
		return app.Callback, nil
	}
	return "", nil
}

// point gives a number's Cloud endpoint, which may be missing, its URL, and ends its suspension. A new one begins with what happens from now
// on.
func (e *Engine) point(ctx context.Context, tx *store.Tx, n *kabar.Number, ep *kabar.Endpoint, url string) error {
	if ep == nil && url == "" {
		return nil
	}
	tx.After(func() { e.committed(n.ID) })
	if ep == nil {
		head, err := tx.Head(n.ID)
		if err != nil {
			return err
		}
		ep := &kabar.Endpoint{Account: n.Account, Number: n.ID, Dialect: kabar.Cloud, EndpointConfig: kabar.EndpointConfig{URL: url, Origin: kabar.FromSubscription, Secrets: firstSecret()}, Mark: head}
		return tx.AddEndpoint(ep, e.now())
	}
	revived := false
	err := tx.ChangeEndpoint(n.ID, ep.ID, func(c *kabar.EndpointConfig) error {
		c.URL = url
		if revived = c.State == kabar.EndpointSuspended && url != ""; revived {
			c.Become(kabar.EndpointActive, "", e.now())
		}
		return nil
	})
	if err != nil || !revived {
		return err
	}
	return tx.AddEvent(ep.Changed(e.db.PublicEndpoint(ep.Group), kabar.EndpointActive, "it was subscribed again", store.Actor(ctx), e.now()))
}

// FieldMessages is the field of webhooks that tells of messages and their statuses.
const FieldMessages = "messages"

// firstSecret signs what a new endpoint is sent. Nobody is shown it: who wants to verify replaces it.
func firstSecret() []kabar.EndpointSecret { return []kabar.EndpointSecret{{Value: signature.New()}} }
