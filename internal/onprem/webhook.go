package onprem

import (
	"fmt"
	"strconv"
	"time"

	"kabar"
	"kabar/internal/web"
)

// hook is a webhook body (contract, section 2). It holds one message or one status.
type hook struct {
	Contacts []hookContact `json:"contacts,omitempty"`
	Messages []hookMessage `json:"messages,omitempty"`
	Statuses []hookStatus  `json:"statuses,omitempty"`
}

type hookContact struct {
	Profile *hookProfile `json:"profile,omitzero"`
	WaID    string       `json:"wa_id"`
}

type hookProfile struct {
	Name string `json:"name"`
}

type hookStatus struct {
	ID           string        `json:"id"`
	RecipientID  string        `json:"recipient_id"`
	Message      hookRecipient `json:"message"`
	Status       string        `json:"status"`
	Timestamp    string        `json:"timestamp"`
	Type         string        `json:"type"`
	Conversation *hookBilled   `json:"conversation,omitzero"`
	Pricing      *hookPricing  `json:"pricing,omitzero"`
	Errors       []fault       `json:"errors,omitempty"`
}

type hookRecipient struct {
	RecipientID string `json:"recipient_id"`
}

type hookBilled struct {
	ID      string     `json:"id"`
	Expires int64      `json:"expiration_timestamp"`
	Origin  hookOrigin `json:"origin"`
}

type hookOrigin struct {
	Type kabar.Category `json:"type"`
}

type hookPricing struct {
	Model    string         `json:"pricing_model"`
	Billable bool           `json:"billable"`
	Category kabar.Category `json:"category"`
}

// Render returns the webhook body of an event of the number n. It is not wanted when the settings do not ask for events of
// its kind; then there is nothing to deliver. Equal events give equal bytes.
func (a *API) Render(ev *kabar.Event, n *kabar.Number, s kabar.Settings) (body []byte, wanted bool, err error) {
	var h hook
	wanted = true
	switch ev.Kind {
	case kabar.EventMessage:
		h, err = a.inbound(ev, n)
	case kabar.EventStatus:
		h, wanted = a.status(ev, n, s)
	case kabar.EventDeleted:
		h.Statuses = []hookStatus{newStatus(messageID(false, n, ev.Customer, ev.Ref), "deleted", ev)}
	case kabar.EventIdentity:
		h, wanted = a.identity(ev, n), s.ShowSecurity
	default:
		err = fmt.Errorf("unknown kind %q", ev.Kind)
	}
	if err == nil && wanted {
		body, err = web.Encode(h)
	}
	if err != nil {
		return nil, false, fmt.Errorf("render event %d: %w", ev.Seq, err)
	}
	return body, wanted, nil
}

// status tells how far an outbound message has come. This API has no "played": it is a second "read", which who has had
// the first knows by id and status.
func (a *API) status(ev *kabar.Event, n *kabar.Number, s kabar.Settings) (h hook, wanted bool) {
	name := ev.Status.String()
	switch ev.Status {
	case kabar.Sent:
		wanted = s.SentEvents
	case kabar.Delivered:
		wanted = s.DeliveredEvents
	case kabar.Read, kabar.Played:
		wanted, name = s.ReadEvents, kabar.Read.String()
	case kabar.Failed:
		wanted = true
	default: // nothing an application is told
	}
	st := newStatus(messageID(true, n, ev.Customer, ev.Ref), name, ev)
	switch {
	case ev.Status == kabar.Failed:
		st.Errors = []fault{failure(ev.Failure)}
	case ev.Billing != 0 && (ev.Status == kabar.Sent || ev.Status == kabar.Delivered):
		st.Conversation = &hookBilled{a.billingID(ev.Billing), ev.Expires.Unix(), hookOrigin{ev.Category}}
		st.Pricing = &hookPricing{Model: "CBP", Category: ev.Category}
	}
	h.Statuses = []hookStatus{st}
	return h, wanted
}

func newStatus(id, name string, ev *kabar.Event) hookStatus {
	to := ev.Customer.Handle()
	return hookStatus{ID: id, RecipientID: to, Message: hookRecipient{to}, Status: name, Timestamp: timestamp(ev.At), Type: "message"}
}

// identity tells that the customer has new keys. It has no contacts.
func (a *API) identity(ev *kabar.Event, n *kabar.Number) hook {
	from := ev.Customer.Handle()
	return hook{Messages: []hookMessage{{From: from, ID: a.noticeID(n, ev), Timestamp: timestamp(ev.At), Type: "system",
		System: &hookSystem{Body: "The security code of this customer has changed.", Type: "user_identity_changed", Identity: ev.Hash, User: from}}}}
}

// timestamp writes a time as webhooks do: a string of epoch seconds.
func timestamp(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
