package onprem

import (
	"time"
)

// patience is how long a lost connection counts as being made again.
const patience = time.Minute

// health: GET /v1/health (contract 1.9).
func (a *API) health(x *exchange) error {
	return x.reply("health", map[string]string{"gateway_status": a.gateway(x)})
}

// gateway names the state of the number's connection to its network.
func (a *API) gateway(x *exchange) string {
	if _, err := a.engine.Number(x.number()); err != nil {
		return "uninitialized"
	}
	if !a.engine.Admitted(x.number()) {
		return "unregistered"
	}
	switch connected, since := a.engine.Link(x.number()); {
	case connected:
		return "connected"
	case a.now().Sub(since) < patience:
		return "connecting"
	}
	return "disconnected"
}
