package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/web"
)

type templateLintCmd struct {
	JSON bool   `name:"json" help:"Print JSON, for programs." env:"-"`
	File string `arg:"" help:"JSON: one template, an array of them, or {\"data\":[…]}." type:"path"`
}

// Help is shown by kabar template lint --help.
func (*templateLintCmd) Help() string {
	return `Looks at templates as review does, without a server, and names every fault with its place, the rule, and what to do:

  [0] parcel en: components[0].text: begins or ends with a variable (variable-at-the-edge)
      Put words before the first variable and behind the last one.

It also tells what the automatic review would say. It ends with status 1 when a template has a fault.`
}

// linted is what was found in one template.
type linted struct {
	Place   string                 `json:"place"`
	Faults  []kabar.TemplateFault  `json:"faults"`
	Verdict *kabar.TemplateVerdict `json:"automatic_review,omitempty"`
}

// Run looks at the templates of a file.
func (c *templateLintCmd) Run(_ context.Context, s streams) error {
	text, err := readInput(c.File, inSeveral)
	if err != nil {
		return err
	}
	all, err := lintTemplates([]byte(text))
	if err != nil {
		return err
	}
	faults := 0
	for _, l := range all {
		faults += len(l.Faults)
	}
	if c.JSON {
		err = printJSON(s.out, all)
	} else {
		err = writeLinted(s.out, all)
	}
	if err == nil && faults > 0 {
		err = control.Refuse("%d faults", faults)
	}
	return err
}

func lintTemplates(text []byte) (all []linted, err error) {
	texts, list, err := splitTemplates(text)
	if err != nil {
		return nil, control.Refuse("%s", err)
	}
	if len(texts) == 0 {
		return nil, control.Refuse("the file has no template")
	}
	for i, t := range texts {
		l := linted{Place: "the template", Faults: []kabar.TemplateFault{}}
		if list {
			l.Place = fmt.Sprintf("[%d]", i)
		}
		d := new(kabar.TemplateDef)
		if err := web.Decode(t, d, web.Options{Unknown: web.Ignore}); err != nil {
			l.Faults = append(l.Faults, kabar.TemplateFault{Path: "$", Rule: "json", Detail: err.Error(), Suggestion: "Write it as the Graph API does."})
			all = append(all, l)
			continue
		}
		d.Normalize()
		l.Place = strings.Join(strings.Fields(l.Place+" "+d.Name+" "+d.Language), " ")
		if l.Faults = append(l.Faults, d.Lint()...); len(l.Faults) == 0 {
			l.Verdict = d.Assess(nil)
		}
		all = append(all, l)
	}
	return all, nil
}

func writeLinted(w io.Writer, all []linted) error {
	var b strings.Builder
	for _, l := range all {
		for _, f := range l.Faults {
			fmt.Fprintf(&b, "%s: %s (%s)\n    %s\n", l.Place, f, f.Rule, f.Suggestion)
		}
		if l.Verdict == nil {
			continue
		}
		fmt.Fprintf(&b, "%s: no fault\n", l.Place)
		for _, found := range l.Verdict.Findings {
			fmt.Fprintf(&b, "    %s\n", found)
		}
		if l.Verdict.Reject != "" {
			fmt.Fprintf(&b, "    The automatic review would reject it: %s\n", l.Verdict.Reject)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

type templateCreateCmd struct {
	storeFlags  `embed:""`
	accountFlag `embed:""`
	File        string `arg:"" optional:"" help:"JSON: one template, an array of them, or {\"data\":[…]}." type:"path"`
	Library     string `help:"Create a notification of the library in its place: appointment_reminder, shipping_update, issue_resolution, payment_update." placeholder:"NAME" env:"-"`
	Language    string `help:"Only the notification in this language: en or id." env:"-"`
}

// Help is shown by kabar template create --help.
func (*templateCreateCmd) Help() string {
	return `Puts new templates before review: they are PENDING until somebody, or the automatic review, approves or rejects them (kabar
template policy says who). Every template has to be right: kabar template lint tells beforehand. A utility template that
promotes becomes MARKETING. import, in comparison, stores templates that were reviewed elsewhere.

Examples:
  kabar template create parcel.json --data server
  kabar template create --library shipping_update --data server
  kabar template list --status PENDING --data server
  kabar template approve parcel en --data server`
}

type (
	createTemplates struct {
		Account string `json:"account"`
		Text    string `json:"text"` // of a file
	}
	createdTemplate struct {
		ID       kabar.TemplateID     `json:"id,string"`
		Name     string               `json:"name"`
		Language string               `json:"language"`
		Category string               `json:"category"`
		Status   kabar.TemplateStatus `json:"status"`
	}
)

// Run creates templates.
func (c *templateCreateCmd) Run(ctx context.Context, s streams) error {
	text, err := c.text()
	if err != nil {
		return err
	}
	return c.operate(ctx, func(op *control.Client) error {
		var all []createdTemplate
		if err := op.Call(ctx, "template.create", createTemplates{c.Account, text}, &all, nil); err != nil {
			return err
		}
		rows := make([][]string, len(all))
		for i, t := range all {
			rows[i] = []string{t.Name, t.Language, t.Category, string(t.Status), fmt.Sprint(t.ID)}
		}
		return printTable(s.out, "NAME|LANGUAGE|CATEGORY|STATUS|ID", rows)
	})
}

// inSeveral says what to do with templates that are too much for one file.
const inSeveral = "give them in several files"

func (c *templateCreateCmd) text() (string, error) {
	switch {
	case (c.File == "") == (c.Library == ""):
		return "", &usageError{errors.New("name a file, or a notification of the library with --library")}
	case c.File != "":
		return readInput(c.File, inSeveral)
	}
	text, err := libraryText(c.Library, c.Language)
	if err != nil {
		return "", &usageError{err}
	}
	return string(text), nil
}

func (p *parts) createTemplates(ctx context.Context, in createTemplates, _ control.Report) (all []createdTemplate, err error) {
	account, err := p.oneAccount(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	defs, faults := lintedTemplates([]byte(in.Text))
	if len(faults) > 0 {
		return nil, control.Refuse("nothing was created:\n  %s", strings.Join(faults, "\n  "))
	}
	for _, d := range defs {
		made, err := p.templates().Create(ctx, account.ID, d, byOperator)
		if err != nil {
			return nil, told(err)
		}
		all = append(all, createdTemplate{made.ID, made.Name, made.Language, made.Category.Graph(), made.Status})
	}
	return all, nil
}

// lintedTemplates reads a file of templates, and names every fault that lint or an import would find.
func lintedTemplates(text []byte) (defs []*kabar.TemplateDef, faults []string) {
	found, err := lintTemplates(text)
	if err != nil {
		return nil, []string{err.Error()}
	}
	for _, l := range found {
		for _, f := range l.Faults {
			faults = append(faults, fmt.Sprintf("%s: %s (%s)\n    %s", l.Place, f, f.Rule, f.Suggestion))
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return readTemplates(text)
}

// byOperator is who does what commands ask for, in the audit log.
const byOperator = "operator"
