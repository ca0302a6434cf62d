package engine

import (
	"context"
	"errors"
	"time"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/store"
)

// Portrait is what administrators of a number have set, and the keys by which its network knows it: everything that a backup of
// its settings holds. Sessions, messages and users are not in it.
type Portrait struct {
	Settings kabar.Settings `json:"settings"`
	URL      string         `json:"url"`
	Profile  kabar.Profile  `json:"profile"`
	Photo    []byte         `json:"photo_full,omitempty"`
	Keys     []byte         `json:"keys,omitempty"` // of a number that is registered: what Movable.Leave has returned
}

// Portrait returns what has been set of a number.
func (e *Engine) Portrait(ctx context.Context, id kabar.NumberID) (*Portrait, error) {
	n, s, err := e.db.Number(ctx, id)
	if err != nil {
		return nil, store.Refusal(err)
	}
	endpoint, err := e.Endpoint(ctx, id)
	if err != nil {
		return nil, err
	}
	p := &Portrait{Settings: s, URL: endpoint.URL, Profile: n.Profile}
	p.Photo, _, err = e.db.Photo(ctx, id)
	if err != nil && !store.IsNotFound(err) {
		return nil, store.Refusal(err)
	}
	p.Keys, err = e.departure(ctx, id)
	return p, err
}

// SetPortrait replaces all that is set of a number, in one commit, except for what the Cloud API has set here: a backup would
// bring back a username that another number has by now. Customers get the profile with the next thing that is sent
// to them. Keys are taken over by a number that is not registered here, which then is the one they belong to: its sessions begin
// afresh, and the server that had them must not run any more. A number that is registered keeps the keys it has, which are newer
// than a backup can be. ReasonNotReady: the network has not said yet which of the two it is.
func (e *Engine) SetPortrait(ctx context.Context, id kabar.NumberID, p *Portrait) error {
	if err := p.Profile.Validate(); err != nil {
		return err
	}
	l, err := e.line(id)
	if err != nil {
		return err
	}
	e.setting.Lock()
	defer e.setting.Unlock()
	endpoint, err := e.Endpoint(ctx, id)
	if err != nil {
		return err
	}
	change, err := e.arrival(ctx, l, p.Keys)
	if err != nil {
		return err
	}
	err = e.db.Write(ctx, func(tx *store.Tx) { wantChange(tx, id, change) }, func(tx *store.Tx) error {
		n, present, err := tx.Number(id)
		if err != nil {
			return err
		}
		settings := p.Settings
		keepCloud(&settings, &present)
		name := n.Profile.Name
		n.Profile, n.Profile.Name = p.Profile, name
		n.ProfileVersion++
		names, err := e.restoreName(tx, n, &settings.Naming, p.Profile.Name)
		if err != nil {
			return err
		}
		photo := tx.RemovePhoto(id)
		if len(p.Photo) > 0 {
			photo = tx.SavePhoto(n, p.Photo, e.now())
		}
		var pin error
		if settings.PIN != present.PIN {
			pin = e.tellPIN(tx, n)
		}
		tx.After(func() {
			e.changed(n, settings)
			e.reviews.hurry()
		})
		return errors.Join(photo, pin, e.reviews.tell(tx, n, names), tx.SetURL(id, endpoint.ID, p.URL), tx.SaveNumber(n, settings), apply(tx, n, change))
	})
	switch {
	case errors.Is(err, store.ErrStale):
		return &kabar.Error{Reason: kabar.ReasonNotReady, Detail: "the number's keys have changed meanwhile", After: time.Second}
	case err != nil:
		return store.Refusal(err)
	}
	if len(change) > 0 {
		e.moveIn(ctx, l)
	}
	return nil
}

// departure returns the keys of a number that is registered; nil of one that is not, or whose network has none to give.
func (e *Engine) departure(ctx context.Context, id kabar.NumberID) ([]byte, error) {
	l, err := e.line(id)
	if err != nil {
		return nil, err
	}
	m, ok := l.net.(network.Movable)
	if !ok || e.registration(l) != network.RegistrationConfirmed {
		return nil, nil
	}
	s, err := e.state(ctx, id, m.Movement())
	if err != nil {
		return nil, err
	}
	return m.Leave(s)
}

// arrival returns the change by which a number takes keys over; empty when it needs none.
func (e *Engine) arrival(ctx context.Context, l *line, keys []byte) (network.Change, error) {
	m, ok := l.net.(network.Movable)
	if !ok || len(keys) == 0 || e.registration(l) == network.RegistrationConfirmed {
		return nil, nil
	}
	if e.registration(l) == network.RegistrationUnknown {
		return nil, &kabar.Error{Reason: kabar.ReasonNotReady, Detail: "the network has not said yet whether the number is registered here", After: 10 * time.Second}
	}
	s, err := e.state(ctx, l.number.ID, m.Movement())
	if err != nil {
		return nil, err
	}
	change, err := m.Arrive(s, keys, e.now())
	if err != nil {
		e.log.WarnContext(ctx, "take over the keys of a number", "err", err)
		return nil, kabar.Refuse(kabar.ReasonInvalid, "data", "its keys are not those of a number of this network")
	}
	return change, nil
}

// moveIn connects with keys that were taken over. That they are stored is what the caller has been told; if the network cannot be
// reached now, the driver goes on trying.
func (e *Engine) moveIn(ctx context.Context, l *line) {
	if m, ok := l.net.(network.Movable); ok {
		m.Arrived()
	}
	r, ok := l.net.(network.Registrar)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, registerPatience)
	defer cancel()
	if err := r.Register(ctx); err != nil {
		e.log.WarnContext(ctx, "connect with the keys of a backup", "err", err)
	}
}

// registration is how a number stands with its network.
func (e *Engine) registration(l *line) network.Registration {
	r, ok := l.net.(network.Registrar)
	if !ok {
		return network.RegistrationConfirmed // it admits everybody
	}
	state, _ := r.Registration()
	return state
}

// restoreName has a number want the name that a backup has: whoever brings one is not asked less than others.
func (e *Engine) restoreName(tx *store.Tx, n *kabar.Number, g *kabar.Naming, name string) ([]kabar.NameChange, error) {
	if name == n.Profile.Name || kabar.CheckName("name", name) != nil {
		return nil, nil
	}
	return e.reviews.submit(tx, n, g, name)
}
