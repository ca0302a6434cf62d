package onprem

import "time"

// Support is what the program says of itself and its machine, in the contract's words (1.9). What has no truth here is left out:
// registration_id, expire_timestamp, lc, lg, free_space_logs.
type Support struct {
	Context      string            `json:"context"`
	DBEngine     string            `json:"db_engine"` // SQLITE or PGSQL
	DBInfo       []string          `json:"db_info"`
	DebugInfo    string            `json:"debug_info"` // the number, or "unregistered"
	Description  string            `json:"description"`
	Time         string            `json:"device_iso8601"`
	E2E          map[string]string `json:"e2e"`
	Env          []string          `json:"env"` // always empty: it can hold secrets
	FreeData     string            `json:"free_space_data"`
	FreeIncoming string            `json:"free_space_media_incoming"`
	FreeOutgoing string            `json:"free_space_media_outgoing"`
	MultiConnect bool              `json:"multi_connect"`
	OSName       string            `json:"os_name"`
	OSVersion    string            `json:"os_version"`
	Schema       map[string]int    `json:"schema"`
	SocketConn   string            `json:"socket_conn"` // UP, DN or UNK
}

// support: GET /v1/support.
func (a *API) support(x *exchange) error {
	s, err := a.operations.Support(x.r.Context())
	if err != nil {
		return err
	}
	s.Context, s.Env, s.E2E = "healthcheck", []string{}, map[string]string{"protocol": "PQXDH, Double Ratchet"}
	s.Time = a.engine.Now().UTC().Format(time.RFC3339)
	s.DebugInfo, s.SocketConn = "unregistered", "UNK"
	if n, err := a.engine.Number(x.number()); err == nil && a.engine.Admitted(n.ID) {
		s.DebugInfo, s.SocketConn = n.Digits, "DN"
		if up, _ := a.engine.Link(n.ID); up {
			s.SocketConn = "UP"
		}
	}
	return x.reply("support", s)
}
