package onprem

import (
	"log/slog"

	"kabar/internal/certs"
	"kabar/internal/egress"
	"kabar/internal/trust"
)

// keeper keeps certificates for a server that nobody connects to.
func (e *env) keeper() *trust.Keeper {
	e.t.Helper()
	c, err := certs.Open(certs.Options{Dir: e.t.TempDir(), Log: slog.New(slog.DiscardHandler), Now: e.now})
	must(e.t, err)
	k, err := trust.New(e.t.Context(), trust.Options{Store: e.db, Certs: c, Egress: egress.New(egress.Policy{}), Now: e.now}, e.engine.Numbers())
	must(e.t, err)
	return k
}
