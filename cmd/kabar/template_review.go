package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"kabar"
	"kabar/internal/control"
)

// templateRef is a template that is judged.
type templateRef struct {
	templateName `embed:""`
	Note         string `help:"To the author." env:"-"`
}

type templateApproveCmd struct {
	templateRef `embed:""`
}

// Help is shown by kabar template approve --help.
func (*templateApproveCmd) Help() string {
	return `Makes a template fit to be sent: one that is PENDING, or one that was rejected, paused or disabled. Webhooks tell of it.

  kabar template list --status PENDING --data server
  kabar template show parcel en --data server
  kabar template approve parcel en --data server`
}

// Run approves.
func (c *templateApproveCmd) Run(ctx context.Context, s streams) error {
	return c.decide(ctx, s, kabar.Decision{Decision: kabar.VerbApprove, Note: c.Note})
}

type templateRejectCmd struct {
	templateRef `embed:""`
	Reason      string `required:"" help:"ABUSIVE_CONTENT, INVALID_FORMAT, PROMOTIONAL, SCAM, TAG_CONTENT_MISMATCH or INCORRECT_CATEGORY." env:"-"`
}

// Help is shown by kabar template reject --help.
func (*templateRejectCmd) Help() string {
	return `Rejects a template that is PENDING, or one in use. Its author is told the reason, and the note with INVALID_FORMAT, and may edit
the template, which puts it before review again.

  kabar template reject parcel en --reason INVALID_FORMAT --note 'Name the shop in the body.' --data server`
}

// Run rejects.
func (c *templateRejectCmd) Run(ctx context.Context, s streams) error {
	return c.decide(ctx, s, kabar.Decision{Decision: kabar.VerbReject, Reason: kabar.RejectedReason(strings.ToUpper(c.Reason)), Note: c.Note})
}

type templatePauseCmd struct {
	templateRef `embed:""`
}

// Help is shown by kabar template pause --help.
func (*templatePauseCmd) Help() string {
	return `Keeps an approved template from being sent (2061 in /v1, 132015 in the Graph API) until it is approved again.`
}

// Run pauses.
func (c *templatePauseCmd) Run(ctx context.Context, s streams) error {
	return c.decide(ctx, s, kabar.Decision{Decision: kabar.VerbPause, Note: c.Note})
}

type reviewTemplate struct {
	Account  string         `json:"account"`
	Name     string         `json:"name"`
	Language string         `json:"language"`
	Decision kabar.Decision `json:"decision"`
}

func (c *templateRef) decide(ctx context.Context, s streams, d kabar.Decision) error {
	return c.change(ctx, s, "template.review", reviewTemplate{c.Account, c.Name, c.Language, d})
}

func (p *parts) reviewTemplate(ctx context.Context, in reviewTemplate, _ control.Report) (out templateStatus, err error) {
	account, err := p.oneAccount(ctx, in.Account)
	if err != nil {
		return out, err
	}
	d, err := p.db.Template(ctx, account.ID, in.Name, in.Language)
	if err != nil {
		return out, control.Refuse("there is no template %q in %q: kabar template list", in.Name, in.Language)
	}
	out.Before = d.Status
	d, err = p.templates().Review(ctx, account.ID, d.ID, in.Decision, byOperator)
	if err != nil {
		return out, told(err)
	}
	out.Now = d.Status
	return out, nil
}

type templatePolicyCmd struct {
	storeFlags  `embed:""`
	accountFlag `embed:""`
	Review      string        `help:"Who judges new templates, and names of numbers: manual (an operator), auto (the automatic review, after a moment), delayed (the same after --delay)." enum:",manual,auto,delayed" default:"" env:"-"`
	Delay       time.Duration `help:"How long the automatic review waits, with --review delayed; up to 24h." env:"-"`
	Limit       int           `help:"How many templates the account may have, up to 6000." env:"-"`
	Pace        int           `help:"How many messages of a new marketing template go out before the rest waits for how they are taken; -1: nothing waits." env:"-"`
}

// Help is shown by kabar template policy --help.
func (*templatePolicyCmd) Help() string {
	return `Without flags it shows how the templates of an account are handled, and by whom the names of its numbers are judged; with flags it changes that, for what comes from then on.

  kabar template policy --data server
  kabar template policy --review delayed --delay 10m --data server`
}

type templatePolicy struct {
	Account string               `json:"account"`
	Change  kabar.TemplatePolicy `json:"change"`
}

// shownPolicy is a policy, and how many templates there may be under it.
type shownPolicy struct {
	kabar.TemplatePolicy
	Most int `json:"most"`
}

// Run shows or changes the policy.
func (c *templatePolicyCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var p shownPolicy
		change := kabar.TemplatePolicy{Review: kabar.ReviewMode(c.Review), Delay: c.Delay, Limit: c.Limit, Pace: c.Pace}
		if err := op.Call(ctx, "template.policy", templatePolicy{c.Account, change}, &p, nil); err != nil {
			return err
		}
		return writePolicy(s.out, p)
	})
}

func writePolicy(w io.Writer, p shownPolicy) error {
	review := string(p.Review)
	if p.Review == kabar.ReviewDelayed {
		delay := p.Delay
		if delay == 0 {
			delay = kabar.ReviewDelay
		}
		review += " by " + delay.String()
	}
	held := fmt.Sprint(p.Held())
	if p.Held() < 0 {
		held = "off"
	}
	_, err := fmt.Fprintf(w, "Review  %s\nLimit   %d templates\nPace    %s\n", review, p.Most, held)
	return err
}

func (p *parts) templatePolicy(ctx context.Context, in templatePolicy, _ control.Report) (out shownPolicy, err error) {
	account, err := p.oneAccount(ctx, in.Account)
	if err != nil {
		return out, err
	}
	if out.TemplatePolicy, err = p.templates().Policy(ctx, account.ID); err != nil {
		return out, told(err)
	}
	if in.Change != (kabar.TemplatePolicy{}) {
		if err := p.changePolicy(ctx, account.ID, &out.TemplatePolicy, in.Change); err != nil {
			return out, told(err)
		}
	}
	out.Most, err = p.templates().Most(ctx, account.ID, out.TemplatePolicy)
	return out, told(err)
}

func (p *parts) changePolicy(ctx context.Context, id kabar.AccountID, policy *kabar.TemplatePolicy, change kabar.TemplatePolicy) error {
	if change.Review != "" {
		policy.Review = change.Review
	}
	if change.Delay != 0 {
		policy.Delay = change.Delay
	}
	if change.Limit != 0 {
		policy.Limit = change.Limit
	}
	if change.Pace != 0 {
		policy.Pace = change.Pace
	}
	return p.templates().SetPolicy(ctx, id, *policy)
}
