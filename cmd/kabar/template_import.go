package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/store"
	"kabar/internal/web"
)

type templateImportCmd struct {
	storeFlags  `embed:""`
	accountFlag `embed:""`
	File        string `arg:"" help:"JSON: one template, an array of them, or {\"data\":[…]}." type:"path"`
}

// Help is shown by kabar template import --help.
func (*templateImportCmd) Help() string {
	return `Takes templates as the Graph API lists them (GET …/message_templates), and files that kabar template show --json has written. A
template that is there already, by name and language, is replaced, status included; all others stay. A template without a
status is imported as APPROVED: nobody reviews it here.

An account has at most 250 templates, whatever their languages; a file has at most 16 MiB. Nothing is stored unless every template of
the file is right. Otherwise every fault is named with its place:

  [3] parcel_update es_ES: components[1].text: has 1090 characters, the limit is 1024

Templates with parts that Kabar cannot send yet (a request to call, say) are kept, and the command names them.`
}

type (
	importTemplates struct {
		Account string `json:"account"`
		Text    string `json:"text"` // of the file
		Keep    bool   `json:"keep"` // what is there already stays as it is
	}
	importedTemplates struct {
		Account string             `json:"account"`
		Items   []importedTemplate `json:"items"`
	}
	importedTemplate struct {
		Name     string `json:"name"`
		Language string `json:"language"`
		Change   string `json:"change"` // new, changed or unchanged; keptTemplate with its status
		Unsent   string `json:"cannot_be_sent,omitempty"`
	}
)

// Run imports templates.
func (c *templateImportCmd) Run(ctx context.Context, s streams) error {
	text, err := readInput(c.File, inSeveral)
	if err != nil {
		return err
	}
	return c.operate(ctx, func(op *control.Client) error {
		var out importedTemplates
		if err := op.Call(ctx, "template.import", importTemplates{Account: c.Account, Text: text}, &out, nil); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "Imported into %q:\n", out.Account)
		rows := make([][]string, len(out.Items))
		for i, t := range out.Items {
			note := t.Change
			if t.Unsent != "" {
				note += "; cannot be sent: " + t.Unsent
			}
			rows[i] = []string{t.Name, t.Language, note}
		}
		return printTable(s.out, "NAME|LANGUAGE|WHAT", rows)
	})
}

// keptTemplate stands before the status of a template that was left as it is.
const keptTemplate = "there, and stays as it is: "

func (p *parts) importTemplates(ctx context.Context, in importTemplates, _ control.Report) (out importedTemplates, err error) {
	account, err := p.oneAccount(ctx, in.Account)
	if err != nil {
		return out, err
	}
	defs, faults := readTemplates([]byte(in.Text))
	if len(faults) > 0 {
		return out, control.Refuse("nothing was imported:\n  %s", strings.Join(faults, "\n  "))
	}
	if err := p.room(ctx, account, defs); err != nil {
		return out, err
	}
	err = p.db.Write(ctx, nil, func(tx *store.Tx) error {
		out = importedTemplates{Account: account.Name}
		for _, d := range defs {
			d.Account = account.ID
			old, err := tx.FindTemplate(account.ID, d.Name, d.Language)
			if err != nil {
				return err
			}
			if old != nil && in.Keep {
				out.Items = append(out.Items, importedTemplate{Name: d.Name, Language: d.Language, Change: keptTemplate + string(old.Status)})
				continue
			}
			item := importedTemplate{Name: d.Name, Language: d.Language, Change: "changed"}
			if old != nil {
				d.ID, d.Life = old.ID, old.Life
				d.Life.Dues = nil // what was imported is as it is elsewhere
			}
			switch {
			case old == nil:
				item.Change = "new"
			case reflect.DeepEqual(old, d):
				item.Change = "unchanged"
			}
			if err := d.CanSend(); err != nil {
				item.Unsent = detail(err)
			}
			if err := tx.SaveTemplate(d); err != nil {
				return err
			}
			out.Items = append(out.Items, item)
		}
		return nil
	})
	return out, err
}

// room refuses what would give an account more templates than it may have. A store that has more already keeps them.
func (p *parts) room(ctx context.Context, account *kabar.Account, more []*kabar.TemplateDef) error {
	policy, err := p.templates().Policy(ctx, account.ID)
	if err != nil {
		return err
	}
	all, err := p.db.Templates(ctx, account.ID)
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for _, t := range all {
		if t.Status != kabar.TemplateDeleted && t.Status != kabar.TemplatePendingDeletion {
			names[t.Name] = true
		}
	}
	had := len(names)
	for _, t := range more {
		names[t.Name] = true
	}
	most, err := p.templates().Most(ctx, account.ID, policy)
	if err != nil {
		return err
	}
	if len(names) > had && len(names) > most {
		return control.Refuse("nothing was imported: the account would have %d templates, counted by name; the limit is %d (kabar template policy --limit)",
			len(names), most)
	}
	return nil
}

// detail is what a refusal of the rules says to people.
func detail(err error) string {
	if refused, ok := errors.AsType[*kabar.Error](err); ok {
		return refused.Detail
	}
	return err.Error()
}

// readTemplates reads a file of templates and names every fault with its place.
func readTemplates(text []byte) (defs []*kabar.TemplateDef, faults []string) {
	texts, list, err := splitTemplates(text)
	if err != nil {
		return nil, []string{err.Error()}
	}
	if len(texts) == 0 {
		return nil, []string{"the file has no template"}
	}
	seen := map[[2]string]string{}
	for i, t := range texts {
		place := "the template"
		if list {
			place = fmt.Sprintf("[%d]", i)
		}
		d := new(kabar.TemplateDef)
		if err := web.Decode(t, d, web.Options{Unknown: web.Ignore}); err != nil {
			faults = append(faults, place+": "+err.Error())
			continue
		}
		d.Normalize()
		place = strings.Join(strings.Fields(place+" "+d.Name+" "+d.Language), " ")
		for _, err := range d.Check() {
			refused, _ := errors.AsType[*kabar.Error](err) // Check returns nothing else
			faults = append(faults, fmt.Sprintf("%s: %s: %s", place, refused.Field, refused.Detail))
		}
		key := [2]string{d.Name, d.Language}
		if first := seen[key]; first != "" {
			faults = append(faults, place+": is there twice, first as "+first)
		}
		seen[key] = place
		defs = append(defs, d)
	}
	return defs, faults
}

// splitTemplates finds the templates of a file, and whether it is a list of them.
func splitTemplates(text []byte) (texts []json.RawMessage, list bool, err error) {
	text = bytes.TrimSpace(text)
	if bytes.HasPrefix(text, []byte("[")) {
		return texts, true, asJSON(json.Unmarshal(text, &texts))
	}
	var listed struct {
		Data *[]json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(text, &listed); err != nil {
		return nil, false, asJSON(err)
	}
	if listed.Data != nil {
		return *listed.Data, true, nil
	}
	return []json.RawMessage{text}, false, nil
}

// asJSON says where a file stops being JSON.
func asJSON(err error) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("the file is no JSON: %w at byte %d", err, syntax.Offset)
	}
	if err != nil {
		return errors.New("the file is neither a template, an array of them, nor {\"data\":[…]}")
	}
	return nil
}
