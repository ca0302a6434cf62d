package engine

import (
	"context"
	"time"

	"kabar"
	"kabar/internal/store"
)

// DefaultSettings are a number's settings until they are changed (contract On-Premises API, section 1.7).
func DefaultSettings() kabar.Settings {
	return kabar.Settings{
		BackoffStep: 3 * time.Second, BackoffCap: 15 * time.Minute, Concurrency: 6,
		AutoDownload:    []string{"audio", "document", "voice", "video", "image", "sticker"},
		DeliveredEvents: true, ReadEvents: true, NotifyChange: true,
	}
}

// ResetSettings brings application settings back to their defaults. How the number is registered stays as it is, and so does what the
// Cloud API has set.
func ResetSettings(s *kabar.Settings) {
	next := DefaultSettings()
	next.Shards, next.PIN, next.PINProved = s.Shards, s.PIN, s.PINProved
	keepCloud(&next, s)
	*s = next
}

// keepCloud takes over what the Cloud API and the operator have set: that has rules of its own, which the On-Premises API must not get
// around.
func keepCloud(next, s *kabar.Settings) {
	next.Override, next.Deregistered, next.BusinessKey, next.BusinessKeyMark = s.Override, s.Deregistered, s.BusinessKey, s.BusinessKeyMark
	next.Cloud, next.Consent, next.Limits, next.Away = s.Cloud, s.Consent, s.Limits, s.Away
	next.Naming, next.Upgrade = s.Naming, s.Upgrade
}

// ChangeSettings applies change to a number's settings and to the URL of its On-Premises endpoint, and commits both. The
// new settings hold for events that are delivered from now on. Another PIN is told in a webhook, and has to be proved anew. change may be
// called more than once.
func (e *Engine) ChangeSettings(ctx context.Context, id kabar.NumberID, change func(s *kabar.Settings, url *string) error) error {
	e.setting.Lock()
	defer e.setting.Unlock()
	endpoint, err := e.Endpoint(ctx, id)
	if err != nil {
		return err
	}
	err = e.db.Write(ctx, nil, func(tx *store.Tx) error {
		number, settings, err := tx.Number(id)
		if err != nil {
			return err
		}
		url, pin := endpoint.URL, settings.PIN
		if err := change(&settings, &url); err != nil {
			return err
		}
		if url != endpoint.URL {
			if err := tx.SetURL(id, endpoint.ID, url); err != nil {
				return err
			}
		}
		if settings.PIN != pin {
			settings.PINProved = time.Time{}
			if err := e.tellPIN(tx, number); err != nil {
				return err
			}
		}
		tx.After(func() { e.changed(number, settings) })
		return tx.SaveNumber(number, settings)
	})
	return store.Refusal(err)
}

// tellPIN has a number's endpoints told that it has another PIN.
func (e *Engine) tellPIN(tx *store.Tx, n *kabar.Number) error {
	return tx.AddEvent(&kabar.Event{Account: n.Account, Number: n.ID, Kind: kabar.EventSecurity, At: e.now()})
}

// changed puts new settings in the place of the old ones, once they are committed, and has a dispatcher look at them.
func (e *Engine) changed(n *kabar.Number, s kabar.Settings) {
	e.mu.Lock()
	if old := e.lines[n.ID]; old != nil {
		e.lines[n.ID] = &line{number: n, account: old.account, zone: old.zone, hours: hoursZone(n), settings: s, net: old.net}
	}
	e.mu.Unlock()
	e.committed(n.ID)
}

// Endpoint returns the number's On-Premises endpoint, of which webhooks.url is a view. It is made with the number.
func (e *Engine) Endpoint(ctx context.Context, id kabar.NumberID) (*kabar.Endpoint, error) {
	all, err := e.db.Endpoints(ctx, id)
	if err != nil {
		return nil, store.Refusal(err)
	}
	for _, ep := range all {
		if ep.Dialect == kabar.OnPrem && ep.Origin == kabar.FromSettings {
			return ep, nil
		}
	}
	return nil, kabar.Refuse(kabar.ReasonInternal, "", "the number has no On-Premises endpoint")
}

// NewNumber describes a number that is to be added.
type NewNumber struct {
	Account *kabar.Account // an account with ID 0 is added with it
	Digits  string
	Profile kabar.Profile
	// Templates are approved templates of the account; may be empty.
	Templates []*kabar.TemplateDef
	Review    kabar.ReviewMode // of the account's templates; empty: as it is
	Limits    kabar.Limits
	Submitted bool // its name goes before the account's review; otherwise it needs none
}

// AddNumber stores a number with its settings and its On-Premises endpoint, which waits for a URL.
func AddNumber(ctx context.Context, db *store.DB, n NewNumber, now time.Time) (*kabar.Number, error) {
	var number *kabar.Number
	err := db.Write(ctx, nil, func(tx *store.Tx) error {
		account, err := n.account(tx, now)
		if err != nil {
			return err
		}
		number = &kabar.Number{Account: account.ID, Digits: n.Digits, Profile: n.Profile}
		settings := DefaultSettings()
		if settings.Limits = n.Limits; account.Verification.Reviewed() {
			settings.Limits = n.Limits.Trusted()
		}
		if n.Submitted {
			policy, err := tx.Policy(account.ID)
			if err != nil {
				return err
			}
			settings.Naming.First(now, &number.Profile, policy) // no endpoint hears of it yet
		}
		if err := tx.AddNumber(number, settings, now); err != nil {
			return err
		}
		if n.Review != "" {
			if err := tx.SavePolicy(account.ID, kabar.TemplatePolicy{Review: n.Review}); err != nil {
				return err
			}
		}
		for _, t := range n.Templates {
			t.Account = account.ID
			if err := tx.SaveTemplate(t); err != nil {
				return err
			}
		}
		return tx.AddEndpoint(&kabar.Endpoint{Account: number.Account, Number: number.ID, Dialect: kabar.OnPrem,
			EndpointConfig: kabar.EndpointConfig{Origin: kabar.FromSettings, Secrets: firstSecret()}}, now)
	})
	return number, store.Refusal(err)
}

// account returns the account that the number joins.
func (n *NewNumber) account(tx *store.Tx, now time.Time) (*kabar.Account, error) {
	if n.Account.ID != 0 {
		return tx.Account(n.Account.ID)
	}
	account := *n.Account
	return &account, tx.AddAccount(&account, now)
}
