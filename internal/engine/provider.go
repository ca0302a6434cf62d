package engine

import (
	"context"
	"fmt"
	"net/http"

	"kabar"
	"kabar/internal/store"
)

// Providers returns the number's media providers with their credentials, by name.
func (e *Engine) Providers(ctx context.Context, n kabar.NumberID) ([]*kabar.Provider, error) {
	all, err := e.db.Providers(ctx, n)
	return all, store.Refusal(err)
}

// SaveProvider stores a media provider, in the place of one of the same name.
func (e *Engine) SaveProvider(ctx context.Context, n kabar.NumberID, p *kabar.Provider) error {
	if err := p.Validate(); err != nil {
		return err
	}
	number, err := e.Number(n)
	if err != nil {
		return err
	}
	return store.Refusal(e.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.SaveProvider(number, p) }))
}

// RemoveProvider removes a media provider. Messages that wait for a link with it fail.
func (e *Engine) RemoveProvider(ctx context.Context, n kabar.NumberID, name string) error {
	return store.Refusal(e.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.RemoveProvider(n, name) }))
}

// checkProvider refuses a link with a provider that the number does not have.
func (e *Engine) checkProvider(ctx context.Context, l *line, c *kabar.Media) error {
	if c == nil || c.Link == "" || c.Provider == "" {
		return nil
	}
	_, err := e.db.Provider(ctx, l.number.ID, c.Provider)
	if store.IsNotFound(err) {
		return kabar.Refuse(kabar.ReasonInvalid, string(c.Kind())+".provider", "there is no media provider %q", c.Provider)
	}
	return err
}

// authorize gives the request for a link the credentials of its provider. They go to that link alone: redirects are not
// followed.
func (e *Engine) authorize(ctx context.Context, l *line, c *kabar.Media, req *http.Request) error {
	if c.Provider == "" {
		return nil
	}
	p, err := e.db.Provider(ctx, l.number.ID, c.Provider)
	if store.IsNotFound(err) {
		return fmt.Errorf("%w: %w", errNeverThere, err)
	}
	if err != nil {
		return err
	}
	if p.Bearer != "" {
		req.Header.Set("Authorization", "Bearer "+p.Bearer)
	} else {
		req.SetBasicAuth(p.Username, p.Password)
	}
	return nil
}
