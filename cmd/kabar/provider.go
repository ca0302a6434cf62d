package main

import (
	"context"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
	"time"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/engine"
)

// providerCmd is for whoever serves clients, each with an account of its own.
type providerCmd struct {
	Onboard providerOnboardCmd `cmd:"" help:"Bring a client from the details of its business to a number that can send."`
	Report  providerReportCmd  `cmd:"" help:"Show what each account has sent in a month, what it costs, and how it is."`
}

// Help is shown by kabar provider --help.
func (*providerCmd) Help() string {
	return `A provider runs one server for many clients. Each client has an account (WABA) with numbers, templates, keys and a line of credit of
its own, and sees nothing of the others.

Examples:
  kabar provider onboard toko-sinar.yaml --data server
  kabar provider report --data server
  kabar provider report 2026-11 --csv --data server > 2026-11.csv`
}

// providerOperations are what the commands below ask for; onboarding is done by the operations of its parts.
func providerOperations(m *control.Mux, p *parts) {
	control.Handle(m, "provider.report", p.providerReport)
	control.Handle(m, "provider.turn", takeTurns())
}

type providerReportCmd struct {
	storeFlags `embed:""`
	listFlags  `embed:""`
	CSV        bool   `name:"csv" help:"Print CSV, for a spreadsheet." env:"-"`
	Month      string `arg:"" optional:"" help:"The month, such as 2026-11, of each account's time zone; the present one if it is left out."`
}

type (
	reportProvider struct{ Month string }
	reportedClient struct {
		ID        string `json:"waba_id"`
		Name      string `json:"name"`
		Client    bool   `json:"client"`
		Numbers   int    `json:"numbers"`
		Month     string `json:"month"`
		Sent      int64  `json:"sent"`
		Delivered int64  `json:"delivered"`
		Read      int64  `json:"read"`
		Received  int64  `json:"received"`
		// Quality is that of the number that customers take worst, by the last seven days.
		Quality   kabar.TemplateScore `json:"quality"`
		Currency  string              `json:"currency"`
		Cost      kabar.Money         `json:"cost"`      // of what was delivered in the month
		Available *kabar.Money        `json:"available"` // of the line of credit, now; nil: there is no line
	}
)

// reportHeader names the columns of both forms.
const reportHeader = "WABA|NAME|NUMBERS|SENT|DELIVERED|READ|RECEIVED|QUALITY|CURRENCY|COST|AVAILABLE"

// Run shows the report.
func (c *providerReportCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var all []reportedClient
		if err := op.Call(ctx, "provider.report", reportProvider{c.Month}, &all, nil); err != nil {
			return err
		}
		rows := make([][]string, len(all))
		for i := range all {
			rows[i] = all[i].row()
		}
		if c.CSV {
			return csv.NewWriter(s.out).WriteAll(append([][]string{strings.Split(strings.ToLower(reportHeader), "|")}, rows...))
		}
		return c.print(s.out, all, "There is no account yet: kabar provider onboard FILE makes one.", reportHeader, rows)
	})
}

func (r *reportedClient) row() []string {
	available := "no line"
	if r.Available != nil {
		available = r.Available.String()
	}
	count := func(n int64) string { return strconv.FormatInt(n, 10) }
	return []string{r.ID, r.Name, strconv.Itoa(r.Numbers), count(r.Sent), count(r.Delivered), count(r.Read), count(r.Received), string(r.Quality), r.Currency,
		r.Cost.String(), available}
}

// providerReport is about every account of the server, the operator's own among them.
func (p *parts) providerReport(ctx context.Context, in reportProvider, _ control.Report) ([]reportedClient, error) {
	b, err := p.business(ctx)
	if err != nil {
		return nil, err
	}
	accounts, err := b.All(ctx)
	if err != nil {
		return nil, err
	}
	numbers, err := p.db.Numbers(ctx)
	if err != nil {
		return nil, err
	}
	all := []reportedClient{}
	for _, w := range accounts {
		r, err := p.reported(ctx, b, w, numbers, in.Month)
		if err != nil {
			return nil, told(err)
		}
		all = append(all, r)
	}
	return all, nil
}

func (p *parts) reported(ctx context.Context, b *engine.Accounts, w *kabar.Account, numbers []*kabar.Number, month string) (r reportedClient, err error) {
	item, err := p.accountItem(ctx, b, w)
	if err != nil {
		return r, err
	}
	s, err := b.Statement(ctx, w.ID, month)
	if err != nil {
		return r, err
	}
	r = reportedClient{ID: item.ID, Name: w.Name, Client: w.Client, Month: s.Month, Currency: w.Currency, Cost: s.Total, Available: item.available(),
		Quality: kabar.ScoreUnknown}
	zone, err := time.LoadLocation(w.Timezone)
	if err != nil {
		return r, err
	}
	from, err := time.ParseInLocation("2006-01", s.Month, zone)
	if err != nil {
		return r, err
	}
	now := p.now()()
	first, last := kabar.SlotOf(from), kabar.SlotOf(from.AddDate(0, 1, 0))-1
	for _, n := range numbers {
		if n.Account != w.ID {
			continue
		}
		r.Numbers++
		slots, err := p.db.Traffic(ctx, w.ID, n.ID, first, last)
		if err != nil {
			return r, err
		}
		for _, t := range slots {
			r.Sent, r.Delivered, r.Read, r.Received = r.Sent+t.Sent, r.Delivered+t.Delivered, r.Read+t.Read, r.Received+t.Received
		}
		lately, err := p.db.Traffic(ctx, w.ID, n.ID, kabar.SlotOf(now.AddDate(0, 0, -kabar.TemplateDays)), kabar.SlotOf(now))
		if err != nil {
			return r, err
		}
		if q := kabar.QualityOf(lately); badness(q) > badness(r.Quality) {
			r.Quality = q
		}
	}
	return r, nil
}

// badness orders what customers think of numbers.
func badness(q kabar.TemplateScore) int {
	return slices.Index([]kabar.TemplateScore{kabar.ScoreUnknown, kabar.ScoreGreen, kabar.ScoreYellow, kabar.ScoreRed}, q)
}
