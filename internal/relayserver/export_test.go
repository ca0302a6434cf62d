package relayserver

import (
	"database/sql"
	"time"
)

// Ping does what Run does every few seconds, as if so much time had passed since the start.
func (s *Server) Ping(ahead time.Duration) { s.ping(s.since() + ahead) }

// BreakStore makes the relay unable to store envelopes until it is healed.
func (s *Server) BreakStore(broken bool) error {
	statement := `ALTER TABLE seen RENAME TO broken`
	if !broken {
		statement = `ALTER TABLE broken RENAME TO seen`
	}
	return s.store.do(func(tx *sql.Tx) error {
		_, err := s.store.exec(tx, statement)
		return err
	})
}
