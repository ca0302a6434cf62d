// Package eventjson is Kabar's own dialect of events: one flat JSON object an event, for applications that start anew. It is the sister of
// onprem and graph, of which only these two imitate an API that was there before.
//
// An object has the event's id, which is the same wherever it is told and for good, its type (kabar.EventType), when it happened, and its
// place in the number's log; then whom it is about, and one object or more by its type. What an application needs to act is in it. Ids of
// messages are those of /v1 and of /kabar/v1/messages, and beside each stands the one that the Cloud API uses.
//
// It decides nothing and drops nothing: which events an application is told says a kabar.EventFilter, and the settings of /v1 do not apply.
// Nothing here keeps state; all of it is safe for concurrent use. The schema is in the description of the management API
// (internal/manage/openapi/50-events.yaml), against which a test holds every golden file.
package eventjson

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"kabar"
	"kabar/internal/web"
)

// IDs makes public ids of rows; *store.DB does.
type IDs interface {
	EventID(n kabar.NumberID, seq int64, at time.Time) string
	Node(key int64) uint64 // of accounts and media, as the Graph API has them
}

// Dialect renders events.
type Dialect struct {
	ids    IDs
	medium func(kabar.MediaID) string
}

// New returns a Dialect. medium is how /v1 calls a medium.
func New(ids IDs, medium func(kabar.MediaID) string) *Dialect { return &Dialect{ids, medium} }

// event is the object. Behind customer stands what its type has.
type event struct {
	ID       string          `json:"id"`
	Type     kabar.EventType `json:"type"`
	Time     string          `json:"time"`
	Sequence int64           `json:"sequence"`
	Number   string          `json:"number"`
	Account  string          `json:"account"`
	Customer *customer       `json:"customer,omitzero"`

	Message   *message         `json:"message,omitzero"`
	Status    string           `json:"status,omitzero"`
	Error     *fault           `json:"error,omitzero"`
	Pricing   *pricing         `json:"pricing,omitzero"`
	Identity  *identity        `json:"identity,omitzero"`
	NewWaID   string           `json:"new_wa_id,omitzero"`
	Consent   *consent         `json:"consent,omitzero"`
	Contacts  []contact        `json:"contacts,omitempty"`
	Collected *kabar.Collected `json:"collected,omitzero"`
	Name      *name            `json:"name,omitzero"`
	Review    *review          `json:"review,omitzero"`
	Credit    *credit          `json:"credit,omitzero"`
	Limits    *limits          `json:"limits,omitzero"`
	Template  *template        `json:"template,omitzero"`
	Endpoint  *endpoint        `json:"endpoint,omitzero"`
}

// customer is who an event is about. One who hides the number has no wa_id.
type customer struct {
	WaID string `json:"wa_id,omitzero"`
	User string `json:"user_id,omitzero"` // BSUID
	Name string `json:"name,omitzero"`
}

// Render returns the object of an event of the number n. It is always wanted, whatever the settings say. Equal events give equal bytes.
func (d *Dialect) Render(ev *kabar.Event, n *kabar.Number, _ kabar.Settings) (body []byte, wanted bool, err error) {
	e := event{ID: d.ids.EventID(ev.Number, ev.Seq, ev.At), Type: ev.Type(), Time: moment(ev.At), Sequence: ev.Seq, Number: n.Digits,
		Account: d.node(int64(n.Account)), Customer: customerOf(ev.Customer)}
	if !whole(ev) {
		err = fmt.Errorf("it is of kind %q and does not say what has happened", ev.Kind)
	} else {
		err = d.fill(&e, ev, n)
	}
	if err == nil {
		body, err = web.Encode(e)
	}
	if err != nil {
		return nil, false, fmt.Errorf("render event %d: %w", ev.Seq, err)
	}
	return body, true, nil
}

// whole reports whether an event has the object that its kind is about.
func whole(ev *kabar.Event) bool {
	switch ev.Kind {
	case kabar.EventCollected:
		return ev.Collected != nil
	case kabar.EventCredit:
		return ev.Credit != nil
	case kabar.EventLimits:
		return ev.Limits != nil
	case kabar.EventTemplate:
		return ev.Template != nil
	case kabar.EventEndpoint:
		return ev.Endpoint != nil
	default:
		return true
	}
}

// fill adds what the type of the event has.
func (d *Dialect) fill(e *event, ev *kabar.Event, n *kabar.Number) (err error) {
	switch ev.Kind {
	case kabar.EventMessage:
		e.Message, err = d.received(ev, n)
		e.Identity, e.Error = identityOf(ev.Identity), faultOf(ev.Failure)
	case kabar.EventStatus:
		e.Message = &message{pair: idsOf(true, n, ev.Customer, ev.Ref), Kind: ev.Of, Callback: ev.Callback}
		e.Status, e.Pricing = ev.Status.String(), pricingOf(ev)
		if e.Error = faultOf(ev.Failure); e.Error != nil && ev.Card > 0 {
			e.Error.Card = ev.Card
		}
	case kabar.EventDeleted:
		e.Message = &message{pair: idsOf(false, n, ev.Customer, ev.Ref)}
	case kabar.EventIdentity:
		e.Identity = &identity{Hash: ev.Hash}
	case kabar.EventNumber:
		e.NewWaID = ev.NewWaID
	case kabar.EventConsent:
		e.Consent = &consent{ev.Consent, ev.Detail}
	case kabar.EventFault:
		e.Error = faultOf(cmp.Or(ev.Failure, kabar.ReasonInternal))
		e.Error.Detail = ev.Detail
	default:
		return d.fillNumber(e, ev)
	}
	return err
}

// fillNumber adds what events have that are about no customer.
func (d *Dialect) fillNumber(e *event, ev *kabar.Event) error {
	e.Customer = nil
	switch ev.Kind {
	case kabar.EventContacts:
		e.Contacts = contactsOf(ev.Contacts)
	case kabar.EventCollected:
		e.Collected = ev.Collected
	case kabar.EventSecurity: // there is nothing to say but that
	case kabar.EventName:
		e.Name = nameOf(ev)
	case kabar.EventReview:
		e.Review = &review{lower(ev.Outcome)}
	case kabar.EventCredit:
		e.Credit = &credit{ev.Credit.Percent, ev.Credit.Limit, ev.Credit.Available, ev.Credit.Currency}
	case kabar.EventLimits:
		e.Limits = &limits{limitsOf(ev.Limits.Was), limitsOf(ev.Limits.Now)}
	case kabar.EventTemplate:
		e.Template = templateOf(ev.Template)
	case kabar.EventEndpoint:
		e.Endpoint = &endpoint{ev.Endpoint.ID, ev.Endpoint.State, ev.Endpoint.Reason, ev.Endpoint.By}
	default:
		return fmt.Errorf("unknown kind %q", ev.Kind)
	}
	return nil
}

func (d *Dialect) node(key int64) string { return strconv.FormatUint(d.ids.Node(key), 10) }

func customerOf(c kabar.Customer) *customer {
	if c.WaID == "" && c.BSUID == "" {
		return nil
	}
	return &customer{c.WaID, c.BSUID, c.Name}
}

// moment writes a time as RFC 3339 in UTC, with three digits behind the point: all have the same length, and sort as they are.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// lower writes a word of an API in the case that all words have here.
func lower[T ~string](word T) string { return strings.ToLower(string(word)) }
