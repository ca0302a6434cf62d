package graph

import (
	"bytes"
	"fmt"

	"kabar"
)

// What stands around the entries of a body.
const (
	beforeEntries = `{"object":"whatsapp_business_account","entry":[`
	behindEntries = `]}`
)

// Join makes one webhook body of those of several events: their entries, in their order, byte for byte. Meta does so under load, up to
// 1,000 updates.
func (a *API) Join(bodies [][]byte) ([]byte, error) {
	joined := []byte(beforeEntries)
	for i, b := range bodies {
		entries, ok := bytes.CutPrefix(b, []byte(beforeEntries))
		entries, ended := bytes.CutSuffix(entries, []byte(behindEntries))
		if !ok || !ended {
			return nil, fmt.Errorf("join webhook bodies: number %d is none", i+1)
		}
		if i > 0 {
			joined = append(joined, ',')
		}
		joined = append(joined, entries...)
	}
	return append(joined, behindEntries...), nil
}

// Ordered reports whether a body shows in which order two events happened: there is one list of entries.
func (a *API) Ordered(_, _ kabar.EventKind) bool { return true }
