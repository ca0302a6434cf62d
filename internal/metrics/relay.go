package metrics

import "context"

// RelayFigures are what a relay knows of itself.
type RelayFigures struct {
	Connections int64 // devices that are connected
	Accounts    int64
	Waiting     int64 // envelopes in mailboxes
	Blobs       int64
	BlobBytes   int64
}

// RelayStatus asks a relay.
type RelayStatus func(ctx context.Context) (RelayFigures, error)

// Relay adds the gauges of a relay.
func (m *Metrics) Relay(status RelayStatus) {
	m.collect(func(ctx context.Context, put put) {
		f, err := status(ctx)
		if !m.have("relay", err) {
			return
		}
		put("kabar_relay_connections", float64(f.Connections))
		put("kabar_relay_accounts", float64(f.Accounts))
		put("kabar_relay_envelopes_waiting", float64(f.Waiting))
		put("kabar_relay_blobs", float64(f.Blobs))
		put("kabar_relay_blobs_bytes", float64(f.BlobBytes))
	}, "kabar_relay_connections", "kabar_relay_accounts", "kabar_relay_envelopes_waiting", "kabar_relay_blobs", "kabar_relay_blobs_bytes")
}
