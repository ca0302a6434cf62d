package main

import (
	"context"
	"slices"
	"strings"

	"kabar"
	"kabar/internal/control"
)

type templateListCmd struct {
	storeFlags  `embed:""`
	listFlags   `embed:""`
	accountFlag `embed:""`
	Status      string `help:"Only those in this status, such as PENDING." env:"-"`
}

type (
	listTemplates struct {
		Account string `json:"account"` // empty: all
		Name    string `json:"name"`    // empty: all
		Status  string `json:"status"`  // empty: all but those that are deleted
	}
	templateItem struct {
		Account  string             `json:"account"`
		Review   *templateReview    `json:"review,omitempty"` // of one that was put before review here
		Template *kabar.TemplateDef `json:"template"`
		Unsent   string             `json:"cannot_be_sent,omitempty"` // why
	}
)

// Run lists the templates.
func (c *templateListCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var all []templateItem
		if err := op.Call(ctx, "template.list", listTemplates{Account: c.Account, Status: strings.ToUpper(c.Status)}, &all, nil); err != nil {
			return err
		}
		rows := make([][]string, len(all))
		for i, t := range all {
			d := t.Template
			sent := "yes"
			if t.Unsent != "" {
				sent = "no: " + t.Unsent
			}
			rows[i] = []string{d.Name, d.Language, string(d.Category), string(d.Status), t.Account, sent}
		}
		none := "There are no templates yet. Import some: kabar template import FILE --data " + c.Data
		if c.Status != "" {
			none = "There are no templates in this status."
		}
		return c.print(s.out, all, none,
			"NAME|LANGUAGE|CATEGORY|STATUS|ACCOUNT|CAN BE SENT", rows)
	})
}

func (p *parts) listTemplates(ctx context.Context, in listTemplates, _ control.Report) ([]templateItem, error) {
	if in.Status != "" && !slices.Contains(kabar.TemplateStatuses(), kabar.TemplateStatus(in.Status)) {
		return nil, noTemplateStatus(in.Status)
	}
	var of kabar.AccountID
	if in.Account != "" {
		a, err := p.account(ctx, in.Account, "")
		if err != nil {
			return nil, err
		}
		of = a.ID
	}
	names, err := p.accounts(ctx)
	if err != nil {
		return nil, err
	}
	all, err := p.db.Templates(ctx, of)
	items := []templateItem{}
	for _, d := range all {
		if in.Name != "" && d.Name != in.Name || !in.wants(d.Status) {
			continue
		}
		item := templateItem{Account: names[d.Account], Template: inGraph(d), Review: reviewOf(d)}
		if err := d.CanSend(); err != nil {
			item.Unsent = detail(err)
		}
		items = append(items, item)
	}
	return items, err
}

// wants reports whether templates in a status are asked for.
func (in listTemplates) wants(s kabar.TemplateStatus) bool {
	if in.Status != "" {
		return string(s) == in.Status
	}
	return s != kabar.TemplateDeleted && s != kabar.TemplatePendingDeletion
}

// inGraph returns a template as the Graph API writes it: its category in capitals.
func inGraph(d *kabar.TemplateDef) *kabar.TemplateDef {
	g := *d
	g.Category = kabar.Category(strings.ToUpper(string(d.Category)))
	return &g
}
