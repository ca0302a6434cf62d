package endpoint

import (
	"context"
	"strings"
	"time"

	"kabar"
	"kabar/internal/signature"
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
