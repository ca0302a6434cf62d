package manage

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/store"
)

// Audit is the log of what was done; *store.DB has it.
type Audit interface {
	AuditLog(ctx context.Context, a kabar.AccountID, before int64, limit int) ([]store.Audit, error)
}

// Bounds of a page of the log.
const (
	MaxAuditPage     = 100
	defaultAuditPage = 25
)

// Entry is an entry of the log as answers and commands show it.
type Entry struct {
	Seq     int64           `json:"seq"`
	At      string          `json:"at"`
	Account string          `json:"account,omitempty"` // empty: the server
	Actor   string          `json:"actor"`
	Action  string          `json:"action"`
	Subject string          `json:"subject,omitempty"`
	Source  string          `json:"source,omitempty"`
	Result  string          `json:"result,omitempty"`
	Detail  json.RawMessage `json:"detail,omitempty"`
}

// ShownEntry describes an entry.
func ShownEntry(e store.Audit, n Nodes) Entry {
	shown := Entry{Seq: e.Seq, At: written(e.At), Actor: e.Actor, Action: e.Action, Subject: e.Subject, Source: e.Source, Result: e.Result}
	if e.Account != 0 {
		shown.Account = AccountID(n, e.Account)
	}
	if json.Valid([]byte(e.Detail)) { // one that somebody has changed may be anything
		shown.Detail = json.RawMessage(e.Detail)
	}
	return shown
}

// listAudit: GET /kabar/v1/audit, newest first.
func (a *API) listAudit(w http.ResponseWriter, r *http.Request) {
	account, before, limit, err := a.auditQuery(r)
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	all, err := a.o.Audit.AuditLog(r.Context(), account, before, limit+1)
	if err != nil {
		a.Refuse(w, r, store.Refusal(err))
		return
	}
	answer := struct {
		Data  []Entry `json:"data"`
		After string  `json:"after,omitempty"`
	}{Data: []Entry{}}
	for _, e := range all[:min(limit, len(all))] {
		answer.Data = append(answer.Data, ShownEntry(e, a.o.Nodes))
	}
	if len(all) > limit {
		answer.After = strconv.FormatInt(all[limit-1].Seq, 10)
	}
	a.write(w, http.StatusOK, answer)
}

// auditQuery reads the parameters, of which none may be unknown. The log is an account's, or the whole server's for a key of
// that: one of a single number sees none of it.
func (a *API) auditQuery(r *http.Request) (account kabar.AccountID, before int64, limit int, err error) {
	if err := onlyKnown(r, "account", "after", "limit"); err != nil {
		return 0, 0, 0, err
	}
	values := r.URL.Query()
	who := auth.From(r)
	if who.Number != 0 {
		return 0, 0, 0, kabar.Refuse(kabar.ReasonDenied, "", "the log is an account's: this needs a key of the account, not of one number")
	}
	if account = who.Account; values.Get("account") != "" {
		if account, err = a.oneAccount(r, values.Get("account")); err != nil {
			return 0, 0, 0, err
		}
	}
	limit = defaultAuditPage
	if given := values.Get("limit"); given != "" {
		if limit, err = strconv.Atoi(given); err != nil || limit < 1 || limit > MaxAuditPage {
			return 0, 0, 0, kabar.Refuse(kabar.ReasonInvalid, "limit", "is %q, it must be 1 to %d", given, MaxAuditPage)
		}
	}
	if after := values.Get("after"); after != "" {
		if before, err = strconv.ParseInt(after, 10, 64); err != nil || before < 1 {
			return 0, 0, 0, kabar.Refuse(kabar.ReasonInvalid, "after", "is no cursor of a page")
		}
	}
	return account, before, limit, nil
}
