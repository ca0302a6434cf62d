package main

import (
	"context"
	"net/http"
	"time"
	_ "time/tzdata" // accounts have time zones, and Windows and small containers have no database of them

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/engine"
	"kabar/internal/onprem"
	"kabar/internal/rates"
)

// ofWholeServer reports whether a request's key is for all accounts.
func ofWholeServer(r *http.Request) bool { return auth.From(r).Account == 0 }

// messageID is what the /v1 API calls a message of the business; empty when it is gone.
func (s *server) messageID(ctx context.Context, n kabar.NumberID, id kabar.MessageID) string {
	m, err := s.db.Message(ctx, n, id)
	if err != nil {
		return ""
	}
	c, err := s.db.Conversation(ctx, n, m.Conversation)
	if err != nil {
		return ""
	}
	number, _, err := s.db.Number(ctx, n)
	if err != nil {
		return ""
	}
	return onprem.MessageID(true, number, c.Customer, m.Ref)
}

// business are the accounts of the running server, or those of its store when it does not run.
func (p *parts) business(ctx context.Context) (*engine.Accounts, error) {
	if p.engine != nil {
		return p.engine.Accounts(), nil
	}
	a := engine.NewAccounts(p.db, time.Now, rates.Default())
	return a, a.Load(ctx)
}
