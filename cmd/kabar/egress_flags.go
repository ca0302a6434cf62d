package main

import (
	"fmt"
	"net/netip"

	"kabar/internal/egress"
)

// egressFlags say where webhooks, media links and previews may lead.
type egressFlags struct {
	EgressAllow []string `help:"Network that webhooks and media links may reach although it is private; may be repeated." placeholder:"CIDR" reload:""`
}

// egress returns the rules: what the flags allow, and never this machine's own addresses beside that.
func (f *egressFlags) egress() (egress.Policy, error) {
	var p egress.Policy
	for _, s := range f.EgressAllow {
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			return p, fmt.Errorf("--egress-allow %s: want a network such as 10.0.0.0/8", s)
		}
		p.Allow = append(p.Allow, prefix)
	}
	own, err := egress.OwnAddresses()
	p.Own = own
	return p, err
}
