package graph

import (
	"context"
	"crypto/rand"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/store"
)

// maxOverride is the longest override_callback_uri, in characters.
const maxOverride = 200

// override is where else webhooks are to go.
type override struct {
	URL   *string `json:"override_callback_uri"`
	Token string  `json:"verify_token"`
}

// subscribe: POST /{account}/subscribed_apps. Without a URL what was set before is taken away.
func (a *API) subscribe(x *exchange, w *kabar.Account) error {
	var in override
	if err := x.decode(&in); err != nil {
		return err
	}
	url, err := a.overrideOf(x, &in)
	if err != nil {
		return err
	}
	if err := a.engine.SetHearing(x.r.Context(), w.ID, store.Hearing{Override: url}); err != nil {
		return err
	}
	return x.success()
}

// unsubscribe: DELETE /{account}/subscribed_apps.
func (a *API) unsubscribe(x *exchange, w *kabar.Account) error {
	if err := a.engine.SetHearing(x.r.Context(), w.ID, store.Hearing{Deaf: true}); err != nil {
		return err
	}
	return x.success()
}

// subscribers: GET /{account}/subscribed_apps. There is one app, that of this server.
func (a *API) subscribers(x *exchange, w *kabar.Account) error {
	h, err := a.store.AccountHearing(x.r.Context(), w.ID)
	if err != nil {
		return store.Refusal(err)
	}
	page := list{Data: []any{}}
	if !h.Deaf {
		one := map[string]any{"whatsapp_business_api_data": map[string]string{"id": a.auth.AppID(), "link": x.origin() + "/", "name": a.name}}
		if h.Override != "" {
			one["override_callback_uri"] = h.Override
		}
		page.Data = append(page.Data, one)
	}
	return x.reply(page)
}

// webhookConfiguration says where the webhooks of a number go.
func (a *API) webhookConfiguration(x *exchange, n *kabar.Number, _ Field) (any, error) {
	app, err := a.app(x)
	if err != nil {
		return nil, err
	}
	h, err := a.store.AccountHearing(x.r.Context(), n.Account)
	if err != nil {
		return nil, store.Refusal(err)
	}
	s, err := a.engine.Settings(n.ID)
	if err != nil {
		return nil, err
	}
	shown := map[string]string{}
	for name, u := range map[string]string{"application": app.Callback, "whatsapp_business_account": h.Override, "phone_number": s.Override} {
		if u != "" {
			shown[name] = u
		}
	}
	return shown, nil
}

// overrideOf returns the URL of an override, which has said that it wants webhooks; empty for none.
func (a *API) overrideOf(x *exchange, in *override) (string, error) {
	if in.URL == nil || *in.URL == "" {
		return "", nil
	}
	return *in.URL, a.prove(x.r.Context(), *in.URL, in.Token)
}

// subscription is what an app subscribes to.
type subscription struct {
	Object   string `json:"object"`
	Callback string `json:"callback_url"`
	Token    string `json:"verify_token"`
	Fields   string `json:"fields"`
}

// hookObject is the only object that there are webhooks of.
const hookObject = "whatsapp_business_account"

// setCallback: POST /{app}/subscriptions.
func (a *API) setCallback(x *exchange, _ *store.App) error {
	var in subscription
	if err := x.decode(&in); err != nil {
		return err
	}
	switch {
	case in.Object != hookObject:
		return kabar.Refuse(kabar.ReasonInvalid, "object", "is %q, allowed is %s", clip(in.Object), hookObject)
	case in.Callback == "":
		return kabar.Refuse(kabar.ReasonMissing, "callback_url", "is required: where webhooks go")
	}
	fields := strings.FieldsFunc(in.Fields, func(r rune) bool { return strings.ContainsRune(`,[]" `, r) })
	if len(fields) == 0 {
		fields = []string{engine.FieldMessages}
	}
	slices.Sort(fields)
	if err := a.prove(x.r.Context(), in.Callback, in.Token); err != nil {
		return err
	}
	if err := a.engine.SetCallback(x.r.Context(), in.Callback, slices.Compact(fields)); err != nil {
		return err
	}
	return x.success()
}

// callback: GET /{app}/subscriptions.
func (a *API) callback(x *exchange, app *store.App) error {
	page := list{Data: []any{}}
	if app.Callback != "" {
		fields := []any{}
		for _, f := range app.CallbackFields {
			fields = append(fields, map[string]string{"name": f, "version": Version})
		}
		page.Data = append(page.Data, map[string]any{"object": hookObject, "callback_url": app.Callback, "active": true, "fields": fields})
	}
	return x.reply(page)
}

// removeCallback: DELETE /{app}/subscriptions.
func (a *API) removeCallback(x *exchange, _ *store.App) error {
	if err := a.engine.SetCallback(x.r.Context(), "", nil); err != nil {
		return err
	}
	return x.success()
}

// How long a callback may take to answer the challenge, and how much of its answer is read.
const (
	proofTime = 10 * time.Second
	proofSize = 4 << 10
)

// Prove asks a URL whether it wants the webhooks, for an endpoint that is made elsewhere.
func (a *API) Prove(ctx context.Context, callback, token string) error {
	return a.prove(ctx, callback, token)
}

// prove asks a URL whether it wants the webhooks: it has to answer 200 with the challenge that it is sent (contract 1.9).
func (a *API) prove(ctx context.Context, callback, token string) error {
	const field = "callback_url"
	if len([]rune(callback)) > maxOverride {
		return kabar.Refuse(kabar.ReasonInvalid, field, "has more than %d characters", maxOverride)
	}
	if err := a.checkURL(callback); err != nil {
		return kabar.Refuse(kabar.ReasonInvalid, field, "%s", err.Error())
	}
	u, err := url.Parse(callback)
	if err != nil {
		return kabar.Refuse(kabar.ReasonInvalid, field, "is no URL")
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1e15))
	if err != nil {
		return err
	}
	q := u.Query()
	q.Set("hub.mode", "subscribe")
	q.Set("hub.challenge", n.String())
	q.Set("hub.verify_token", token)
	u.RawQuery = q.Encode()
	ctx, cancel := context.WithTimeout(ctx, proofTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return kabar.Refuse(kabar.ReasonInvalid, field, "is no URL")
	}
	res, err := a.web.Do(req, proofSize)
	if err != nil {
		a.log.InfoContext(ctx, "a callback was not verified", "err", err)
		return kabar.Refuse(kabar.ReasonInvalid, field, "The callback URL couldn't be validated: it does not answer")
	}
	defer func() { _ = res.Body.Close() }() // everything has been read, or is not wanted
	text, err := io.ReadAll(io.LimitReader(res.Body, proofSize))
	if err != nil || res.StatusCode != http.StatusOK || strings.TrimSpace(string(text)) != n.String() {
		return kabar.Refuse(kabar.ReasonInvalid, field, "The callback URL couldn't be validated: it answered %d, and not with the challenge alone", res.StatusCode)
	}
	return nil
}
