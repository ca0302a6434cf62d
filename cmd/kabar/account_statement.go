package main

import (
	"context"
	"encoding/csv"
	"strconv"

	"kabar/internal/control"
	"kabar/internal/engine"
)

type accountStatementCmd struct {
	storeFlags  `embed:""`
	accountFlag `embed:""`
	listFlags   `embed:""`
	CSV         bool   `name:"csv" help:"Print CSV, for a spreadsheet." env:"-"`
	Month       string `arg:"" optional:"" help:"The month, such as 2026-11; the present one if it is left out."`
}

type accountStatement struct{ Account, Month string }

// Run shows the statement.
func (c *accountStatementCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var out engine.Statement
		if err := op.Call(ctx, "account.statement", accountStatement{c.Account, c.Month}, &out, nil); err != nil {
			return err
		}
		var rows [][]string
		for _, l := range out.Lines {
			rows = append(rows, []string{l.Market, l.Category, l.Rate, strconv.FormatInt(l.Messages, 10), l.Price.String(), l.Amount.String()})
		}
		total := append(rows, []string{"", "total", "", "", "", out.Total.String()})
		if c.CSV {
			return csv.NewWriter(s.out).WriteAll(append([][]string{{"market", "category", "rate", "messages", "price", "amount"}}, total...))
		}
		if len(rows) > 0 {
			rows = total
		}
		return c.print(s.out, out, "No message of "+out.Month+" has cost anything.", "MARKET|CATEGORY|RATE|MESSAGES|PRICE|"+out.Currency, rows)
	})
}

func (p *parts) accountStatement(ctx context.Context, in accountStatement, _ control.Report) (out engine.Statement, err error) {
	account, err := p.oneAccount(ctx, in.Account)
	if err != nil {
		return out, err
	}
	b, err := p.business(ctx)
	if err != nil {
		return out, err
	}
	s, err := b.Statement(ctx, account.ID, in.Month)
	if err != nil {
		return out, told(err)
	}
	return *s, nil
}
