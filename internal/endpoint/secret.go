package endpoint

import (
	"context"
	"slices"
	"strings"
	"time"

	"kabar"
	"kabar/internal/signature"
	"kabar/internal/store"
)

// NewSecret is a secret that is to take the place of those an endpoint has.
type NewSecret struct {
	Value   string        // whsec_ or whsk_; empty: made here
	Kind    SecretKind    // empty: that of Value, or Shared
	Overlap time.Duration // for which the old ones sign, too
}

// SecretKind is how a secret signs, as webhook-signature names it.
type SecretKind string

// The kinds of secrets.
const (
	Shared SecretKind = "v1"  // HMAC: whsec_
	Pair   SecretKind = "v1a" // Ed25519: whsk_, of which the application needs the public half alone
)

// make returns the secret that is wanted.
func (n *NewSecret) make() (string, error) {
	switch {
	case n.Kind != "" && n.Kind != Shared && n.Kind != Pair:
		return "", kabar.Refuse(kabar.ReasonInvalid, "kind", "may be v1 (HMAC) or v1a (Ed25519)")
	case n.Value == "" && n.Kind == Pair:
		private, _ := signature.NewPair()
		return private, nil
	case n.Value == "":
		return signature.New(), nil
	}
	if err := signature.Check(n.Value); err != nil {
		return "", kabar.Refuse(kabar.ReasonInvalid, "secret", "%s", err.Error())
	}
	of := Shared
	if strings.HasPrefix(n.Value, "whsk_") {
		of = Pair
	}
	if n.Kind != "" && n.Kind != of {
		return "", kabar.Refuse(kabar.ReasonInvalid, "kind", "is %s, and the secret is of the kind %s: leave kind out, or give a secret of that kind", n.Kind, of)
	}
	return n.Value, nil
}

// Rotate gives an endpoint a new secret and returns it: this is the only time that it is shown.
func (es *Endpoints) Rotate(ctx context.Context, id kabar.EndpointID, n NewSecret) (g Group, secret string, err error) {
	if secret, err = n.make(); err != nil {
		return nil, "", err
	}
	if n.Overlap < 0 || n.Overlap > MaxOverlapHours*time.Hour {
		return nil, "", kabar.Refuse(kabar.ReasonInvalid, "overlap_hours", "may be 0 to %d", MaxOverlapHours)
	}
	now := es.o.Now()
	g, err = es.Change(ctx, id, func(c *kabar.EndpointConfig) error {
		all, err := replaced(c.Secrets, secret, now, now.Add(n.Overlap))
		if err == nil {
			c.Secrets = all
		}
		return err
	})
	return g, secret, err
}

// replaced returns the secrets of an endpoint with a new one before the others, which end at until.
func replaced(olds []kabar.EndpointSecret, secret string, now, until time.Time) ([]kabar.EndpointSecret, error) {
	all := []kabar.EndpointSecret{{Value: secret}}
	first := until // when the first of them ends
	for _, old := range olds {
		if old.Value == secret {
			return nil, kabar.Refuse(kabar.ReasonInvalid, "secret", "is one that the endpoint has already")
		}
		if old.Until.IsZero() || old.Until.After(until) {
			old.Until = until
		}
		if old.Until.After(now) {
			all = append(all, old)
		}
		if old.Until.After(now) && old.Until.Before(first) {
			first = old.Until
		}
	}
	if len(all) > maxSecrets {
		return nil, kabar.Refuse(kabar.ReasonEndpointState, "secret", "would be one of %d that sign, and %d may: the next one ends at %s; wait until then, or ask without overlap_hours, which ends all the others at once",
			len(all), maxSecrets, first.UTC().Format(time.RFC3339))
	}
	return all, nil
}

// Suspend has an endpoint sent nothing until somebody activates it, and tells those who read its number's log. It is for the dispatcher, and
// returns the event that tells of it. There is none when an endpoint that is not active, has another URL by now, or takes events of another
// number, stays as it is.
func (es *Endpoints) Suspend(ctx context.Context, e *kabar.Endpoint, why kabar.Suspension) (*kabar.Event, error) {
	es.changing.Lock()
	defer es.changing.Unlock()
	g, err := es.Get(ctx, e.Group)
	if err != nil {
		return nil, err
	}
	first := g.First()
	i := slices.IndexFunc(g, func(row *kabar.Endpoint) bool { return row.ID == e.ID })
	if i < 0 || !first.Active() || g[i].URL != e.URL || !g[i].Since.Equal(e.Since) { // each row has a Since of its own
		return nil, nil // whoever asks has failed at what it was before
	}
	if works, err := es.works(ctx, g, why.Since); works || err != nil {
		return nil, err
	}
	var told *kabar.Event
	now := es.o.Now()
	err = es.write(ctx, func(tx *store.Tx) error {
		for _, row := range g {
			err := tx.ChangeEndpoint(row.Number, row.ID, func(c *kabar.EndpointConfig) error {
				c.Become(kabar.EndpointSuspended, why.Reason, now)
				return nil
			})
			if err != nil && !store.IsNotFound(err) {
				return err
			}
		}
		tx.After(func() { es.wake(g.Numbers()) })
		ev, err := es.tell(ctx, tx, first, kabar.EndpointSuspended, why.Reason)
		told = ev // of the run that is committed: it is the last
		return err
	})
	if err != nil {
		return nil, err
	}
	return told, nil
}

// works reports whether one of an endpoint's rows has taken something since a time; zero: that does not matter.
func (es *Endpoints) works(ctx context.Context, g Group, since time.Time) (bool, error) {
	if since.IsZero() {
		return false, nil
	}
	for _, e := range g {
		last, err := es.o.Store.LastTaken(ctx, e.Number, e.ID)
		if err != nil {
			return false, store.Refusal(err)
		}
		if last.After(since) {
			return true, nil
		}
	}
	return false, nil
}
