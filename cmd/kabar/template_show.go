package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"kabar"
	"kabar/internal/control"
)

type templateShowCmd struct {
	storeFlags  `embed:""`
	accountFlag `embed:""`
	JSON        bool   `name:"json" help:"Print it as a file that can be imported." env:"-"`
	Name        string `arg:"" help:"Name of the template."`
	Language    string `arg:"" optional:"" help:"Only in this language, such as es or es_ES."`
}

// Run shows a template.
func (c *templateShowCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var all []templateItem
		if err := op.Call(ctx, "template.list", listTemplates{Account: c.Account, Name: c.Name}, &all, nil); err != nil {
			return err
		}
		var known []string
		for _, t := range all {
			known = append(known, t.Template.Language)
		}
		all = slices.DeleteFunc(all, func(t templateItem) bool { return c.Language != "" && t.Template.Language != c.Language })
		switch {
		case len(known) == 0:
			return control.Refuse("there is no template %q: kabar template list --data %s", c.Name, c.Data)
		case len(all) == 0:
			return control.Refuse("%q is not there in %q, only in %s", c.Name, c.Language, strings.Join(known, ", "))
		}
		if c.JSON {
			defs := make([]*kabar.TemplateDef, len(all))
			for i, t := range all {
				defs[i] = t.Template
			}
			return printJSON(s.out, defs)
		}
		for i, t := range all {
			if i > 0 {
				_, _ = fmt.Fprintln(s.out) // the next write tells
			}
			if err := t.write(s.out); err != nil {
				return err
			}
		}
		return nil
	})
}

// write shows a template to people, as its message looks.
func (t *templateItem) write(w io.Writer) error {
	d := t.Template
	var b strings.Builder
	fmt.Fprintf(&b, "%s in %s, %s, %s, of %q\n", d.Name, d.Language, d.Category, d.Status, t.Account)
	if t.Unsent != "" {
		fmt.Fprintf(&b, "It cannot be sent: %s.\n", t.Unsent)
	}
	t.writeReview(&b)
	b.WriteByte('\n')
	for _, c := range d.Components {
		switch {
		case c.Type == kabar.TemplateButtons:
			for i, button := range c.Buttons {
				fmt.Fprintf(&b, "  [%d] %s  %s %s%s\n", i, button.Text, button.Type, button.URL, button.Phone)
			}
		case c.Text != "":
			fmt.Fprintf(&b, "  %s\n", strings.ReplaceAll(c.Text, "\n", "\n  "))
		default:
			fmt.Fprintf(&b, "  (%s)\n", strings.TrimSpace(c.Type+" "+c.Format))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// templateReview is what review has said.
type templateReview struct {
	Rejected kabar.RejectedReason `json:"rejected_reason,omitempty"`
	Advice   string               `json:"advice,omitempty"`
	Findings []string             `json:"findings,omitempty"` // of the automatic one
	Quality  kabar.TemplateScore  `json:"quality_score"`
}

func reviewOf(d *kabar.TemplateDef) *templateReview {
	v := d.Life.Verdict
	if v == nil {
		return nil
	}
	return &templateReview{d.Life.Rejected, d.Life.Advice, v.Findings, d.Quality()}
}

func (t *templateItem) writeReview(b *strings.Builder) {
	if t.Review == nil {
		return
	}
	if t.Review.Rejected != "" {
		fmt.Fprintf(b, "Rejected: %s. %s\n", t.Review.Rejected, t.Review.Advice)
	}
	for _, found := range t.Review.Findings {
		fmt.Fprintf(b, "The automatic review says: %s\n", found)
	}
}
