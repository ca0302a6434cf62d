//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"kabar/internal/torture/history"
)

// theRates are such that every message that arrives costs, in whatever window.
const theRates = `from,currency,market,category,price,in_window,entry_point,free_per_month
2000-01-01,USD,*,utility,0.0021,yes,yes,0
2000-01-01,USD,*,service,0.0007,yes,yes,0
`

// thePrices are those, by the kind of a message.
func thePrices() map[string]history.Money {
	return map[string]history.Money{"template": 2100, "text": 700, "image": 700}
}

// purse is the operator's hand on the account: its line of credit, and the ledger that everything is written to.
type purse struct {
	rec     *history.Recorder
	key     string // of the whole server
	account string // its URL
}

// openPurse has messages cost, and gives the account its first line of credit.
func openPurse(ctx context.Context, c *cluster) (*purse, error) {
	file := c.path("rates.csv")
	if err := os.WriteFile(file, []byte(theRates), 0o600); err != nil {
		return nil, err
	}
	if _, err := c.run(ctx, append([]string{"rates", "import", file, "--data", c.path("server")}, c.databaseFlag()...)...); err != nil {
		return nil, err
	}
	key, err := c.addKey(ctx, "accounts,read")
	if err != nil {
		return nil, err
	}
	accounts := "http://" + c.api + "/kabar/v1/accounts"
	text, err := call(ctx, http.MethodGet, accounts, key, "")
	if err != nil {
		return nil, err
	}
	var list struct {
		Data []struct {
			ID string `json:"waba_id"`
		}
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, err
	}
	if len(list.Data) != 1 {
		return nil, fmt.Errorf("there ought to be one account: %s", text)
	}
	p := &purse{key: key, account: accounts + "/" + list.Data[0].ID}
	if p.rec, err = history.Open(c.path("history"), "purse"); err != nil {
		return nil, err
	}
	if drawn, err := p.draw(ctx, 1000_000_000); err != nil || !drawn {
		return nil, fmt.Errorf("the account gets no line of credit: %w", err)
	}
	return p, nil
}

// draw sets the limit, once, and reports whether it was told so: when the server dies meanwhile, nobody knows what came of it.
func (p *purse) draw(ctx context.Context, limit history.Money) (bool, error) {
	if err := p.rec.Write(history.Record{Op: history.Draw, Limit: limit}); err != nil {
		return false, err
	}
	drew := history.Record{Op: history.Drew, HTTP: http.StatusOK}
	body := fmt.Sprintf(`{"limit":"%d.%06d"}`, limit/1_000_000, limit%1_000_000)
	if _, err := call(ctx, http.MethodPatch, p.account+"/credit", p.key, body); err != nil {
		drew.HTTP, drew.Detail = 0, err.Error()
	}
	return drew.HTTP != 0, p.rec.Write(drew)
}

// whileDrawing sets another limit during some of the rounds, so that some kills meet it on its way.
func (r *rounds) whileDrawing(ctx context.Context, round func(context.Context) error) error {
	drawn := make(chan error, 1)
	if limit := 1000_000_000 + history.Money(r.chance.IntN(1_000_000)); r.chance.IntN(4) == 0 {
		go func() {
			_, err := r.purse.draw(ctx, limit)
			drawn <- err
		}()
	} else {
		drawn <- nil
	}
	return errors.Join(round(ctx), <-drawn)
}

// look records what the account has, and its whole ledger.
func (p *purse) look(ctx context.Context) error {
	var line struct{ Limit, Available, Reserved, Spent string }
	text, err := call(ctx, http.MethodGet, p.account+"/credit", p.key, "")
	if err == nil {
		err = json.Unmarshal([]byte(text), &line)
	}
	if err != nil {
		return fmt.Errorf("read the line of credit: %w", err)
	}
	books := &history.Account{Prices: thePrices()}
	for to, from := range map[*history.Money]string{&books.Limit: line.Limit, &books.Available: line.Available, &books.Reserved: line.Reserved, &books.Spent: line.Spent} {
		if *to, err = millionths(from); err != nil {
			return err
		}
	}
	for after := ""; ; {
		var page struct {
			Entries []struct{ Kind, Amount, Message string }
			Next    string
		}
		text, err := call(ctx, http.MethodGet, p.account+"/ledger?limit=100&after="+url.QueryEscape(after), p.key, "")
		if err == nil {
			err = json.Unmarshal([]byte(text), &page)
		}
		if err != nil {
			return fmt.Errorf("read the ledger: %w", err)
		}
		for _, e := range page.Entries {
			amount, err := millionths(e.Amount)
			if err != nil {
				return err
			}
			books.Entries = append(books.Entries, history.Entry{Kind: e.Kind, Amount: amount, Message: e.Message})
		}
		if after = page.Next; after == "" {
			return p.rec.Write(history.Record{Op: history.Books, Books: books})
		}
	}
}

// millionths reads a decimal of at most six places.
func millionths(decimal string) (history.Money, error) {
	whole, part, _ := strings.Cut(decimal, ".")
	if len(part) > 6 {
		return 0, fmt.Errorf("%q has more than six places", decimal)
	}
	n, err := strconv.ParseInt(whole+part+strings.Repeat("0", 6-len(part)), 10, 64)
	return history.Money(n), err
}
