package main

import (
	"context"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/engine"
)

// consentCmd keeps the ledger of what customers have agreed to.
type consentCmd struct {
	Show   consentShowCmd   `cmd:"" help:"Show what a customer has agreed to."`
	Set    consentSetCmd    `cmd:"" help:"Record what a customer has agreed to."`
	Import consentImportCmd `cmd:"" help:"Record what the lines of a CSV file say."`
	Export consentExportCmd `cmd:"" help:"Write the ledger as CSV."`
	Policy consentPolicyCmd `cmd:"" help:"Show or set what a number does about consent."`
}

// Help is shown by kabar consent --help.
func (*consentCmd) Help() string {
	return `The ledger says who has agreed to what, when, how that was heard, and what proves it. It belongs to an account: an opt-out holds
for all its numbers. Customers opt out by a word such as STOP, and in again by START. docs/consent.md says more.

Examples:
  kabar consent set 34600111222 --state opted_in --how 'web form' --proof 'order 991' --data server
  kabar consent import list.csv --data server
  kabar consent policy --number 628111000200 --required --cap 2 --data server`
}

// consentOperations are what the commands ask for.
func consentOperations(m *control.Mux, p *parts) {
	control.Handle(m, "consent.show", p.showConsent)
	control.Handle(m, "consent.record", recorded(p.db, "consent.recorded", p.recordConsent))
	control.Handle(m, "consent.import", recorded(p.db, "consent.imported", p.importConsent))
	control.Handle(m, "consent.export", p.exportConsent)
	control.Handle(m, "consent.policy", recorded(p.db, "consent.policy", p.consentPolicy))
}

// ledger is that of the running server, or of its store when it does not run.
func (p *parts) consents() *engine.Consents {
	if p.engine != nil {
		return p.engine.Consents()
	}
	return engine.NewConsents(p.db, time.Now)
}

type consentShowCmd struct {
	storeFlags  `embed:""`
	listFlags   `embed:""`
	accountFlag `embed:""`
	Customer    string `arg:"" help:"The customer: phone number or business-scoped id."`
}

type showConsent struct {
	Account  string `json:"account"`
	Customer string `json:"customer"`
}

// shownConsent is what is known of a customer.
type shownConsent struct {
	WaID    string               `json:"wa_id"`
	State   kabar.ConsentState   `json:"state"`
	History []kabar.ConsentEntry `json:"history"` // oldest first
}

// Run shows what a customer has agreed to.
func (c *consentShowCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var out shownConsent
		if err := op.Call(ctx, "consent.show", showConsent{c.Account, c.Customer}, &out, nil); err != nil {
			return err
		}
		return out.print(s, &c.listFlags)
	})
}

func (out *shownConsent) print(s streams, f *listFlags) error {
	if !f.JSON {
		if _, err := fmt.Fprintf(s.out, "%s is %s\n", out.WaID, out.State); err != nil {
			return err
		}
	}
	rows := make([][]string, len(out.History))
	for i, e := range out.History {
		rows[i] = []string{moment(e.At, "-"), string(e.State), e.For, e.How, e.By, orDash(e.Proof)}
	}
	return f.print(s.out, out, "Nothing is recorded.", "WHEN|STATE|FOR|HOW|BY|PROOF", rows)
}

func (p *parts) showConsent(ctx context.Context, in showConsent, _ control.Report) (out shownConsent, err error) {
	account, err := p.oneAccount(ctx, in.Account)
	if err != nil {
		return out, err
	}
	c, history, err := p.consents().Get(ctx, account.ID, in.Customer)
	if err != nil {
		return out, told(err)
	}
	return shownConsent{c.Handle, c.State, append([]kabar.ConsentEntry{}, history...)}, nil
}

type consentSetCmd struct {
	storeFlags  `embed:""`
	listFlags   `embed:""`
	accountFlag `embed:""`
	Customer    string  `arg:"" help:"The customer: phone number or business-scoped id."`
	State       string  `required:"" enum:"opted_in,opted_out" help:"${enum}." env:"-"`
	For         string  `help:"What it is about." default:"marketing" placeholder:"TEXT" env:"-"`
	How         string  `help:"By which way it was heard." default:"operator" placeholder:"TEXT" env:"-"`
	Proof       string  `help:"What proves it; required to opt in who has opted out in the chat." placeholder:"TEXT" env:"-"`
	At          instant `help:"When the customer said so, such as 2031-05-02T10:15:00Z; now unless it is given." placeholder:"TIME" env:"-"`
}

type recordConsent struct {
	Account string                 `json:"account"`
	Entry   engine.CustomerConsent `json:"entry"`
}

// Run records an entry.
func (c *consentSetCmd) Run(ctx context.Context, s streams) error {
	entry := engine.CustomerConsent{Customer: c.Customer, ConsentEntry: kabar.ConsentEntry{State: kabar.ConsentState(c.State), For: c.For, How: c.How,
		Proof: c.Proof, At: time.Time(c.At)}}
	return c.operate(ctx, func(op *control.Client) error {
		var out shownConsent
		if err := op.Call(ctx, "consent.record", recordConsent{c.Account, entry}, &out, nil); err != nil {
			return err
		}
		return out.print(s, &c.listFlags)
	})
}

func (p *parts) recordConsent(ctx context.Context, in recordConsent, report control.Report) (out shownConsent, err error) {
	account, err := p.oneAccount(ctx, in.Account)
	if err != nil {
		return out, err
	}
	in.Entry.By = kabar.ByOperator
	if _, err := p.consents().Record(ctx, account.ID, []engine.CustomerConsent{in.Entry}); err != nil {
		return out, told(err)
	}
	return p.showConsent(ctx, showConsent{in.Account, in.Entry.Customer}, report)
}
