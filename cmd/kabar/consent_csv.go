package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/csvtable"
	"kabar/internal/engine"
)

// consentColumns are those of a file of consent. by and recorded say who wrote an entry down and when: an import does that itself.
func consentColumns() csvtable.Columns {
	return csvtable.Columns{Required: []string{"wa_id", "state"}, Optional: []string{"for", "at", "how", "proof", "by", "recorded"}}
}

type consentImportCmd struct {
	storeFlags  `embed:""`
	accountFlag `embed:""`
	File        string `arg:"" help:"CSV with a header row." type:"path"`
}

// Help is shown by kabar consent import --help.
func (*consentImportCmd) Help() string {
	return `The file begins with a header row; its columns may stand in any order, parted by commas, semicolons or tabs:

  wa_id,state,for,at,how,proof
  34600111222,opted_in,marketing,2031-05-02T10:15:00Z,web form,order 991

Only wa_id and state must be there. state is opted_in or opted_out. What a customer said last counts, by "at": a line about earlier is
recorded and changes nothing. Nothing is recorded unless every line is right; otherwise every faulty line is named. A line that says
what is recorded already, with the same for, how, proof and at, records nothing: the same file can be imported again.`
}

type importConsent struct {
	Account string `json:"account"`
	Text    string `json:"text"` // of the file
}

type importedConsent struct {
	Account string `json:"account"`
	Entries int    `json:"entries"` // that were recorded
	Known   int    `json:"known"`   // lines that said what was recorded already
}

// Run imports entries.
func (c *consentImportCmd) Run(ctx context.Context, s streams) error {
	text, err := readInput(c.File, "import it in several files, each with the header row")
	if err != nil {
		return err
	}
	return c.operate(ctx, func(op *control.Client) error {
		var out importedConsent
		if err := op.Call(ctx, "consent.import", importConsent{c.Account, text}, &out, nil); err != nil {
			return err
		}
		known := ""
		if out.Known > 0 {
			known = fmt.Sprintf("; %d lines say what was recorded already", out.Known)
		}
		_, err := fmt.Fprintf(s.out, "Ledger of %q: %d entries recorded%s\n", out.Account, out.Entries, known)
		return err
	})
}

func (p *parts) importConsent(ctx context.Context, in importConsent, _ control.Report) (out importedConsent, err error) {
	account, err := p.oneAccount(ctx, in.Account)
	if err != nil {
		return out, err
	}
	all, lines, faults := readConsent(in.Text, p.consents().Check)
	if len(faults) > 0 {
		return out, control.Refuse("nothing was recorded:\n  %s", strings.Join(faults, "\n  "))
	}
	plan, err := p.consents().Plan(ctx, account.ID, all)
	if err != nil {
		return out, told(err)
	}
	for _, i := range slices.Sorted(maps.Keys(plan.Faults)) {
		faults = append(faults, fmt.Sprintf("line %d: %v", lines[i], told(plan.Faults[i])))
	}
	if len(faults) > 0 {
		return out, control.Refuse("nothing was recorded:\n  %s", strings.Join(csvtable.Few(faults), "\n  "))
	}
	at, err := p.consents().Record(ctx, account.ID, plan.New)
	if refused, ok := errors.AsType[*kabar.Error](err); ok && at < len(plan.New) {
		return out, control.Refuse("line %d: %s\nThis has changed while the list was recorded, and lines before it are recorded: mend it, and import the list again.",
			lines[plan.Lines[at]], refused.Explanation())
	}
	return importedConsent{account.Name, len(plan.New), plan.Known}, err
}

// readConsent reads a file of consent, with the line of each entry, and names every fault with its line. check looks at an entry.
func readConsent(text string, check func(*engine.CustomerConsent) error) (all []engine.ConsentLine, lines []int, faults []string) {
	faults = csvtable.Read(text, consentColumns(), func(r csvtable.Row) []string {
		e, err := customerConsentOf(r)
		timed := !e.At.IsZero()
		if err == nil {
			err = check(&e)
		}
		all, lines = append(all, engine.ConsentLine{CustomerConsent: e, Timed: timed}), append(lines, r.Line)
		if refused, ok := errors.AsType[*kabar.Error](err); ok {
			return []string{refused.Explanation()}
		}
		return nil
	})
	return all, lines, faults
}

func customerConsentOf(r csvtable.Row) (e engine.CustomerConsent, err error) {
	e.Customer, e.By = r.Get("wa_id"), kabar.ByOperator
	e.State, e.For, e.Proof = kabar.ConsentState(strings.ToLower(r.Get("state"))), r.Get("for"), r.Get("proof")
	e.How = cmp.Or(r.Get("how"), "import")
	if at := r.Get("at"); at != "" {
		if e.At, err = time.Parse(time.RFC3339, at); err != nil {
			return e, kabar.Refuse(kabar.ReasonInvalid, "at", "is %q; it must be a time such as 2031-05-02T10:15:00Z", at)
		}
	}
	return e, nil
}

type consentExportCmd struct {
	storeFlags  `embed:""`
	accountFlag `embed:""`
}

// Help is shown by kabar consent export --help.
func (*consentExportCmd) Help() string {
	return `Writes every entry of the ledger, customer by customer, oldest first: of a customer the newest hundred. kabar consent import
reads the same columns.`
}

// exportConsent asks for a part of the ledger: what is behind a customer.
type exportConsent struct {
	Account string `json:"account"`
	After   string `json:"after"`
}

// exportPage is how many customers are asked for at once.
const exportPage = 500

// Run writes the ledger.
func (c *consentExportCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		w := csv.NewWriter(s.out)
		err := w.Write(consentColumns().All())
		for after := ""; err == nil; {
			var page []shownConsent
			if err = op.Call(ctx, "consent.export", exportConsent{c.Account, after}, &page, nil); err != nil || len(page) == 0 {
				break
			}
			after = page[len(page)-1].WaID
			for _, of := range page {
				for _, e := range of.History {
					err = errors.Join(err, w.Write([]string{of.WaID, string(e.State), e.For, e.At.UTC().Format(time.RFC3339), e.How, e.Proof, e.By,
						e.Recorded.UTC().Format(time.RFC3339)}))
				}
			}
		}
		w.Flush()
		return errors.Join(err, w.Error())
	})
}

func (p *parts) exportConsent(ctx context.Context, in exportConsent, _ control.Report) (all []shownConsent, err error) {
	account, err := p.oneAccount(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	page, err := p.consents().List(ctx, account.ID, in.After, exportPage)
	if err != nil {
		return nil, told(err)
	}
	for _, c := range page {
		_, history, err := p.consents().Get(ctx, account.ID, c.Handle)
		if err != nil {
			return nil, told(err)
		}
		all = append(all, shownConsent{c.Handle, c.State, history})
	}
	return all, nil
}
