package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/store"
)

// templateName says which template a command changes.
type templateName struct {
	storeFlags  `embed:""`
	accountFlag `embed:""`
	Name        string `arg:"" help:"Name of the template."`
	Language    string `arg:"" help:"Its language, such as es or es_ES."`
}

type templateStatusCmd struct {
	templateName `embed:""`
	Status       string `arg:"" help:"APPROVED, PENDING, REJECTED, PAUSED, DISABLED, …"`
}

type (
	setTemplateStatus struct {
		Account  string `json:"account"`
		Name     string `json:"name"`
		Language string `json:"language"`
		Status   string `json:"status"`
	}
	templateStatus struct {
		Before kabar.TemplateStatus `json:"before"`
		Now    kabar.TemplateStatus `json:"now"`
	}
)

// Help is shown by kabar template set-status --help.
func (*templateStatusCmd) Help() string {
	return `Only an APPROVED template is sent. What a send of another is answered with in /v1: PENDING 2001, REJECTED 2060, PAUSED 2061,
DISABLED 2062. What has been accepted already goes out. The other statuses are those of the Graph API: IN_APPEAL,
PENDING_DELETION, DELETED, LIMIT_EXCEEDED, ARCHIVED (2001).`
}

// Run changes the status.
func (c *templateStatusCmd) Run(ctx context.Context, s streams) error {
	return c.change(ctx, s, "template.status", setTemplateStatus{c.Account, c.Name, c.Language, c.Status})
}

// change has an operation change the template's status, and says from what to what.
func (c *templateName) change(ctx context.Context, s streams, operation string, in any) error {
	return c.operate(ctx, func(op *control.Client) error {
		var out templateStatus
		if err := op.Call(ctx, operation, in, &out, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "%s in %s is %s now; it was %s\n", c.Name, c.Language, out.Now, out.Before)
		return err
	})
}

func (p *parts) setTemplateStatus(ctx context.Context, in setTemplateStatus, _ control.Report) (out templateStatus, err error) {
	account, err := p.oneAccount(ctx, in.Account)
	if err != nil {
		return out, err
	}
	out.Now = kabar.TemplateStatus(strings.ToUpper(in.Status))
	if !slices.Contains(kabar.TemplateStatuses(), out.Now) {
		return out, noTemplateStatus(in.Status)
	}
	err = p.db.Write(ctx, nil, func(tx *store.Tx) error {
		d, err := tx.FindTemplate(account.ID, in.Name, in.Language)
		if err != nil {
			return err
		}
		if d == nil {
			return control.Refuse("there is no template %q in %q: kabar template list", in.Name, in.Language)
		}
		out.Before, d.Status = d.Status, out.Now
		return tx.SaveTemplate(d)
	})
	return out, err
}

func noTemplateStatus(s string) error {
	return control.Refuse("%q is no status; there are %v", s, kabar.TemplateStatuses())
}
