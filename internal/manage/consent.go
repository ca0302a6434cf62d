package manage

import (
	"context"
	"net/http"
	"time"

	"kabar"
	"kabar/internal/engine"
)

// Consents is what customers have agreed to; *engine.Consents has it.
type Consents interface {
	Get(ctx context.Context, a kabar.AccountID, customer string) (*kabar.Consent, []kabar.ConsentEntry, error)
	Record(ctx context.Context, a kabar.AccountID, all []engine.CustomerConsent) (refused int, err error)
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
	if !a.read(w, r, &in, `send {"state":"opted_in","for":"marketing","how":"web form","proof":"order 991"}`) {
		return
	}
	account, err := a.consentAccount(r)
	if err == nil {
		entry := engine.CustomerConsent{Customer: r.PathValue("wa_id"), ConsentEntry: kabar.ConsentEntry{State: in.State, For: in.For, How: in.How, Proof: in.Proof}}
		if in.At != nil {
			entry.At = *in.At
		}
		if _, entry.By, err = a.o.AccountsOf(r); err == nil {
			_, err = a.o.Consents.Record(r.Context(), account, []engine.CustomerConsent{entry})
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
	if err := onlyKnown(r, "account"); err != nil {
		return 0, err
	}
	return a.oneAccount(r, r.URL.Query().Get("account"))
}
