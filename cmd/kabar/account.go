package main

import (
	"context"
	"fmt"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/engine"
	"kabar/internal/manage"
)

// accountCmd manages accounts and what they may spend.
type accountCmd struct {
	Add       accountAddCmd       `cmd:"" help:"Add an account, for a client of yours, say."`
	List      accountListCmd      `cmd:"" help:"List the accounts with their lines of credit."`
	Verify    accountVerifyCmd    `cmd:"" help:"Say that an account's business is who it says, or is not."`
	Credit    accountCreditCmd    `cmd:"" help:"Show an account's line of credit, or draw it."`
	Retention accountRetentionCmd `cmd:"" help:"Show or say for how many days an account keeps things."`
	Statement accountStatementCmd `cmd:"" help:"Show what an account owes for a month."`
}

// Help is shown by kabar account --help.
func (*accountCmd) Help() string {
	return `An account (WABA) owns numbers, templates and flows, and pays for its messages out of a line of credit. What a message costs is reserved
when it is accepted, spent when it is delivered, and free again when it fails; kabar rates shows the prices. At the limit, messages that
cost fail with 131042 (in /v1 with 402), and nothing is sent.

The account that a server begins with has no line: what its messages cost is written down, and refuses none. An account that is added
has a limit of 0.00 until you draw another.

Examples:
  kabar account add "Toko Sinar" --timezone Asia/Jakarta --data server
  kabar account credit 500 --account "Toko Sinar" --data server
  kabar account list --data server
  kabar account statement 2026-11 --csv --account "Toko Sinar" --data server > 2026-11.csv`
}

// accountOperations are what the commands below ask for.
func accountOperations(m *control.Mux, p *parts) {
	control.Handle(m, "account.add", recorded(p.db, "account.added", p.addAccount))
	control.Handle(m, "account.list", p.listAccounts)
	control.Handle(m, "account.verify", recorded(p.db, "account.verified", p.verifyAccount))
	control.Handle(m, "account.credit", p.accountCredit) // drawing leaves an entry by itself, showing none
	control.Handle(m, "account.statement", p.accountStatement)
	control.Handle(m, "account.retention", p.accountRetention)
	control.Handle(m, "account.retain", recorded(p.db, "retention.changed", p.accountRetention))
}

type accountAddCmd struct {
	storeFlags `embed:""`
	Name       string `arg:"" help:"What it is called."`
	Currency   string `help:"What it is billed in, ISO 4217." default:"USD" placeholder:"CODE" env:"-"`
	Timezone   string `help:"Whose days and months its prices follow, as of the tz database." default:"UTC" placeholder:"ZONE" env:"-"`
	Client     bool   `help:"It belongs to a client of yours: the Cloud API lists it among client_whatsapp_business_accounts." env:"-"`
}

type (
	addAccount struct {
		Name, Currency, Timezone string
		Client                   bool
	}
	listAccount struct{}
	accountItem struct {
		ID       string `json:"waba_id"` // as the Graph API has it
		Name     string `json:"name"`
		Currency string `json:"currency"`
		Timezone string `json:"timezone"`
		Client   bool   `json:"client"`

		Verification kabar.VerificationState `json:"verification"`

		Limit    *kabar.Money `json:"limit"` // nil: there is no line
		Reserved kabar.Money  `json:"reserved"`
		Spent    kabar.Money  `json:"spent"`
	}
)

// Run adds an account.
func (c *accountAddCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var out accountItem
		if err := op.Call(ctx, "account.add", addAccount{c.Name, c.Currency, c.Timezone, c.Client}, &out, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "Account %s (%s), billed in %s. Its limit is 0.00: kabar account credit AMOUNT --account %q\n", out.Name, out.ID, out.Currency, out.Name)
		return err
	})
}

func (p *parts) addAccount(ctx context.Context, in addAccount, _ control.Report) (out accountItem, err error) {
	b, err := p.business(ctx)
	if err != nil {
		return out, err
	}
	made, err := b.Add(ctx, kabar.Account{Name: in.Name, Currency: in.Currency, Timezone: in.Timezone, Client: in.Client}, byOperator)
	if err != nil {
		return out, told(err)
	}
	return p.accountItem(ctx, b, made)
}

func (p *parts) accountItem(ctx context.Context, b *engine.Accounts, w *kabar.Account) (out accountItem, err error) {
	c, err := b.Credit(ctx, w.ID)
	if err != nil {
		return out, err
	}
	out = accountItem{ID: manage.AccountID(p.db, w.ID), Name: w.Name, Currency: w.Currency, Timezone: w.Timezone, Client: w.Client, Verification: w.Verification.State, Reserved: c.Reserved, Spent: c.Spent}
	if !c.Open {
		out.Limit = &c.Limit
	}
	return out, nil
}

type accountListCmd struct {
	storeFlags `embed:""`
	listFlags  `embed:""`
}

// Run lists the accounts.
func (c *accountListCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var all []accountItem
		if err := op.Call(ctx, "account.list", listAccount{}, &all, nil); err != nil {
			return err
		}
		var rows [][]string
		for _, a := range all {
			rows = append(rows, a.row())
		}
		return c.print(s.out, all, "There is no account yet: kabar number add makes one.", "WABA|NAME|CURRENCY|TIME ZONE|LIMIT|AVAILABLE|RESERVED|SPENT|BUSINESS", rows)
	})
}

func (a *accountItem) row() []string {
	limit, available := "no line", ""
	if left := a.available(); left != nil {
		limit, available = a.Limit.String(), left.String()
	}
	return []string{a.ID, a.Name, a.Currency, a.Timezone, limit, available, a.Reserved.String(), a.Spent.String(), string(a.Verification)}
}

// available is what is left of the line of credit; nil: there is none.
func (a *accountItem) available() *kabar.Money {
	if a.Limit == nil {
		return nil
	}
	left := *a.Limit - a.Reserved - a.Spent
	return &left
}

func (p *parts) listAccounts(ctx context.Context, _ listAccount, _ control.Report) (all []accountItem, err error) {
	b, err := p.business(ctx)
	if err != nil {
		return nil, err
	}
	accounts, err := b.All(ctx)
	all = []accountItem{}
	for _, w := range accounts {
		item, err := p.accountItem(ctx, b, w)
		if err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, err
}

type accountCreditCmd struct {
	storeFlags  `embed:""`
	accountFlag `embed:""`
	Limit       string `arg:"" optional:"" help:"The new limit, a decimal such as 500 or 12.50; without it the line is shown."`
}

// Help is shown by kabar account credit --help.
func (*accountCreditCmd) Help() string {
	return `The limit is for all that is reserved and spent since the account began, not for a month. It may be below that: then nothing that costs
leaves, not even what waits, until it is raised.

Examples:
  kabar account credit --data server
  kabar account credit 500 --account "Toko Sinar" --data server`
}

type accountCredit struct{ Account, Limit string }

// Run shows or draws the line.
func (c *accountCreditCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var out accountItem
		if err := op.Call(ctx, "account.credit", accountCredit{c.Account, c.Limit}, &out, nil); err != nil {
			return err
		}
		r := out.row()
		if out.Limit == nil {
			_, err := fmt.Fprintf(s.out, "%s has no line of credit: no message is refused. Reserved %s %s, spent %s.\n", r[1], r[6], r[2], r[7])
			return err
		}
		_, err := fmt.Fprintf(s.out, "%s: limit %s %s, available %s, reserved %s, spent %s\n", r[1], r[4], r[2], r[5], r[6], r[7])
		return err
	})
}

func (p *parts) accountCredit(ctx context.Context, in accountCredit, _ control.Report) (out accountItem, err error) {
	account, err := p.oneAccount(ctx, in.Account)
	if err != nil {
		return out, err
	}
	b, err := p.business(ctx)
	if err != nil {
		return out, err
	}
	if in.Limit != "" {
		limit, err := kabar.ParseMoney(in.Limit)
		if err != nil {
			return out, control.Refuse("%v", err)
		}
		if _, err := b.Draw(ctx, account.ID, limit, byOperator); err != nil {
			return out, told(err)
		}
	}
	return p.accountItem(ctx, b, account)
}
