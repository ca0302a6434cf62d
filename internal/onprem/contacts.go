package onprem

import (
	"context"
	"time"

	"kabar"
	"kabar/internal/engine"
)

// contactsRequest asks who of some people is on the network.
type contactsRequest struct {
	Blocking   string   `json:"blocking"`
	Contacts   []string `json:"contacts"`
	ForceCheck bool     `json:"force_check"` // nothing is cached here: every check is one
}

// contact is the answer for one of them.
type contact struct {
	Input  string `json:"input"`
	Status string `json:"status"`
	WaID   string `json:"wa_id,omitempty"`
}

// The statuses of contacts. "processing" is not used: no_wait is answered with the result as well, and so needs no webhook.
const (
	contactValid   = "valid"
	contactInvalid = "invalid"
	contactFailed  = "failed" // the network did not say
)

// lookupTime bounds how long the network is asked.
const lookupTime = 15 * time.Second

// contacts: POST /v1/contacts (contract 1.4). It answers the truth: who is not on the network is invalid.
func (a *API) contacts(x *exchange) error {
	var body contactsRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	switch {
	case body.Contacts == nil:
		return kabar.Refuse(kabar.ReasonMissing, "contacts", "is required: a list of phone numbers")
	case len(body.Contacts) == 0:
		return kabar.Refuse(kabar.ReasonInvalid, "contacts", "is empty")
	case body.Blocking != "" && body.Blocking != "wait" && body.Blocking != "no_wait":
		return kabar.Refuse(kabar.ReasonInvalid, "blocking", "is %q, allowed are wait and no_wait", body.Blocking)
	}
	list, err := a.check(x.r.Context(), x.number(), body.Contacts)
	if err != nil {
		return err
	}
	return x.reply("contacts", list)
}

// check asks the network once about each handle.
func (a *API) check(ctx context.Context, number kabar.NumberID, inputs []string) ([]contact, error) {
	list := make([]contact, len(inputs))
	var handles []string
	place := map[string]int{} // of a handle in handles
	for i, input := range inputs {
		list[i] = contact{Input: input, Status: contactInvalid}
		c, err := engine.ParseRecipient(input)
		if err != nil {
			continue
		}
		list[i].WaID = c.Handle()
		if _, asked := place[c.Handle()]; !asked {
			place[c.Handle()] = len(handles)
			handles = append(handles, c.Handle())
		}
	}
	status, err := a.ask(ctx, number, handles)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if c := &list[i]; c.WaID != "" {
			if c.Status = status[place[c.WaID]]; c.Status != contactValid {
				c.WaID = ""
			}
		}
	}
	return list, nil
}

// ask returns the status of each handle. A network that does not answer makes them failed.
func (a *API) ask(ctx context.Context, number kabar.NumberID, handles []string) ([]string, error) {
	if len(handles) == 0 {
		return nil, nil
	}
	if _, err := a.engine.Number(number); err != nil {
		return nil, err
	}
	asking, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	known, err := a.engine.Known(asking, number, handles)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		a.log.WarnContext(ctx, "check contacts", "err", err, "contacts", len(handles))
	}
	status := make([]string, len(handles))
	for i := range status {
		switch {
		case err != nil || i >= len(known):
			status[i] = contactFailed
		case known[i]:
			status[i] = contactValid
		default:
			status[i] = contactInvalid
		}
	}
	return status, nil
}
