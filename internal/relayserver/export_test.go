package relayserver

import "time"

// Ping does what Run does every few seconds, as if so much time had passed since the start.
func (s *Server) Ping(ahead time.Duration) { s.ping(s.since() + ahead) }

// BreakStore makes everything that is to be stored fail.
func (s *Server) BreakStore() error { return s.store.close() }
