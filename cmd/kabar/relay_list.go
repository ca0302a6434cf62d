package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"kabar/internal/control"
	"kabar/internal/relayserver"
)

// relayListOperations are what the commands below ask for.
func relayListOperations(m *control.Mux, r *relayserver.Server) {
	control.Handle(m, "relay.invites", func(ctx context.Context, _ struct{}, _ control.Report) ([]relayserver.Invite, error) {
		return r.Invites(ctx)
	})
	control.Handle(m, "relay.codes", func(ctx context.Context, _ struct{}, _ control.Report) ([]relayserver.Code, error) {
		return r.Codes(ctx)
	})
	control.Handle(m, "relay.accounts", func(ctx context.Context, _ struct{}, _ control.Report) ([]relayserver.Account, error) {
		return r.Accounts(ctx)
	})
	control.Handle(m, "relay.status", func(ctx context.Context, _ struct{}, _ control.Report) (relayserver.Status, error) {
		return r.Status(ctx)
	})
}

// relayInvitesCmd lists invites.
type relayInvitesCmd struct {
	relayFlags `embed:""`
}

// Help is shown by kabar relay invites --help.
func (*relayInvitesCmd) Help() string {
	return `Lists every invite that was made, by its id. The invites themselves are kept nowhere.

Examples:
  kabar relay invites --data relay`
}

// Run lists.
func (c *relayInvitesCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var all []relayserver.Invite
		if err := op.Call(ctx, "relay.invites", struct{}{}, &all, nil); err != nil {
			return err
		}
		rows := make([][]string, len(all))
		for n, i := range all {
			admits := "any number"
			switch {
			case i.Customers > 0:
				admits = customers(i.Customers)
			case i.Number != "":
				admits = i.Number
			}
			rows[n] = []string{i.ID, i.For, string(i.State), admits, strconv.Itoa(i.Admitted), orDash(i.Host), moment(i.Created, "-"), moment(i.Expires, "-")}
		}
		return c.print(s.out, all, "There are no invites. Make one: kabar relay invite", "ID|FOR|STATE|ADMITS|ADMITTED|HOST|CREATED|EXPIRES", rows)
	})
}

// relayCodesCmd shows verification codes.
type relayCodesCmd struct {
	relayFlags `embed:""`
}

// Help is shown by kabar relay codes --help.
func (*relayCodesCmd) Help() string {
	return `A business number that registers with an invite waits for its code. Make sure that it is who you have invited, and tell them the code;
they run kabar number verify. A code is good for one hour and five attempts; then the number gets a new one.

Examples:
  kabar relay codes --data relay`
}

// Run shows them.
func (c *relayCodesCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var all []relayserver.Code
		if err := op.Call(ctx, "relay.codes", struct{}{}, &all, nil); err != nil {
			return err
		}
		rows := make([][]string, len(all))
		for n, p := range all {
			code := p.Code
			if code == "" {
				code = "void"
			}
			rows[n] = []string{p.Number, code, strconv.Itoa(p.Left), p.Invite, moment(p.Created, "-"), moment(p.Expires, "-")}
		}
		return c.print(s.out, all, noCodes, "NUMBER|CODE|ATTEMPTS LEFT|INVITE|SINCE|EXPIRES", rows)
	})
}

const noCodes = "No number waits for a code. One does when kabar serve has reached the relay with an invite that kabar relay invite has made."

// relayAccountsCmd lists accounts.
type relayAccountsCmd struct {
	relayFlags `embed:""`
}

// Help is shown by kabar relay accounts --help.
func (*relayAccountsCmd) Help() string {
	return `HOST is a fingerprint of the phone program that a customer belongs to.

Examples:
  kabar relay accounts --data relay
  kabar relay accounts --data relay --json`
}

// Run lists.
func (c *relayAccountsCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var all []relayserver.Account
		if err := op.Call(ctx, "relay.accounts", struct{}{}, &all, nil); err != nil {
			return err
		}
		rows := make([][]string, len(all))
		for n, a := range all {
			rows[n] = []string{a.Account, a.Class, accountState(a), strconv.Itoa(a.Waiting), orDash(a.Invite), orDash(a.Host),
				moment(a.Created, "-"), moment(a.LastLogin, "-")}
		}
		return c.print(s.out, all, noAccounts, "ACCOUNT|CLASS|STATE|WAITING|INVITE|HOST|CREATED|LAST LOGIN", rows)
	})
}

const noAccounts = "There are no accounts. Invite a business number with kabar relay invite, or a phone program with kabar relay invite --host."

func accountState(a relayserver.Account) string {
	switch {
	case !a.Revoked.IsZero():
		return "revoked"
	case a.Online:
		return "online"
	}
	return "offline"
}

// relayStatusCmd says how the relay is.
type relayStatusCmd struct {
	relayFlags `embed:""`
}

// Help is shown by kabar relay status --help.
func (*relayStatusCmd) Help() string {
	return `Examples:
  kabar relay status --data relay`
}

// relayStatus is a relay's status as the command shows it.
type relayStatus struct {
	Running bool `json:"running"`
	relayserver.Status
}

// Run asks and prints.
func (c *relayStatusCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		st := relayStatus{Running: !op.Local}
		if err := op.Call(ctx, "relay.status", struct{}{}, &st.Status, nil); err != nil {
			return err
		}
		if op.Local {
			st.Since = time.Time{}
		}
		if c.JSON {
			return printJSON(s.out, st)
		}
		return st.print(s.out, time.Now())
	})
}

func (st *relayStatus) print(to io.Writer, now time.Time) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	if st.Running {
		fmt.Fprintf(w, "relay\trunning, up %s\n", now.Sub(st.Since).Round(time.Second))
		fmt.Fprintf(w, "connections\t%d devices, %d that have not logged in\n", st.Connected, st.Strangers)
	} else {
		fmt.Fprintln(w, "relay\tnot running")
	}
	fmt.Fprintf(w, "accounts\t%d businesses, %d customers, %d revoked\n", st.Businesses, st.Customers, st.Revoked)
	fmt.Fprintf(w, "invites\t%d not used yet\n", st.Invites)
	fmt.Fprintf(w, "codes\t%d wait for verification\n", st.Codes)
	fmt.Fprintf(w, "envelopes\t%d waiting\n", st.Waiting)
	fmt.Fprintf(w, "media\t%d\n", st.Blobs)
	fmt.Fprintf(w, "disk\t%s relay.db, %s media\n", bytesText(st.StoreBytes), bytesText(st.BlobBytes))
	return w.Flush()
}

// bytesText shows a size in the unit that fits.
func bytesText(n int64) string {
	size, unit := float64(n), "B"
	for _, u := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if size < 1024 {
			break
		}
		size, unit = size/1024, u
	}
	if unit == "B" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", size, unit)
}
