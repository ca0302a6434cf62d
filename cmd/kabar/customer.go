package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/engine"
	"kabar/internal/manage"
	"kabar/internal/network/relay"
	"kabar/internal/store"
)

// customerCmd is about what is held of one customer.
type customerCmd struct {
	Export customerExportCmd `cmd:"" help:"Write what an account has of a customer as an archive."`
	Erase  customerEraseCmd  `cmd:"" help:"Erase what an account has of a customer, for good."`
}

// Help is shown by kabar customer --help.
func (*customerCmd) Help() string {
	return `What is held of a person, what is erased, what stays and why stands in docs/privacy.md.

Examples:
  kabar customer export 34600111222 --out ana.zip --data server
  kabar customer erase 34600111222 --data server`
}

// customerOperations are what the commands ask for.
func customerOperations(m *control.Mux, p *parts) {
	control.Handle(m, "customer.held", p.heldOfCustomer)
	control.Handle(m, "customer.export", recorded(p.db, "customer.exported", p.exportCustomer))
	control.Handle(m, "customer.erase", recorded(p.db, "customer.erased", p.eraseCustomer))
}

// erasures erases customers of the running server, or of its store when it does not run.
func (p *parts) erasures() *engine.Erasures {
	if p.engine != nil {
		return p.engine.Erasures()
	}
	return engine.NewErasures(engine.ErasureOptions{Store: p.db, Media: p.media, Now: time.Now, Entries: relay.Entries})
}

type customerEraseCmd struct {
	storeFlags  `embed:""`
	listFlags   `embed:""`
	accountFlag `embed:""`
	Customer    string `arg:"" help:"The customer: phone number or business-scoped id."`
	Yes         bool   `help:"Do not ask." env:"-"`
}

// Help is shown by kabar customer erase --help.
func (*customerEraseCmd) Help() string {
	return `Erases the customer's conversations with all numbers of the account, with keys, messages, media that nobody else has, events, what is on its
way, and consent. It cannot be undone. The ledger and the audit log keep a pseudonym, and so does an opt-out: who has said STOP and
comes back is still opted out. A process that is killed in the middle goes on at its next start; to repeat the command is harmless.
Backups and what the customer has on the phone are not touched.`
}

type (
	ofCustomer struct {
		Account  string `json:"account"`
		Customer string `json:"customer"`
	}
	heldOfCustomer struct {
		Account string   `json:"account"`
		Handles []string `json:"handles"`
		Numbers []string `json:"numbers"` // that have a conversation, one for each
	}
)

// Run erases a customer.
func (c *customerEraseCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		in := ofCustomer{c.Account, c.Customer}
		if !c.Yes {
			var held heldOfCustomer
			if err := op.Call(ctx, "customer.held", in, &held, nil); err != nil {
				return err
			}
			if err := confirm(s, held.question()); err != nil {
				return err
			}
		}
		bar := newProgress(s.err)
		var out manage.Erased
		err := op.Call(ctx, "customer.erase", in, &out, bar.report)
		bar.end()
		if err != nil {
			return err
		}
		return printErased(s, &c.listFlags, &out)
	})
}

func (h *heldOfCustomer) question() string {
	talks := "no conversation"
	if n := len(h.Numbers); n > 0 {
		talks = fmt.Sprintf("%d conversations (of %s) with all their messages, media and events, what is on its way", n, strings.Join(h.Numbers, ", "))
	}
	return fmt.Sprintf("What %q has of %s goes for good: %s, and what is recorded of consent, but for an opt-out.", h.Account,
		strings.Join(h.Handles, ", "), talks)
}

func printErased(s streams, f *listFlags, out *manage.Erased) error {
	if f.JSON {
		return printJSON(s.out, out)
	}
	_, err := fmt.Fprintf(s.out, "Erased: %d conversations, %d messages, %d events, %d media. In the ledger and the audit log it is %s.\n", out.Removed.Conversations,
		out.Removed.Messages, out.Removed.Events, out.Removed.Media, out.Customer)
	if err == nil && out.Ended == "" {
		_, err = fmt.Fprintln(s.out, "The database is being read, by a backup say: its file is written over as soon as that has ended.")
	}
	return err
}

func (p *parts) heldOfCustomer(ctx context.Context, in ofCustomer, _ control.Report) (out heldOfCustomer, err error) {
	account, handle, err := p.customer(ctx, in)
	if err != nil {
		return out, err
	}
	found, err := p.db.FindPerson(ctx, account.ID, handle)
	if store.IsNotFound(err) {
		return out, control.Refuse("nothing is known of %s: no conversation, no consent and no broadcast of this account names them", in.Customer)
	}
	if err != nil {
		return out, err
	}
	out = heldOfCustomer{Account: account.Name, Handles: found.Handles, Numbers: []string{}}
	for _, t := range found.Talks {
		n, _, err := p.db.Number(ctx, t.Number)
		if err != nil {
			return out, err
		}
		out.Numbers = append(out.Numbers, n.Digits)
	}
	return out, nil
}

// customer finds the account that is meant, and what a customer is called there.
func (p *parts) customer(ctx context.Context, in ofCustomer) (*kabar.Account, string, error) {
	account, err := p.oneAccount(ctx, in.Account)
	if err != nil {
		return nil, "", err
	}
	who, err := engine.ParseRecipient(in.Customer)
	if err != nil {
		return nil, "", control.Refuse("%q is neither a phone number with its country code nor a business-scoped id", in.Customer)
	}
	return account, who.Handle(), nil
}

func (p *parts) eraseCustomer(ctx context.Context, in ofCustomer, report control.Report) (out manage.Erased, err error) {
	account, err := p.oneAccount(ctx, in.Account)
	if err != nil {
		return out, err
	}
	e, err := p.erasures().Erase(ctx, account.ID, in.Customer, func(r store.Removed) {
		report(control.Progress{What: "messages and events", Done: int64(r.Messages + r.Events)})
	})
	if err != nil {
		return out, told(err)
	}
	return manage.ShownErasure(e), nil
}
