package bench

import (
	"context"
	"fmt"
	"net/http"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/signature"
	"kabar/internal/store"
)

// endpoint is one that a mode starts and stops. Each has a mark of its own, so each is told of the whole log. All have a secret: every
// request is signed, as it is in service.
type endpoint struct {
	id    string // as the management API has it
	key   string // that may change it
	hook  string
	batch int // events in a request at most; 0: what the dialect does by itself
}

// addEndpoint gives the number an endpoint that is paused. It is told of what comes behind after.
func (w *world) addEndpoint(ctx context.Context, dialect kabar.Dialect, batch int, hook string, after int64) (*endpoint, error) {
	e := &kabar.Endpoint{Account: w.number.Account, Number: w.number.ID, Dialect: dialect, Mark: after}
	e.EndpointConfig = kabar.EndpointConfig{URL: hook, Origin: kabar.FromAPI, Secrets: []kabar.EndpointSecret{{Value: signature.New()}},
		Concurrency: concurrency, Batch: batch, State: kabar.EndpointPaused}
	if err := w.write(ctx, func(tx *store.Tx) error { return tx.AddEndpoint(e, w.number.Created) }); err != nil {
		return nil, err
	}
	key, err := w.manager(ctx)
	return &endpoint{id: w.db.PublicEndpoint(e.Group), key: key, hook: hook, batch: batch}, err
}

// manager makes a key that may start and stop endpoints.
func (w *world) manager(ctx context.Context) (string, error) {
	users, err := auth.New(ctx, auth.Options{Store: w.db})
	if err != nil {
		return "", err
	}
	key := auth.NewKey()
	return key, users.AddKey(ctx, key, auth.Grant{Account: w.number.Account, Scopes: []string{auth.ScopeWebhooks}})
}

// become starts an endpoint, or has it wait.
func (b *bench) become(ctx context.Context, s *server, e *endpoint, to kabar.EndpointState) error {
	_, err := b.call(ctx, e.key, http.MethodPatch, "http://"+s.addr+"/kabar/v1/endpoints/"+e.id, fmt.Appendf(nil, `{"state":%q}`, to))
	return err
}
