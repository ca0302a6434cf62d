package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"kabar"
	"kabar/internal/control"
)

type numberListCmd struct {
	storeFlags `embed:""`
	listFlags  `embed:""`
}

type (
	nothing    struct{}
	numberItem struct {
		Digits  string    `json:"digits"`
		Name    string    `json:"name"`
		Pending string    `json:"name_pending,omitempty"` // the name that waits for a decision
		Account string    `json:"account"`
		State   string    `json:"state"` // of its connection: connected, connecting and such; "stopped" with the server
		Since   time.Time `json:"since,omitzero"`
	}
)

// Run lists the numbers.
func (c *numberListCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var all []numberItem
		if err := op.Call(ctx, "number.list", nothing{}, &all, nil); err != nil {
			return err
		}
		var rows [][]string
		for _, n := range all {
			rows = append(rows, []string{n.Digits, n.named(), n.Account, moment(n.Since, "-"), n.State})
		}
		return c.print(s.out, all, "There is no number yet. Add one: kabar number add DIGITS --data "+c.Data, "NUMBER|NAME|ACCOUNT|SINCE|STATE", rows)
	})
}

func (p *parts) listNumbers(ctx context.Context, _ nothing, _ control.Report) ([]numberItem, error) {
	numbers, err := p.db.Numbers(ctx)
	if err != nil {
		return nil, err
	}
	accounts, err := p.accounts(ctx)
	if err != nil {
		return nil, err
	}
	items := []numberItem{}
	for _, n := range numbers {
		item, err := p.item(ctx, n, accounts)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

// accounts returns the names of the accounts.
func (p *parts) accounts(ctx context.Context) (map[kabar.AccountID]string, error) {
	all, err := p.db.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	names := map[kabar.AccountID]string{}
	for _, a := range all {
		names[a.ID] = a.Name
	}
	return names, nil
}

func (p *parts) item(ctx context.Context, n *kabar.Number, accounts map[kabar.AccountID]string) (numberItem, error) {
	item := numberItem{Digits: n.Digits, Name: n.Profile.Name, Account: accounts[n.Account], State: "stopped"}
	if p.link != nil {
		item.State, item.Since = p.link(n)
	}
	_, s, err := p.db.Number(ctx, n.ID)
	if s.Naming.Pending() {
		item.Pending = s.Naming.Asked(&n.Profile)
	}
	return item, err
}

// named is what the number is called, and which name waits for a decision.
func (n *numberItem) named() string {
	switch n.Pending {
	case "":
		return n.Name
	case n.Name:
		return n.Name + " (pending)"
	}
	return n.Name + " (" + n.Pending + " is pending)"
}

type numberShowCmd struct {
	storeFlags `embed:""`
	listFlags  `embed:""`
	Digits     string `arg:"" optional:"" help:"The number; may be left out when there is one."`
}

type (
	showNumber struct {
		Digits string `json:"digits"`
	}
	shownNumber struct {
		numberItem
		Profile  kabar.Profile  `json:"profile"`
		Webhooks []endpointItem `json:"webhooks"`
		Users    []userItem     `json:"users"`
		Keys     []keyItem      `json:"keys"`
	}
	endpointItem struct {
		Dialect string `json:"dialect"`
		URL     string `json:"url"`     // empty: events wait for one
		Waiting int64  `json:"waiting"` // events that have not been delivered
		Parked  int    `json:"parked"`  // customers whose events fail while others' go out
	}
)

// Run shows a number.
func (c *numberShowCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var n shownNumber
		if err := op.Call(ctx, "number.show", showNumber{c.Digits}, &n, nil); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s.out, n)
		}
		return n.print(s.out)
	})
}

func (n *shownNumber) print(w io.Writer) error {
	state := n.State
	if !n.Since.IsZero() {
		state += " since " + moment(n.Since, "")
	}
	rows := [][]string{{"Account", n.Account}, {"State", state}}
	for _, f := range [][2]string{{"Description", n.Profile.Description}, {"Address", n.Profile.Address}, {"Email", n.Profile.Email},
		{"Websites", strings.Join(n.Profile.Websites, ", ")}} {
		if f[1] != "" {
			rows = append(rows, f[:])
		}
	}
	for _, e := range n.Webhooks {
		rows = append(rows, []string{"Webhook", e.text()})
	}
	if err := printTable(w, n.Digits+"|"+n.named(), rows); err != nil {
		return err
	}
	for _, part := range []struct {
		header, empty string
		rows          [][]string
	}{
		{userHeader, "No users. Add one: kabar user add NAME --admin --number " + n.Digits, userRows(n.Users)},
		{keyHeader, "No keys. Make one: kabar key add --number " + n.Digits, keyRows(n.Keys)},
	} {
		fmt.Fprintln(w)
		if err := (&listFlags{}).print(w, nil, part.empty, part.header, part.rows); err != nil {
			return err
		}
	}
	return nil
}

func (e *endpointItem) text() string {
	text := cmp.Or(e.URL, "no URL yet: set webhooks.url by PATCH /v1/settings/application") + "; " + strconv.FormatInt(e.Waiting, 10) + " events wait"
	if e.Parked > 0 {
		text += fmt.Sprintf(", %d customers are parked", e.Parked)
	}
	return text
}

func (p *parts) showNumber(ctx context.Context, in showNumber, report control.Report) (out shownNumber, err error) {
	n, err := pickNumber(ctx, p.db, in.Digits)
	if err != nil {
		return out, err
	}
	accounts, err := p.accounts(ctx)
	if err != nil {
		return out, err
	}
	if out.numberItem, err = p.item(ctx, n, accounts); err != nil {
		return out, err
	}
	out.Profile = n.Profile
	if out.Webhooks, err = p.endpoints(ctx, n); err != nil {
		return out, err
	}
	if out.Users, err = p.listUsers(ctx, listUsers{n.Digits}, report); err != nil {
		return out, err
	}
	out.Keys, err = p.listKeys(ctx, listKeys{n.Digits}, report)
	return out, err
}

// endpoints says how far the number's endpoints are behind, by what is in the store: a moment's deliveries may be on their
// way to it.
func (p *parts) endpoints(ctx context.Context, n *kabar.Number) ([]endpointItem, error) {
	all, err := p.db.Endpoints(ctx, n.ID)
	if err != nil {
		return nil, err
	}
	last, err := p.db.LastSeq(ctx, n.ID)
	if err != nil {
		return nil, err
	}
	items := []endpointItem{}
	for _, e := range all {
		parked, err := p.db.ParkedCustomers(ctx, n.ID, e.ID)
		if err != nil {
			return nil, err
		}
		item := endpointItem{Dialect: string(e.Dialect), URL: e.URL, Waiting: max(last-e.Mark, 0), Parked: len(parked)}
		for _, c := range parked {
			item.Waiting += c.Events
		}
		items = append(items, item)
	}
	return items, nil
}
