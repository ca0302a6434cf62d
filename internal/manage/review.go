package manage

import (
	"context"
	"net/http"

	"kabar"
)

// Reviews judge what accounts say of themselves; *engine.Reviews does.
type Reviews interface {
	Verify(ctx context.Context, id kabar.AccountID, actor string) (*kabar.Account, error)
	Judge(ctx context.Context, id kabar.AccountID, ruling kabar.Ruling, actor string) (*kabar.Account, error)
	Rename(ctx context.Context, id kabar.NumberID, name, actor string) error
	JudgeName(ctx context.Context, id kabar.NumberID, ruling kabar.Ruling, actor string) error
	Naming(context.Context, kabar.NumberID) (*kabar.Number, kabar.Naming, error)
}

// name is what a number is called, and wants to be, as answers show it.
type name struct {
	Number string           `json:"number"`
	Name   string           `json:"name"` // as customers see it once it is approved
	Status kabar.NameStatus `json:"name_status"`
	New    string           `json:"new_display_name,omitempty"`
	Next   kabar.NameStatus `json:"new_name_status"`
	Reason kabar.NameReason `json:"rejection_reason,omitempty"`
	Note   string           `json:"note,omitempty"`
	At     string           `json:"at,omitempty"`
	Due    string           `json:"due,omitempty"` // when the automatic review decides
}

func shownName(n *kabar.Number, g *kabar.Naming) name {
	return name{n.Digits, n.Profile.Name, g.Current(), g.Wanted, g.New(), g.Reason, g.Note, written(g.At), written(g.Due)}
}

// submitAccount: POST /kabar/v1/accounts/{waba_id}/verification.
func (a *API) submitAccount(w http.ResponseWriter, r *http.Request) {
	id, who, err := a.named(r)
	var one *kabar.Account
	if err == nil {
		one, err = a.o.Reviews.Verify(r.Context(), id, who)
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.write(w, http.StatusOK, a.shownAccount(one))
}

// judgeAccount: POST /kabar/v1/accounts/{waba_id}/review. No account verifies itself.
func (a *API) judgeAccount(w http.ResponseWriter, r *http.Request) {
	var ruling kabar.Ruling
	if !a.read(w, r, &ruling, `send {"decision":"approve"}, reject or defer, and a "note"`) {
		return
	}
	id, who, err := a.named(r)
	if err == nil && !a.o.Operator(r) {
		err = kabar.Refuse(kabar.ReasonDenied, "", "only a key of the whole server may do this: kabar key add --role reviewer")
	}
	var one *kabar.Account
	if err == nil {
		one, err = a.o.Reviews.Judge(r.Context(), id, ruling, who)
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.write(w, http.StatusOK, a.shownAccount(one))
}

// showName: GET /kabar/v1/numbers/{number}/name.
func (a *API) showName(w http.ResponseWriter, r *http.Request) {
	n, err := a.numberNamed(r)
	if err == nil {
		err = onlyKnown(r)
	}
	a.tellName(w, r, n, err)
}

// putName: PUT /kabar/v1/numbers/{number}/name asks for another one.
func (a *API) putName(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name string `json:"name"`
	}
	if !a.read(w, r, &in, `send {"name":"Toko Sinar"}`) {
		return
	}
	n, err := a.numberNamed(r)
	if err == nil {
		err = a.asActor(r, func(who string) error { return a.o.Reviews.Rename(r.Context(), n.ID, in.Name, who) })
	}
	a.tellName(w, r, n, err)
}

// judgeName: POST /kabar/v1/numbers/{number}/name/review.
func (a *API) judgeName(w http.ResponseWriter, r *http.Request) {
	var ruling kabar.Ruling
	if !a.read(w, r, &ruling, `send {"decision":"approve"}, reject with a "reason", or defer`) {
		return
	}
	n, err := a.numberNamed(r)
	if err == nil {
		err = a.asActor(r, func(who string) error { return a.o.Reviews.JudgeName(r.Context(), n.ID, ruling, who) })
	}
	a.tellName(w, r, n, err)
}

// asActor has something done in the name of whoever asks.
func (a *API) asActor(r *http.Request, do func(who string) error) error {
	_, who, err := a.o.AccountsOf(r)
	if err != nil {
		return err
	}
	return do(who)
}

// tellName answers with the name of a number as it is now, or refuses.
func (a *API) tellName(w http.ResponseWriter, r *http.Request, n *kabar.Number, err error) {
	var g kabar.Naming
	if err == nil {
		n, g, err = a.o.Reviews.Naming(r.Context(), n.ID)
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.write(w, http.StatusOK, shownName(n, &g))
}

// listReviews: GET /kabar/v1/reviews: the accounts and names that wait for somebody.
func (a *API) listReviews(w http.ResponseWriter, r *http.Request) {
	answer := struct {
		Accounts []account `json:"accounts"`
		Names    []name    `json:"names"`
	}{[]account{}, []name{}}
	err := onlyKnown(r)
	if err == nil {
		answer.Accounts, err = a.pendingAccounts(r)
	}
	if err == nil {
		answer.Names, err = a.pendingNames(r)
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.write(w, http.StatusOK, answer)
}

func (a *API) pendingAccounts(r *http.Request) ([]account, error) {
	ids, _, err := a.o.AccountsOf(r)
	pending := []account{}
	for _, id := range ids {
		one, err := a.o.Accounts.Get(r.Context(), id)
		if err != nil {
			return nil, err
		}
		if one.Verification.State == kabar.VerificationPending {
			pending = append(pending, a.shownAccount(one))
		}
	}
	return pending, err
}

func (a *API) pendingNames(r *http.Request) ([]name, error) {
	all, err := a.o.Numbers(r.Context())
	of, pending := a.o.Of(r), []name{}
	for _, n := range all {
		if !of.Has(n) {
			continue
		}
		n, g, err := a.o.Reviews.Naming(r.Context(), n.ID)
		if err != nil {
			return nil, err
		}
		if g.Pending() {
			pending = append(pending, shownName(n, &g))
		}
	}
	return pending, err
}
