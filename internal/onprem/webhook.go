package onprem

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"kabar"
	"kabar/internal/web"
)

// hook is a webhook body (contract, section 2). It holds one message or one status; Join makes one of several.
type hook struct {
	Contacts []hookContact `json:"contacts,omitempty"`
	Errors   []fault       `json:"errors,omitempty"`
	Messages []hookMessage `json:"messages,omitempty"`
	Services []hookService `json:"services,omitempty"`
	Statuses []hookStatus  `json:"statuses,omitempty"`
}

// hookContact is who has written, or what was found out about somebody the business has asked about.
type hookContact struct {
	Input   string              `json:"input,omitzero"`
	Status  kabar.ContactStatus `json:"status,omitzero"`
	Profile *hookProfile        `json:"profile,omitzero"`
	WaID    string              `json:"wa_id,omitzero"`
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
		h.Statuses = []hookStatus{newStatus(MessageID(false, n, ev.Customer, ev.Ref), "deleted", ev)}
	case kabar.EventNumber:
		h, wanted = a.number(ev, n), s.NotifyChange
	case kabar.EventIdentity:
		h, wanted = a.identity(ev, n), s.ShowSecurity
	case kabar.EventContacts:
		h = checked(ev)
	case kabar.EventFault:
		h.Errors = []fault{outOfBand(ev)}
	case kabar.EventCredit:
		h.Errors, wanted = []fault{failures[kabar.ReasonPayment]}, ev.Credit.Percent >= 100 // before, nothing fails
	case kabar.EventTemplate, kabar.EventSecurity, kabar.EventName, kabar.EventConsent, kabar.EventLimits, kabar.EventReview,
		kabar.EventEndpoint:
		// /v1 knows nothing of templates but their names, nor of consent or limits, and whoever changes a number through it is who would be told.
		wanted = false
	case kabar.EventCollected:
		h.Services = []hookService{collected(ev.Collected)}
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

// Join makes one webhook body of those of several events, in their order: each array holds what theirs held, byte for byte.
// There are as many contacts as messages had; who reads one looks up its contact by wa_id. Equal bodies give equal bytes.
func (a *API) Join(bodies [][]byte) ([]byte, error) {
	arrays := map[string][]byte{} // what is between the brackets
	for _, b := range bodies {
		one := map[string]jsontext.Value{}
		if err := json.Unmarshal(b, &one, jsontext.AllowInvalidUTF8(true)); err != nil {
			return nil, fmt.Errorf("read a webhook body: %w", err)
		}
		for name, array := range one {
			if array.Kind() != '[' {
				return nil, fmt.Errorf("read a webhook body: %q is no array", name)
			}
			if arrays[name] != nil {
				arrays[name] = append(arrays[name], ',')
			}
			arrays[name] = append(arrays[name], array[1:len(array)-1]...)
		}
	}
	joined := []byte{'{'}
	for i, name := range slices.Sorted(maps.Keys(arrays)) { // the order of hook
		if i > 0 {
			joined = append(joined, ',')
		}
		joined = append(append(append(strconv.AppendQuote(joined, name), ":["...), arrays[name]...), ']')
	}
	return append(joined, '}'), nil
}

// Ordered reports whether a body shows in which order two events of these kinds happened: they are in the same array.
func (a *API) Ordered(x, y kabar.EventKind) bool { return aboutMessages(x) == aboutMessages(y) }

// aboutMessages reports whether an event of the kind is told in "messages". The others are in "statuses", or in "contacts" or "errors"
// alone, and these are of no customer's.
func aboutMessages(k kabar.EventKind) bool {
	return k == kabar.EventMessage || k == kabar.EventIdentity || k == kabar.EventNumber
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
	st := newStatus(MessageID(true, n, ev.Customer, ev.Ref), name, ev)
	switch {
	case ev.Status == kabar.Failed:
		f := failure(ev.Failure)
		if ev.Card > 0 {
			f.Details = fmt.Sprintf("cards[%d]: %s", ev.Card-1, f.Details)
		}
		st.Errors = []fault{f}
	case ev.Billing != 0 && (ev.Status == kabar.Sent || ev.Status == kabar.Delivered):
		if off, _ := s.OnPremSetting[noPricingModel].(bool); off {
			break
		}
		category := ev.Category
		if category == kabar.CategoryMarketingLite { // which this API does not know
			category = kabar.CategoryMarketing
		}
		st.Conversation = &hookBilled{a.billingID(ev.Billing), ev.Expires.Unix(), hookOrigin{category}}
		st.Pricing = &hookPricing{Model: "CBP", Category: category}
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

// number tells that the customer has another number. It has no contacts.
func (a *API) number(ev *kabar.Event, n *kabar.Number) hook {
	from := ev.Customer.Handle()
	body := fmt.Sprintf("%s changed from %s to %s", cmp.Or(ev.Customer.Name, "The customer"), from, ev.NewWaID)
	return hook{Messages: []hookMessage{{From: from, ID: a.noticeID(n, ev), Timestamp: timestamp(ev.At), Type: "system",
		System: &hookSystem{Body: body, Type: "user_changed_number", NewWaID: ev.NewWaID}}}}
}

// timestamp writes a time as webhooks do: a string of epoch seconds.
func timestamp(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
