package main

import (
	"net/http"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/engine"
	"kabar/internal/store"
)

// accountsOf says which accounts a key of the management API may see, and who it is.
func (s *server) accountsOf(r *http.Request) (ids []kabar.AccountID, who string, err error) {
	w := auth.From(r)
	all, err := s.db.Accounts(r.Context())
	if err != nil {
		return nil, "", store.Refusal(err)
	}
	for _, a := range all {
		if w.Account == 0 || w.Account == a.ID {
			ids = append(ids, a.ID)
		}
	}
	return ids, "key " + w.Key, nil
}

// templates are those of the running server, or those of its store when it does not run: then nothing happens to them by
// itself until it does.
func (p *parts) templates() *engine.Templates {
	if p.engine != nil {
		return p.engine.Templates()
	}
	return engine.NewTemplates(p.db, time.Now, nil)
}
