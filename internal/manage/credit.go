package manage

import (
	"encoding/csv"
	"net/http"
	"strconv"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/store"
)

// credit is a line of credit as answers show it. An account without a line has neither limit nor available.
type credit struct {
	Limit     *kabar.Money `json:"limit"`
	Available *kabar.Money `json:"available"`
	Reserved  kabar.Money  `json:"reserved"`
	Spent     kabar.Money  `json:"spent"`
	Currency  string       `json:"currency"`
}

func shownCredit(c *kabar.Credit) credit {
	out := credit{Reserved: c.Reserved, Spent: c.Spent, Currency: c.Currency}
	if !c.Open {
		limit, available := c.Limit, c.Available()
		out.Limit, out.Available = &limit, &available
	}
	return out
}

// showCredit: GET /kabar/v1/accounts/{waba_id}/credit.
func (a *API) showCredit(w http.ResponseWriter, r *http.Request) {
	id, _, err := a.named(r)
	if err == nil {
		var c *kabar.Credit
		if c, err = a.o.Accounts.Credit(r.Context(), id); err == nil {
			a.write(w, http.StatusOK, shownCredit(c))
			return
		}
	}
	a.Refuse(w, r, err)
}

// drawCredit: PATCH /kabar/v1/accounts/{waba_id}/credit. Only the limit can change, by itself or by what is to be available; what else
// is sent must be as it is.
func (a *API) drawCredit(w http.ResponseWriter, r *http.Request) {
	var sent sentCredit
	if !a.read(w, r, &sent, `send {"limit":"500.00"}: amounts are decimals in quotes`) {
		return
	}
	in, err := sent.amounts()
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	id, _, err := a.named(r)
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	who, err := a.operator(r)
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	var c *kabar.Credit
	if in.Limit == nil && in.Available == nil {
		if c, err = a.o.Accounts.Credit(r.Context(), id); err == nil {
			err = stays(c, in.Reserved, in.Spent, in.Currency)
		}
	} else {
		c, err = a.o.Accounts.Redraw(r.Context(), id, in.limit, who)
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.write(w, http.StatusOK, shownCredit(c))
}

// sentCredit is what may be sent of a line of credit. Its amounts are texts until it is known that they are JSON's, so that what is wrong
// with one is told as the command tells it.
type sentCredit struct {
	Limit     *string `json:"limit"`
	Available *string `json:"available"`
	Reserved  *string `json:"reserved"`
	Spent     *string `json:"spent"`
	Currency  string  `json:"currency"`
}

// newCredit is the same with its amounts.
type newCredit struct {
	Limit, Available, Reserved, Spent *kabar.Money
	Currency                          string
}

func (s *sentCredit) amounts() (in newCredit, err error) {
	in.Currency = s.Currency
	for _, f := range []struct {
		name string
		text *string
		into **kabar.Money
	}{{"limit", s.Limit, &in.Limit}, {"available", s.Available, &in.Available}, {"reserved", s.Reserved, &in.Reserved}, {"spent", s.Spent, &in.Spent}} {
		if f.text == nil {
			continue
		}
		m, err := kabar.ParseMoney(*f.text)
		if err != nil {
			return in, kabar.Refuse(kabar.ReasonInvalid, f.name, "%v", err)
		}
		*f.into = &m
	}
	return in, nil
}

// limit is what the limit has to be. Messages may change the line until it is drawn, so it is asked for in the commit.
func (in *newCredit) limit(c *kabar.Credit) (kabar.Money, error) {
	if err := stays(c, in.Reserved, in.Spent, in.Currency); err != nil {
		return 0, err
	}
	if in.Available == nil {
		return *in.Limit, nil
	}
	needed := in.Available.Add(c.Reserved).Add(c.Spent)
	if in.Limit != nil && *in.Limit != needed {
		return 0, kabar.Refuse(kabar.ReasonInvalid, "available", "would need a limit of %s: send one of the two", needed)
	}
	return needed, nil
}

// stays refuses what nobody can set: messages do.
func stays(c *kabar.Credit, reserved, spent *kabar.Money, currency string) error {
	switch {
	case reserved != nil && *reserved != c.Reserved:
		return kabar.Refuse(kabar.ReasonInvalid, "reserved", "is %s and follows from messages: send the limit alone", c.Reserved)
	case spent != nil && *spent != c.Spent:
		return kabar.Refuse(kabar.ReasonInvalid, "spent", "is %s and follows from messages: send the limit alone", c.Spent)
	case currency != "" && currency != c.Currency:
		return kabar.Refuse(kabar.ReasonInvalid, "currency", "is %s for as long as the account lives", c.Currency)
	}
	return nil
}

// entry is an entry of the ledger as answers show it.
type entry struct {
	ID       string           `json:"id"`
	At       string           `json:"at"`
	Kind     kabar.LedgerKind `json:"kind"`
	Amount   kabar.Money      `json:"amount"`
	Currency string           `json:"currency"`
	Message  string           `json:"message,omitempty"`
	Price    string           `json:"price,omitempty"`
	Customer string           `json:"customer,omitempty"` // the pseudonym of one who has been erased
}

const maxLedger = 100

// listLedger: GET /kabar/v1/accounts/{waba_id}/ledger, oldest first.
func (a *API) listLedger(w http.ResponseWriter, r *http.Request) {
	id, q, err := a.ledgerQuery(r)
	var all []*kabar.LedgerEntry
	if err == nil {
		all, err = a.o.Accounts.Ledger(r.Context(), id, q)
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	answer := struct {
		Entries []entry `json:"entries"`
		Next    string  `json:"next,omitempty"`
	}{Entries: []entry{}}
	for i, e := range all {
		if i == q.Limit-1 { // one more was asked for, to know whether there is
			answer.Next = answer.Entries[i-1].ID
			break
		}
		shown := entry{ID: a.nodeID(e.ID), At: written(e.At), Kind: e.Kind, Amount: e.Amount, Currency: e.Currency, Price: e.Rate, Customer: e.Customer}
		if e.Message != 0 {
			shown.Message = a.o.MessageID(r.Context(), e.Number, e.Message)
		}
		answer.Entries = append(answer.Entries, shown)
	}
	a.write(w, http.StatusOK, answer)
}

func (a *API) ledgerQuery(r *http.Request) (id kabar.AccountID, q store.LedgerQuery, err error) {
	if err = onlyKnown(r, "after", "limit"); err != nil {
		return 0, q, err
	}
	q.Limit = maxLedger + 1
	values := r.URL.Query()
	if limit := values.Get("limit"); limit != "" {
		n, err := strconv.Atoi(limit)
		if err != nil || n < 1 || n > maxLedger {
			return 0, q, kabar.Refuse(kabar.ReasonInvalid, "limit", "is %.20q, it must be 1 to %d", limit, maxLedger)
		}
		q.Limit = n + 1
	}
	if after := values.Get("after"); after != "" {
		node, err := strconv.ParseUint(after, 10, 64)
		key, ok := a.o.Nodes.NodeKey(node)
		if err != nil || !ok {
			return 0, q, kabar.Refuse(kabar.ReasonInvalid, "after", "is no next of a page")
		}
		q.After = key
	}
	id, _, err = a.named(r)
	return id, q, err
}

// statement: GET /kabar/v1/accounts/{waba_id}/statements/{month}, as JSON, or as CSV where the request accepts text/csv or format=csv.
func (a *API) statement(w http.ResponseWriter, r *http.Request) {
	err := onlyKnown(r, "format")
	format := r.URL.Query().Get("format")
	if err == nil && format != "" && format != "csv" && format != "json" {
		err = kabar.Refuse(kabar.ReasonInvalid, "format", "is %.20q, it is csv or json", format)
	}
	var s *engine.Statement
	if err == nil {
		var id kabar.AccountID
		if id, _, err = a.named(r); err == nil {
			s, err = a.o.Accounts.Statement(r.Context(), id, r.PathValue("month"))
		}
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	if format == "csv" || format == "" && r.Header.Get("Accept") == "text/csv" {
		a.statementCSV(w, s)
		return
	}
	lines := s.Lines
	if lines == nil {
		lines = []engine.StatementLine{}
	}
	a.write(w, http.StatusOK, map[string]any{"waba_id": a.nodeID(int64(s.Account)), "month": s.Month, "currency": s.Currency, "lines": lines, "total": s.Total})
}

func (a *API) statementCSV(w http.ResponseWriter, s *engine.Statement) {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="statement-`+s.Month+`.csv"`)
	out := csv.NewWriter(w)
	rows := [][]string{{"month", "currency", "market", "category", "rate", "messages", "price", "amount"}}
	for _, l := range s.Lines {
		rows = append(rows, []string{s.Month, s.Currency, l.Market, l.Category, l.Rate, strconv.FormatInt(l.Messages, 10), l.Price.String(), l.Amount.String()})
	}
	rows = append(rows, []string{s.Month, s.Currency, "", "total", "", "", "", s.Total.String()})
	if err := out.WriteAll(rows); err != nil {
		a.o.Log.Debug("write a statement", "err", err)
	}
}

// maxEstimate bounds the recipients of one estimate.
const maxEstimate = 10_000

// estimate: POST /kabar/v1/accounts/{waba_id}/cost_estimate.
func (a *API) estimate(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Category   string   `json:"category"`
		Recipients []string `json:"recipients"`
	}
	if !a.read(w, r, &in, `send {"category":"marketing","recipients":["+62811…"]}`) {
		return
	}
	id, _, err := a.named(r)
	if n := len(in.Recipients); err == nil && (n == 0 || n > maxEstimate) {
		err = kabar.Refuse(kabar.ReasonInvalid, "recipients", "are %d, they must be 1 to %d", n, maxEstimate)
	}
	if err == nil {
		var total kabar.Money
		var markets map[string]kabar.Money
		if total, markets, err = a.o.Accounts.Estimate(r.Context(), id, kabar.CategoryNamed(in.Category), in.Recipients); err == nil {
			c, failed := a.o.Accounts.Credit(r.Context(), id)
			if err = failed; err == nil {
				a.write(w, http.StatusOK, map[string]any{"recipients": len(in.Recipients), "estimate": total, "currency": c.Currency, "markets": markets, "covered": c.Covers(total)})
				return
			}
		}
	}
	a.Refuse(w, r, err)
}
