package manage

import (
	"context"
	"io"
	"net/http"

	"kabar"
	"kabar/internal/dossier"
	"kabar/internal/engine"
	"kabar/internal/store"
)

// Erasures erases customers of accounts; *engine.Erasures does.
type Erasures interface {
	Erase(ctx context.Context, a kabar.AccountID, customer string, step func(store.Removed)) (*store.Erasure, error)
}

// Exports write what is held of customers as archives; *dossier.Exporter does.
type Exports interface {
	Find(ctx context.Context, a kabar.AccountID, handle string) (*store.Person, error)
	Write(ctx context.Context, w io.Writer, p *store.Person, step func(dossier.Done)) error
}

// Erased is what became of erasing a customer, as answers show it.
type Erased struct {
	Customer string        `json:"customer"` // the pseudonym
	State    string        `json:"state"`    // "erased"; "overwriting": nothing can be read any more, and the database file will be written over
	Began    string        `json:"began"`
	Ended    string        `json:"ended,omitempty"`
	Removed  store.Removed `json:"removed"`
}

// ShownErasure shows an erasing.
func ShownErasure(e *store.Erasure) Erased {
	state := "erased"
	if e.Ended.IsZero() {
		state = "overwriting"
	}
	return Erased{e.Pseudonym, state, written(e.Began), written(e.Ended), e.Removed}
}

// eraseCustomer: DELETE /kabar/v1/customers/{wa_id}.
func (a *API) eraseCustomer(w http.ResponseWriter, r *http.Request) {
	account, err := a.customerAccount(r)
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	unhurried(w)
	e, err := a.o.Erasures.Erase(r.Context(), account, r.PathValue("wa_id"), nil)
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	status := http.StatusOK
	if e.Ended.IsZero() {
		status = http.StatusAccepted
	}
	a.write(w, status, ShownErasure(e))
}

// exportCustomer: GET /kabar/v1/customers/{wa_id}/export. An archive that cannot be written to its end is broken off, so that nobody takes
// a part for the whole.
func (a *API) exportCustomer(w http.ResponseWriter, r *http.Request) {
	account, err := a.customerAccount(r)
	var p *store.Person
	if err == nil {
		p, err = a.findCustomer(r, account)
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	unhurried(w)
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="customer.zip"`)
	w.Header().Set("Cache-Control", "no-store")
	if err := a.o.Exports.Write(r.Context(), w, p, nil); err != nil {
		a.o.Log.Warn("export a customer", "err", err)
		panic(http.ErrAbortHandler)
	}
}

func (a *API) findCustomer(r *http.Request, account kabar.AccountID) (*store.Person, error) {
	who, err := engine.ParseRecipient(r.PathValue("wa_id"))
	if err != nil {
		return nil, kabar.Refuse(kabar.ReasonInvalid, "wa_id", "is neither a phone number with its country code nor a BSUID")
	}
	return a.o.Exports.Find(r.Context(), account, who.Handle())
}

// customerAccount reads the only parameter there is.
func (a *API) customerAccount(r *http.Request) (kabar.AccountID, error) {
	if err := onlyKnown(r, "account"); err != nil {
		return 0, err
	}
	return a.oneAccount(r, r.URL.Query().Get("account"))
}
