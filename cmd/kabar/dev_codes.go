package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"kabar"
	"kabar/internal/phone/phoneui"
	"kabar/internal/relayserver"
)

// codeMade is told by the relay, whose connection it must not hold up.
func (d *dev) codeMade(relayserver.Code) {
	select {
	case d.coded <- struct{}{}:
	default: // whoever tells of them looks for all
	}
}

// codes returns the verification codes that numbers wait for.
func (d *dev) codes(ctx context.Context) ([]relayserver.Code, error) {
	all, err := d.relay.Codes(ctx)
	return slices.DeleteFunc(all, func(c relayserver.Code) bool { return c.Code == "" }), err // void ones help nobody
}

// codesEvery is how often somebody looks whether a code is still waited for, while there is one.
const codesEvery = time.Second

// tellCodes prints each verification code once, as an SMS would bring it, and has the phone page show those that are waited for.
// It ends with ctx.
func (d *dev) tellCodes(ctx context.Context, w io.Writer) error {
	var told []relayserver.Code
	for {
		all, err := d.codes(ctx)
		if err != nil {
			return ended(err)
		}
		for _, c := range all {
			if !slices.ContainsFunc(told, func(t relayserver.Code) bool { return sameCode(t, c) }) {
				fmt.Fprintf(w, "  The verification code of %s is %s: POST /v1/account/verify takes it, or kabar number verify %s %s --data %s/server\n\n",
					c.Number, spelled(c.Code), c.Number, c.Code, d.cmd.Data)
			}
		}
		if !slices.EqualFunc(told, all, sameCode) {
			d.phone.Refresh()
		}
		told = all
		var again <-chan time.Time
		if len(all) > 0 {
			again = time.After(codesEvery)
		}
		select {
		case <-d.coded:
		case <-again:
		case <-ctx.Done():
			return nil
		}
	}
}

// sameCode tells codes apart as people do: a wrong attempt makes no other one.
func sameCode(a, b relayserver.Code) bool { return a.Number == b.Number && a.Code == b.Code }

// spelled writes a code as an SMS does.
func spelled(code string) string { return code[:3] + "-" + code[3:] }

// pageCodes are the codes for the phone page.
func (d *dev) pageCodes(ctx context.Context) ([]phoneui.Code, error) {
	all, err := d.codes(ctx)
	out := make([]phoneui.Code, len(all))
	for i, c := range all {
		out[i] = phoneui.Code{Number: "+" + c.Number, Name: d.businessName(c.Number), Code: spelled(c.Code)}
	}
	return out, err
}

// businessName is the name of the number of this server with the digits; empty if it is another's.
func (d *dev) businessName(digits string) string {
	numbers := d.server.engine.Numbers()
	i := slices.IndexFunc(numbers, func(n *kabar.Number) bool { return n.Digits == digits })
	if i < 0 {
		return ""
	}
	return numbers[i].Profile.Name
}
