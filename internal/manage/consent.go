package manage

import (
	"context"
	"net/http"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/web"
)

// Consents is what customers have agreed to; *engine.Ledger has it.
type Consents interface {
	Get(ctx context.Context, a kabar.AccountID, customer string) (*kabar.Consent, []kabar.ConsentEntry, error)
	Record(ctx context.Context, a kabar.AccountID, all []engine.LedgerEntry) (refused int, err error)
}

// consent is what is known of a customer, as answers show it.
type consent struct {
	WaID    string             `json:"wa_id"`
	State   kabar.ConsentState `json:"state"`
	History []consentEntry     `json:"history"` // oldest first
}

type consentEntry struct {
	State    kabar.ConsentState `json:"state"`
	For      string             `json:"for"`
	At       string             `json:"at"`
	How      string             `json:"how"`
	Proof    string             `json:"proof,omitempty"`
	By       string             `json:"by"`
	Recorded string             `json:"recorded"`
}

// showConsent: GET /kabar/v1/consent/{wa_id}.
func (a *API) showConsent(w http.ResponseWriter, r *http.Request) {
	account, err := a.consentAccount(r)
	if err == nil {
		err = a.tellConsent(w, r, account)
	}
	if err != nil {
		a.Refuse(w, r, err)
	}
}

// putConsent: PUT /kabar/v1/consent/{wa_id} adds an entry to the ledger.
func (a *API) putConsent(w http.ResponseWriter, r *http.Request) {
	var in struct {
		State kabar.ConsentState `json:"state"`
		For   string             `json:"for"`
		At    *time.Time         `json:"at"`
		How   string             `json:"how"`
		Proof string             `json:"proof"`
	}
	if err := web.DecodeRequest(w, r, &in, web.Options{Unknown: web.RefuseAll}); err != nil {
		a.problem(w, http.StatusBadRequest, err.Error(), `send {"state":"opted_in","for":"marketing","how":"web form","proof":"order 991"}`)
		return
	}
	account, err := a.consentAccount(r)
	if err == nil {
		entry := engine.LedgerEntry{Customer: r.PathValue("wa_id"), ConsentEntry: kabar.ConsentEntry{State: in.State, For: in.For, How: in.How, Proof: in.Proof}}
		if in.At != nil {
			entry.At = *in.At
		}
		if _, entry.By, err = a.o.Accounts(r); err == nil {
			_, err = a.o.Consents.Record(r.Context(), account, []engine.LedgerEntry{entry})
		}
	}
	if err == nil {
		err = a.tellConsent(w, r, account)
	}
	if err != nil {
		a.Refuse(w, r, err)
	}
}

func (a *API) tellConsent(w http.ResponseWriter, r *http.Request, account kabar.AccountID) error {
	c, history, err := a.o.Consents.Get(r.Context(), account, r.PathValue("wa_id"))
	if err != nil {
		return err
	}
	answer := consent{c.Handle, c.State, []consentEntry{}}
	for _, e := range history {
		answer.History = append(answer.History, consentEntry{e.State, e.For, written(e.At), e.How, e.Proof, e.By, written(e.Recorded)})
	}
	a.write(w, http.StatusOK, answer)
	return nil
}

// consentAccount reads the only parameter there is.
func (a *API) consentAccount(r *http.Request) (kabar.AccountID, error) {
	values := r.URL.Query()
	for name, v := range values {
		if name != "account" || len(v) > 1 {
			return 0, kabar.Refuse(kabar.ReasonNotRequired, name, "is not account, once")
		}
	}
	return a.oneAccount(r, values.Get("account"))
}
