package main

import (
	"context"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/engine"
)

// rulingFlags say what an operator decides, beside approving.
type rulingFlags struct {
	Reject bool   `help:"Reject it." xor:"ruling" env:"-"`
	Defer  bool   `help:"Leave it pending, and say so." xor:"ruling" env:"-"`
	Note   string `help:"To whom it is about." env:"-"`
}

// ruling is an approval unless the flags say otherwise.
func (f *rulingFlags) ruling() kabar.Ruling {
	r := kabar.Ruling{Decision: kabar.RuleApprove, Note: f.Note}
	switch {
	case f.Reject:
		r.Decision = kabar.RuleReject
	case f.Defer:
		r.Decision = kabar.RuleDefer
	}
	return r
}

type accountVerifyCmd struct {
	storeFlags  `embed:""`
	Account     string `arg:"" help:"The account, by name or id."`
	rulingFlags `embed:""`
}

// Help is shown by kabar account verify --help.
func (*accountVerifyCmd) Help() string {
	return `Says whether the business of an account is who it says, whether or not it has asked for that (kabar account list shows who has).
Webhooks tell of it (account_review_update). Its numbers of the tier 250 rise to 2k, and with an approved name the account may have
6000 templates. One that is not verified, or is rejected, goes on as before.

Examples:
  kabar account verify "Toko Sinar" --note "register of companies, 12 May" --data server
  kabar account verify "Toko Sinar" --reject --note "the name is another company's" --data server`
}

type verifyAccount struct {
	Account string       `json:"account"`
	Ruling  kabar.Ruling `json:"ruling"`
}

// Run decides.
func (c *accountVerifyCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var out accountItem
		if err := op.Call(ctx, "account.verify", verifyAccount{c.Account, c.ruling()}, &out, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "%s is %s\n", out.Name, out.Verification)
		return err
	})
}

func (p *parts) verifyAccount(ctx context.Context, in verifyAccount, _ control.Report) (out accountItem, err error) {
	account, err := p.oneAccount(ctx, in.Account)
	if err != nil {
		return out, err
	}
	w, err := p.reviews().Judge(ctx, account.ID, in.Ruling, byOperator)
	if err != nil {
		return out, told(err)
	}
	b, err := p.business(ctx)
	if err != nil {
		return out, err
	}
	return p.accountItem(ctx, b, w)
}

// reviews are those of the running server, or those of its store when it does not run.
func (p *parts) reviews() *engine.Reviews {
	if p.engine != nil {
		return p.engine.Reviews()
	}
	return engine.NewReviews(p.db, time.Now)
}
