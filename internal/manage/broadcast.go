package manage

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/store"
)

// Broadcasts are one template to many; *engine.Broadcasts has them.
type Broadcasts interface {
	Create(context.Context, engine.NewBroadcast) (*engine.CreatedBroadcast, error)
	Estimate(context.Context, engine.NewBroadcast) (*engine.BroadcastEstimate, error)
	Find(context.Context, kabar.BroadcastID) (*kabar.Broadcast, error)
	List(ctx context.Context, a kabar.AccountID, n kabar.NumberID, before kabar.BroadcastID, limit int) ([]*kabar.Broadcast, error)
	Act(context.Context, kabar.AccountID, kabar.BroadcastID, kabar.BroadcastAction) (*kabar.Broadcast, error)
	Progress(context.Context, kabar.BroadcastID) (*engine.BroadcastProgress, error)
	Recipients(ctx context.Context, a kabar.AccountID, id kabar.BroadcastID, after, limit int) ([]store.RecipientState, error)
}

// broadcast is a broadcast as answers show it.
type broadcast struct {
	ID         string               `json:"id"`
	Number     string               `json:"number"`
	State      kabar.BroadcastState `json:"state"`
	Why        string               `json:"why,omitempty"`
	Template   templateName         `json:"template"`
	Map        map[string]string    `json:"map"`
	PerSecond  int                  `json:"per_second,omitzero"`
	Recipients int                  `json:"recipients"`
	By         string               `json:"by,omitempty"`
	Created    string               `json:"created"`
	StartAt    string               `json:"start_at"`
	Ended      string               `json:"ended,omitempty"`
	Counts     *broadcastCounts     `json:"counts,omitempty"` // when one is read
	Cost       *broadcastCost       `json:"cost,omitempty"`
}

type templateName struct {
	Name     string `json:"name"`
	Language string `json:"language"`
}

type broadcastCounts struct {
	Pending   int                  `json:"pending"`
	Accepted  int                  `json:"accepted"`
	Sent      int                  `json:"sent"`
	Delivered int                  `json:"delivered"`
	Read      int                  `json:"read"`
	Failed    map[kabar.Reason]int `json:"failed"`
	Collected int                  `json:"collected,omitzero"`
}

type broadcastCost struct {
	Reserved kabar.Money `json:"reserved"`
	Spent    kabar.Money `json:"spent"`
	Currency string      `json:"currency"`
}

func (a *API) shownBroadcast(b *kabar.Broadcast, digits string) broadcast {
	return broadcast{ID: a.nodeID(int64(b.ID)), Number: digits, State: b.State, Why: b.Why, Template: templateName{b.Template, b.Language}, Map: b.Map,
		PerSecond: b.PerSecond, Recipients: b.Recipients, By: b.By, Created: written(b.Created), StartAt: written(b.StartAt), Ended: written(b.Ended)}
}

// numbers returns the numbers that a request may see, by key.
func (a *API) numbers(r *http.Request) (map[kabar.NumberID]*kabar.Number, error) {
	all, err := a.o.Numbers(r.Context())
	if err != nil {
		return nil, store.Refusal(err)
	}
	of, seen := a.o.Of(r), map[kabar.NumberID]*kabar.Number{}
	for _, n := range all {
		if (of.Account == 0 || of.Account == n.Account) && (of.Number == 0 || of.Number == n.ID) {
			seen[n.ID] = n
		}
	}
	return seen, nil
}

// oneBroadcast finds the broadcast that the path names among those that the request may see.
func (a *API) oneBroadcast(r *http.Request) (*kabar.Broadcast, *kabar.Number, error) {
	none := kabar.Refuse(kabar.ReasonNotFound, "id", "there is no such broadcast: GET /kabar/v1/broadcasts lists them")
	id, ok := a.broadcastID(r.PathValue("id"))
	numbers, err := a.numbers(r)
	if err != nil || !ok {
		return nil, nil, orNone(err, none)
	}
	accounts, _, err := a.o.AccountsOf(r)
	if err != nil {
		return nil, nil, err
	}
	b, err := a.o.Broadcasts.Find(r.Context(), id)
	if err != nil && !isNotFound(err) {
		return nil, nil, err
	}
	if err != nil || !slices.Contains(accounts, b.Account) || numbers[b.Number] == nil {
		return nil, nil, none
	}
	return b, numbers[b.Number], nil
}

func orNone(err, none error) error {
	if err != nil {
		return err
	}
	return none
}

func (a *API) broadcastID(text string) (kabar.BroadcastID, bool) {
	node, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, false
	}
	key, ok := a.o.Nodes.NodeKey(node)
	return kabar.BroadcastID(key), ok
}

// showBroadcast: GET /kabar/v1/broadcasts/{id}, with how far it is and what it costs.
func (a *API) showBroadcast(w http.ResponseWriter, r *http.Request) {
	b, n, err := a.oneBroadcast(r)
	if err == nil {
		err = a.tellBroadcast(w, r, b, n)
	}
	if err != nil {
		a.Refuse(w, r, err)
	}
}

func (a *API) tellBroadcast(w http.ResponseWriter, r *http.Request, b *kabar.Broadcast, n *kabar.Number) error {
	p, err := a.o.Broadcasts.Progress(r.Context(), b.ID)
	if err != nil {
		return err
	}
	account, err := a.o.Accounts.Get(r.Context(), b.Account)
	if err != nil {
		return err
	}
	answer := a.shownBroadcast(b, n.Digits)
	answer.Counts = &broadcastCounts{p.Pending, p.Accepted, p.Sent, p.Delivered, p.Read, p.Failed, p.Collected}
	answer.Cost = &broadcastCost{p.Reserved, p.Spent, account.Currency}
	a.write(w, http.StatusOK, answer)
	return nil
}

// listBroadcasts: GET /kabar/v1/broadcasts, newest first.
func (a *API) listBroadcasts(w http.ResponseWriter, r *http.Request) {
	err := onlyKnown(r, "account", "after", "limit")
	limit, numbers, account := 0, map[kabar.NumberID]*kabar.Number(nil), kabar.AccountID(0)
	if err == nil {
		limit, err = pageLimit(r)
	}
	if err == nil {
		numbers, err = a.numbers(r)
	}
	if err == nil {
		account, err = a.oneAccount(r, r.URL.Query().Get("account"))
	}
	before, ok := kabar.BroadcastID(0), true
	if after := r.URL.Query().Get("after"); after != "" {
		before, ok = a.broadcastID(after)
	}
	if err == nil && !ok {
		err = kabar.Refuse(kabar.ReasonInvalid, "after", "is no after of a page")
	}
	var all []*kabar.Broadcast
	if err == nil {
		all, err = a.o.Broadcasts.List(r.Context(), account, a.o.Of(r).Number, before, limit+1)
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	answer := struct {
		Data  []broadcast `json:"data"`
		After string      `json:"after,omitempty"`
	}{Data: []broadcast{}}
	for i, b := range all {
		if i == limit {
			answer.After = answer.Data[i-1].ID
			break
		}
		digits := ""
		if n := numbers[b.Number]; n != nil {
			digits = n.Digits
		}
		answer.Data = append(answer.Data, a.shownBroadcast(b, digits))
	}
	a.write(w, http.StatusOK, answer)
}

// pageLimit reads how much a page may hold.
func pageLimit(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return 25, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > engine.MaxBroadcastPage {
		return 0, kabar.Refuse(kabar.ReasonInvalid, "limit", "is %.20q, it must be 1 to %d", text, engine.MaxBroadcastPage)
	}
	return n, nil
}

// actOnBroadcast returns the handler of POST /kabar/v1/broadcasts/{id}/ACTION.
func (a *API) actOnBroadcast(action kabar.BroadcastAction) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b, n, err := a.oneBroadcast(r)
		if err == nil {
			b, err = a.o.Broadcasts.Act(r.Context(), b.Account, b.ID, action)
		}
		if err == nil {
			err = a.tellBroadcast(w, r, b, n)
		}
		if err != nil {
			a.Refuse(w, r, err)
		}
	}
}

// recipient is a recipient of a broadcast as answers show it.
type recipient struct {
	Row     int    `json:"row"`
	To      string `json:"to"`
	State   string `json:"state"` // pending, or that of the message; failed where there is none, collected where it is gone
	Message string `json:"message,omitempty"`
	Error   string `json:"error,omitempty"`
}

// listRecipients: GET /kabar/v1/broadcasts/{id}/recipients, in the order of the list.
func (a *API) listRecipients(w http.ResponseWriter, r *http.Request) {
	err := onlyKnown(r, "after", "limit")
	limit, after := 0, 0
	if err == nil {
		limit, err = pageLimit(r)
	}
	if text := r.URL.Query().Get("after"); err == nil && text != "" {
		if after, err = strconv.Atoi(text); err != nil || after < 1 {
			err = kabar.Refuse(kabar.ReasonInvalid, "after", "is no after of a page")
		}
	}
	var b *kabar.Broadcast
	if err == nil {
		b, _, err = a.oneBroadcast(r)
	}
	var all []store.RecipientState
	if err == nil {
		all, err = a.o.Broadcasts.Recipients(r.Context(), b.Account, b.ID, after, limit+1)
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	answer := struct {
		Data  []recipient `json:"data"`
		After string      `json:"after,omitempty"`
	}{Data: []recipient{}}
	for i, one := range all {
		if i == limit {
			answer.After = strconv.Itoa(answer.Data[i-1].Row)
			break
		}
		shown := recipient{Row: one.Row, To: one.Handle, State: RecipientState(one), Error: string(one.Failure)}
		if one.Message != 0 {
			shown.Message = a.o.MessageID(r.Context(), b.Number, one.Message)
		}
		answer.Data = append(answer.Data, shown)
	}
	a.write(w, http.StatusOK, answer)
}

// RecipientState is what answers, and commands, call how it stands with a recipient.
func RecipientState(s store.RecipientState) string {
	switch {
	case s.Message == 0 && s.Failure == "":
		return "pending"
	case s.Message == 0:
		return kabar.Failed.String()
	case s.Status == kabar.Received: // there is no such message any more
		return "collected"
	}
	return s.Status.String()
}
