package manage

import (
	"context"
	"net/http"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/store"
)

// Keys are the API keys, as far as whoever asks may see and give them; *auth.Auth has them.
type Keys interface {
	Given(context.Context, auth.Who) ([]*store.Key, error)
	Give(context.Context, auth.Who, auth.Wanted) (key string, k *store.Key, err error)
	Take(ctx context.Context, w auth.Who, id string) error
}

// Key is a key as answers show it.
type Key struct {
	ID       string   `json:"id"`
	Begins   string   `json:"begins"`
	Account  string   `json:"account,omitempty"`
	Number   string   `json:"number,omitempty"`
	Role     string   `json:"role,omitempty"`
	Scopes   []string `json:"scopes"`
	Label    string   `json:"label,omitempty"`
	Created  string   `json:"created"`
	Expires  string   `json:"expires,omitempty"`
	LastUsed string   `json:"last_used,omitempty"`
	Revoked  string   `json:"revoked,omitempty"`

	Secret string `json:"key,omitempty"` // when it is made, and never again
}

// shownKey describes a key; the digits of numbers are by their id.
func (a *API) shownKey(k *store.Key, digits map[kabar.NumberID]string) Key {
	shown := Key{ID: k.ID, Begins: k.Hint, Number: digits[k.Number], Role: k.Role, Scopes: k.Scopes, Label: k.Label,
		Created: written(k.Created), Expires: written(k.Expires), LastUsed: written(k.LastUsed), Revoked: written(k.Revoked)}
	if k.Account != 0 {
		shown.Account = a.nodeID(int64(k.Account))
	}
	if role, err := auth.RoleNamed(k.Role); err == nil {
		shown.Scopes = role.Scopes
	}
	if shown.Scopes == nil {
		shown.Scopes = []string{}
	}
	return shown
}

// digits returns the numbers of the server.
func (a *API) digits(ctx context.Context) (map[kabar.NumberID]string, error) {
	all, err := a.o.Numbers(ctx)
	digits := map[kabar.NumberID]string{}
	for _, n := range all {
		digits[n.ID] = n.Digits
	}
	return digits, store.Refusal(err)
}

// listKeys: GET /kabar/v1/keys, oldest first, those that have ended among them.
func (a *API) listKeys(w http.ResponseWriter, r *http.Request) {
	digits, err := a.digits(r.Context())
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	all, err := a.o.Keys.Given(r.Context(), auth.From(r))
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	data := []Key{}
	for _, k := range all {
		data = append(data, a.shownKey(k, digits))
	}
	a.write(w, http.StatusOK, map[string]any{"data": data})
}

// makeKey: POST /kabar/v1/keys.
func (a *API) makeKey(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Account string    `json:"account"`
		Number  string    `json:"number"`
		Role    string    `json:"role"`
		Scopes  []string  `json:"scopes"`
		Label   string    `json:"label"`
		Expires time.Time `json:"expires"`
	}
	if !a.read(w, r, &in, `send {"role":"marketer","label":"campaigns","expires":"2031-12-31T00:00:00Z"}, or "scopes" instead of the role`) {
		return
	}
	wanted := auth.Wanted{Number: in.Number, Role: in.Role, Scopes: in.Scopes, Label: in.Label, Expires: in.Expires}
	if in.Account != "" {
		account, err := a.oneAccount(r, in.Account)
		if err != nil {
			a.Refuse(w, r, err)
			return
		}
		wanted.Account = account
	}
	digits, err := a.digits(r.Context())
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	secret, k, err := a.o.Keys.Give(r.Context(), auth.From(r), wanted)
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	shown := a.shownKey(k, digits)
	shown.Secret = secret
	w.Header().Set("Cache-Control", "no-store")
	a.write(w, http.StatusCreated, shown)
}

// revokeKey: DELETE /kabar/v1/keys/{id}.
func (a *API) revokeKey(w http.ResponseWriter, r *http.Request) {
	if err := a.o.Keys.Take(r.Context(), auth.From(r), r.PathValue("id")); err != nil {
		a.Refuse(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
