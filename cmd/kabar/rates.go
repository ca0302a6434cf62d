package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/rates"
	"kabar/internal/store"
)

// ratesCmd manages what messages cost.
type ratesCmd struct {
	Show   ratesShowCmd   `cmd:"" help:"Print the rate card, as CSV that import takes."`
	Import ratesImportCmd `cmd:"" help:"Put another rate card in its place."`
}

// Help is shown by kabar rates --help.
func (*ratesCmd) Help() string {
	return `A rate card says what a delivered message of a category costs with customers of a market, from a day on, in the account's time zone. A row
also says whether it costs inside the 24-hour window (in_window), in the 72 hours of an entry point, and how many messages a number has
free each month.

The figures of the card that a server begins with are MADE UP. Import those of your own contract:

  kabar rates show --data server > rates.csv
  kabar rates import rates.csv --data server`
}

// ratesOperations are what the commands below ask for.
func ratesOperations(m *control.Mux, p *parts) {
	control.Handle(m, "rates.show", p.showRates)
	control.Handle(m, "rates.import", recorded(p.db, "rates.imported", p.importRates))
}

type ratesShowCmd struct {
	storeFlags `embed:""`
}

type (
	showRates   struct{}
	importRates struct{ Text string }
	ratesAre    struct {
		Text     string
		Imported string // when; empty: the made-up card
		Rows     int
	}
)

// Run prints the card; where it comes from goes to standard error.
func (c *ratesShowCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var out ratesAre
		if err := op.Call(ctx, "rates.show", showRates{}, &out, nil); err != nil {
			return err
		}
		from := "imported " + out.Imported
		if out.Imported == "" {
			from = "made up by Kabar: import those of your own contract"
		}
		_, err := fmt.Fprintf(s.err, "%d rates, %s\n", out.Rows, from)
		_, second := fmt.Fprint(s.out, out.Text)
		return errors.Join(err, second)
	})
}

func (p *parts) showRates(ctx context.Context, _ showRates, _ control.Report) (out ratesAre, err error) {
	card, imported, err := p.db.RateCard(ctx)
	if store.IsNotFound(err) {
		card, err = rates.Default(), nil
	}
	if err != nil {
		return out, err
	}
	var b bytes.Buffer
	err = rates.Write(&b, card)
	return ratesAre{b.String(), moment(imported, ""), len(card.Rates)}, err
}

type ratesImportCmd struct {
	storeFlags `embed:""`
	File       string `arg:"" help:"CSV with the columns that kabar rates show prints." type:"path"`
}

// Run imports a card.
func (c *ratesImportCmd) Run(ctx context.Context, s streams) error {
	text, err := readInput(c.File, "a rate card has up to "+strconv.Itoa(kabar.MaxRates)+" rows")
	if err != nil {
		return err
	}
	return c.operate(ctx, func(op *control.Client) error {
		var out ratesAre
		if err := op.Call(ctx, "rates.import", importRates{text}, &out, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "%d rates hold from now on. What is reserved already stays as it is.\n", out.Rows)
		return err
	})
}

func (p *parts) importRates(ctx context.Context, in importRates, _ control.Report) (out ratesAre, err error) {
	card, err := rates.Read(in.Text)
	if err != nil {
		return out, control.Refuse("nothing was imported:\n  %s", strings.ReplaceAll(err.Error(), "\n", "\n  "))
	}
	b, err := p.business(ctx)
	if err != nil {
		return out, err
	}
	if err := b.ImportRates(ctx, card, byOperator); err != nil {
		return out, told(err)
	}
	return ratesAre{Rows: len(card.Rates)}, nil
}
