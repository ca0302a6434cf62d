package manage

import (
	"context"
	"net/http"
	"strconv"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/store"
)

// Accounts are the accounts of the server, and what their messages cost; *engine.Accounts has them.
type Accounts interface {
	Get(context.Context, kabar.AccountID) (*kabar.Account, error)
	Add(ctx context.Context, w kabar.Account, actor string) (*kabar.Account, error)
	Change(ctx context.Context, id kabar.AccountID, c engine.AccountChange, actor string) (*kabar.Account, error)
	Credit(context.Context, kabar.AccountID) (*kabar.Credit, error)
	Redraw(ctx context.Context, id kabar.AccountID, limitOf func(*kabar.Credit) (kabar.Money, error), actor string) (*kabar.Credit, error)
	Retention(context.Context, kabar.AccountID) (kabar.Retention, error)
	ChangeRetention(ctx context.Context, id kabar.AccountID, change func(*kabar.Retention) error) (kabar.Retention, error)
	Ledger(context.Context, kabar.AccountID, store.LedgerQuery) ([]*kabar.LedgerEntry, error)
	Statement(ctx context.Context, id kabar.AccountID, month string) (*engine.Statement, error)
	Estimate(ctx context.Context, id kabar.AccountID, c kabar.Category, recipients []string) (kabar.Money, map[string]kabar.Money, error)
}

// Nodes make public ids of keys, as the Graph API shows them; *store.DB does.
type Nodes interface {
	Node(key int64) uint64
	NodeKey(node uint64) (key int64, ok bool)
}

// account is an account as answers show it.
type account struct {
	ID       string `json:"waba_id"`
	Name     string `json:"name"`
	Currency string `json:"currency"`
	Timezone string `json:"timezone"`
	Client   bool   `json:"client"`
	Created  string `json:"created,omitempty"`

	Verification verification `json:"verification"`
}

// verification is how far the verification of an account's business is.
type verification struct {
	State kabar.VerificationState `json:"status"`
	At    string                  `json:"at,omitempty"`
	Note  string                  `json:"note,omitempty"`
}

func (a *API) nodeID(key int64) string { return strconv.FormatUint(a.o.Nodes.Node(key), 10) }

// AccountID is what answers, and commands, call an account: its id in the Graph API.
func AccountID(n Nodes, id kabar.AccountID) string { return strconv.FormatUint(n.Node(int64(id)), 10) }

func (a *API) shownAccount(w *kabar.Account) account {
	return account{a.nodeID(int64(w.ID)), w.Name, w.Currency, w.Timezone, w.Client, written(w.Created),
		verification{w.Verification.State, written(w.Verification.At), w.Verification.Note}}
}

// named returns the account that a path names, if the request may see it, and who asks.
func (a *API) named(r *http.Request) (id kabar.AccountID, who string, err error) {
	all, who, err := a.o.AccountsOf(r)
	if err != nil {
		return 0, "", err
	}
	for _, id := range all {
		if a.nodeID(int64(id)) == r.PathValue("waba_id") {
			return id, who, nil
		}
	}
	return 0, "", kabar.Refuse(kabar.ReasonNotFound, "waba_id", "there is no such account: GET /kabar/v1/accounts lists them")
}

// listAccounts: GET /kabar/v1/accounts, oldest first.
func (a *API) listAccounts(w http.ResponseWriter, r *http.Request) {
	all, _, err := a.o.AccountsOf(r)
	if err == nil {
		err = onlyKnown(r)
	}
	answer := struct {
		Data []account `json:"data"`
	}{[]account{}}
	for _, id := range all {
		if err != nil {
			break
		}
		var one *kabar.Account
		if one, err = a.o.Accounts.Get(r.Context(), id); err == nil {
			answer.Data = append(answer.Data, a.shownAccount(one))
		}
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.write(w, http.StatusOK, answer)
}

// addAccount: POST /kabar/v1/accounts.
func (a *API) addAccount(w http.ResponseWriter, r *http.Request) {
	in := struct {
		Name     string `json:"name"`
		Currency string `json:"currency"`
		Timezone string `json:"timezone"`
		Client   bool   `json:"client"`
	}{Currency: kabar.DefaultCurrency, Timezone: kabar.DefaultTimezone}
	if !a.read(w, r, &in, `send {"name":"Toko","currency":"USD","timezone":"Asia/Jakarta"}`) {
		return
	}
	who, err := a.operator(r)
	if err == nil {
		var made *kabar.Account
		if made, err = a.o.Accounts.Add(r.Context(), kabar.Account{Name: in.Name, Currency: in.Currency, Timezone: in.Timezone, Client: in.Client}, who); err == nil {
			a.write(w, http.StatusCreated, a.shownAccount(made))
			return
		}
	}
	a.Refuse(w, r, err)
}

// showAccount: GET /kabar/v1/accounts/{waba_id}.
func (a *API) showAccount(w http.ResponseWriter, r *http.Request) {
	id, _, err := a.named(r)
	if err == nil {
		var one *kabar.Account
		if one, err = a.o.Accounts.Get(r.Context(), id); err == nil {
			a.write(w, http.StatusOK, a.shownAccount(one))
			return
		}
	}
	a.Refuse(w, r, err)
}

// changeAccount: PATCH /kabar/v1/accounts/{waba_id}.
func (a *API) changeAccount(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name     string `json:"name"`
		Timezone string `json:"timezone"`
	}
	if !a.read(w, r, &in, `send {"name":"Toko"} or {"timezone":"Asia/Jakarta"}; the currency stays`) {
		return
	}
	id, who, err := a.named(r)
	if err == nil {
		var one *kabar.Account
		if one, err = a.o.Accounts.Change(r.Context(), id, engine.AccountChange{Name: in.Name, Timezone: in.Timezone}, who); err == nil {
			a.write(w, http.StatusOK, a.shownAccount(one))
			return
		}
	}
	a.Refuse(w, r, err)
}

// operator returns who asks, if it is somebody whose key is for the whole server.
func (a *API) operator(r *http.Request) (who string, err error) {
	if !a.o.Operator(r) {
		return "", kabar.Refuse(kabar.ReasonDenied, "", "only a key of the whole server may do this: kabar key add --scopes accounts")
	}
	_, who, err = a.o.AccountsOf(r)
	return who, err
}
