package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/network"
	"kabar/internal/network/relay"
	"kabar/internal/store"
)

// attach connects every number with its network.
func (s *server) attach(ctx context.Context) error {
	numbers, err := s.db.Numbers(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(s.engine.Redirect(ctx), s.endpoints.Spread(ctx)); err != nil {
		return err
	}
	for _, n := range numbers {
		if err := s.connect(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// first is the number the server began with.
func (s *server) first() *kabar.Number { return s.engine.Numbers()[0] }

// connect gives a number its driver, unless it has one.
func (s *server) connect(ctx context.Context, n *kabar.Number) error {
	if s.engine.Network(n.ID) != nil {
		return nil
	}
	return s.engine.Attach(ctx, n.ID, relay.New(relay.Options{URL: s.o.relay, Account: n.Digits, TempDir: s.tempDir(),
		Log: s.o.log.With("number", n.Digits), Now: s.now, HTTP: s.o.relayHTTP,
		Invite: func(ctx context.Context) (string, error) { return s.db.Invite(ctx, n.ID) }}))
}

// addNumber adds a number to an account and connects it. It has no administrator and no invite: kabar number add completes it.
func (s *server) addNumber(ctx context.Context, to kabar.AccountID, digits, name string) (*kabar.Number, error) {
	s.adding.Lock() // one is looked for and added at a time
	defer s.adding.Unlock()
	numbers, err := s.db.Numbers(ctx)
	if err != nil {
		return nil, store.Refusal(err)
	}
	if slices.ContainsFunc(numbers, func(n *kabar.Number) bool { return n.Digits == digits }) {
		return nil, kabar.Refuse(kabar.ReasonExists, "phone_number", "is on this server already")
	}
	ctx = context.WithoutCancel(ctx) // from here on it is done to the end, whether or not somebody waits for it
	n, err := engine.AddNumber(ctx, s.db, engine.NewNumber{Account: &kabar.Account{ID: to}, Digits: digits, Profile: kabar.Profile{Name: name},
		Limits: s.o.limits, Submitted: true}, s.now())
	if err != nil {
		return nil, err
	}
	return n, s.welcome(ctx, n)
}

// welcome has a number that has just been added told of by the endpoints of its account and app, and connects it.
func (s *server) welcome(ctx context.Context, n *kabar.Number) error {
	return errors.Join(s.engine.Redirect(ctx), s.endpoints.Spread(ctx), s.connect(ctx, n))
}

// missing is what a person has to do before the network admits a number; empty if nothing.
func (s *server) missing(n kabar.NumberID) string {
	if r, ok := s.engine.Network(n).(network.Registrar); ok {
		if state, detail := r.Registration(); state == network.RegistrationUnproved || state == network.RegistrationRefused {
			return detail
		}
	}
	return ""
}

// verify hands a number's verification code to its network.
func (s *server) verify(ctx context.Context, n *kabar.Number, code string) error {
	r, ok := s.engine.Network(n.ID).(network.Registrar)
	if !ok {
		return fmt.Errorf("the network of %s verifies no numbers", n.Digits)
	}
	return r.Verify(ctx, code)
}

// link says for people how a number is connected, and since when.
func (s *server) link(n *kabar.Number) (state string, since time.Time) {
	up, since := s.engine.Link(n.ID)
	if up {
		return "connected", since
	}
	if todo := s.missing(n.ID); todo != "" {
		return todo, since
	}
	return "connecting", since
}
