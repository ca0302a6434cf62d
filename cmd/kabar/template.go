package main

import (
	"context"
	"strings"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/manage"
)

// templateCmd manages the message templates of accounts.
type templateCmd struct {
	Lint      templateLintCmd    `cmd:"" help:"Look at templates as review does: every fault, with its place and what to do."`
	Create    templateCreateCmd  `cmd:"" help:"Put new templates before review."`
	Import    templateImportCmd  `cmd:"" help:"Import templates from a file, as the Graph API writes them."`
	List      templateListCmd    `cmd:"" help:"List the templates: language, category, status, whether they can be sent."`
	Show      templateShowCmd    `cmd:"" help:"Show a template, in every language or in one."`
	Approve   templateApproveCmd `cmd:"" help:"Approve a template: it can be sent."`
	Reject    templateRejectCmd  `cmd:"" help:"Reject a template, with a reason."`
	Pause     templatePauseCmd   `cmd:"" help:"Pause a template until it is approved again."`
	Send      templateSendCmd    `cmd:"" help:"Send a template to one customer, to try it."`
	Policy    templatePolicyCmd  `cmd:"" help:"Show or change who judges templates, and how many there may be."`
	SetStatus templateStatusCmd  `cmd:"" help:"Set the status of a template as it is elsewhere, without review: webhooks are not told."`
}

// Help is shown by kabar template --help.
func (*templateCmd) Help() string {
	return `A template is a text with placeholders that may be sent outside the 24-hour window. It belongs to an account, and all numbers of the
account send it; its name and its language together are what a message names. With several accounts, --account says whose.

A file has one template, an array of them, or {"data":[…]} as the Graph API lists them:

  {"name": "parcel_update", "language": "en", "category": "UTILITY", "components": [
    {"type": "HEADER", "format": "IMAGE"},
    {"type": "BODY", "text": "Hi {{1}}, your parcel arrives {{2}}."},
    {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Track", "url": "https://shop.example/{{1}}"}]}]}

A template is made by create, or by an application through the Graph API, and is PENDING until review approves it.

Examples:
  kabar template lint parcel.json
  kabar template create parcel.json --data server
  kabar template approve parcel_update en --data server
  kabar template send parcel_update en --to +34600111222 --body Ana --body tomorrow --data server
  kabar template import templates.json --data server
  kabar template list --data server
  kabar template show parcel_update en --data server
  kabar template show parcel_update --json --data server > parcel_update.json
  kabar template set-status parcel_update en PAUSED --data server`
}

// templateOperations are what the commands below ask for.
func templateOperations(m *control.Mux, p *parts) {
	control.Handle(m, "template.import", recorded(p.db, "template.imported", p.importTemplates))
	control.Handle(m, "template.list", p.listTemplates)
	control.Handle(m, "template.status", recorded(p.db, "template.changed", p.setTemplateStatus))
	control.Handle(m, "template.create", recorded(p.db, "template.created", p.createTemplates))
	control.Handle(m, "template.review", recorded(p.db, "template.reviewed", p.reviewTemplate))
	control.Handle(m, "template.policy", recorded(p.db, "template.policy", p.templatePolicy))
	control.Handle(m, "template.send", p.sendTemplate)
}

// accountFlag says whose templates or products are meant.
type accountFlag struct {
	Account string `help:"The account, by name or id; may be left out when there is one." placeholder:"NAME|ID" env:"-"`
}

// oneAccount finds the account that was named, or the only one.
func (p *parts) oneAccount(ctx context.Context, wanted string) (*kabar.Account, error) {
	if wanted != "" {
		return p.account(ctx, wanted, "")
	}
	all, err := p.db.Accounts(ctx)
	switch {
	case err != nil:
		return nil, err
	case len(all) == 1:
		return all[0], nil
	case len(all) == 0:
		return nil, control.Refuse("there is no account yet: kabar number add makes one")
	}
	var known []string
	for _, a := range all {
		known = append(known, manage.AccountID(p.db, a.ID)+"  "+a.Name)
	}
	return nil, control.Refuse("there are several accounts; say with --account which is meant:\n  %s", strings.Join(known, "\n  "))
}
