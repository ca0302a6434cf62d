package graph

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/msgid"
	"kabar/internal/web"
)

// hook is a webhook body (contract, section 2).
type hook struct {
	Object string      `json:"object"`
	Entry  []hookEntry `json:"entry"`
}

type hookEntry struct {
	ID      string       `json:"id"`
	Time    int64        `json:"time,omitzero"` // of management fields
	Changes []hookChange `json:"changes"`
}

type hookChange struct {
	Value any    `json:"value"` // a hookValue of messages, else that of the field
	Field string `json:"field"`
}

type hookValue struct {
	Product  string        `json:"messaging_product"`
	Metadata hookNumber    `json:"metadata"`
	Contacts []hookContact `json:"contacts,omitempty"`
	Messages []hookMessage `json:"messages,omitempty"`
	Statuses []hookStatus  `json:"statuses,omitempty"`
}

type hookNumber struct {
	Display string `json:"display_phone_number"`
	ID      string `json:"phone_number_id"`
}

type hookContact struct {
	Profile *hookProfile `json:"profile,omitzero"`
	WaID    string       `json:"wa_id,omitzero"`
	User    string       `json:"user_id,omitzero"` // BSUID
}

type hookProfile struct {
	Name string `json:"name"`
}

type hookStatus struct {
	ID           string            `json:"id"`
	Status       string            `json:"status"`
	Timestamp    string            `json:"timestamp"`
	Recipient    string            `json:"recipient_id,omitzero"`
	User         string            `json:"recipient_user_id,omitzero"` // of one who hides the number
	Callback     string            `json:"biz_opaque_callback_data,omitzero"`
	Conversation *hookConversation `json:"conversation,omitzero"`
	Pricing      *hookPricing      `json:"pricing,omitzero"`
	Errors       []hookFault       `json:"errors,omitempty"`
}

type hookConversation struct {
	ID      string     `json:"id"`
	Expires string     `json:"expiration_timestamp,omitzero"`
	Origin  hookOrigin `json:"origin"`
}

type hookOrigin struct {
	Type kabar.Category `json:"type"`
}

type hookPricing struct {
	Billable bool           `json:"billable"`
	Model    string         `json:"pricing_model"`
	Category kabar.Category `json:"category"`
	Type     string         `json:"type"`
}

// Render returns the webhook body of an event of the number n. It is not wanted when this API has no way to tell of it. Equal
// events give equal bytes.
func (a *API) Render(ev *kabar.Event, n *kabar.Number, _ kabar.Settings) (body []byte, wanted bool, err error) {
	entry := hookEntry{ID: a.nodeID(int64(n.Account)), Changes: []hookChange{{Field: engine.FieldMessages}}}
	change := &entry.Changes[0]
	wanted = true
	switch ev.Kind {
	case kabar.EventTemplate:
		entry.Time = ev.At.Unix()
		change.Field, change.Value = templateNews(ev.Template)
	case kabar.EventCredit:
		entry.Time = ev.At.Unix()
		change.Field, change.Value = "account_alerts", a.creditNews(ev)
	case kabar.EventReview:
		entry.Time = ev.At.Unix()
		change.Field, change.Value = "account_review_update", map[string]any{"decision": ev.Outcome}
	case kabar.EventSecurity, kabar.EventName, kabar.EventLimits:
		entry.Time = ev.At.Unix()
		change.Field, change.Value = a.numberNews(ev, n)
	case kabar.EventConsent:
		change.Field, change.Value = fieldPreferences, a.preference(ev, n)
	case kabar.EventEndpoint: // nothing of the sort is there
		return nil, false, nil
	default: // about messages
		change.Value, wanted, err = a.news(ev, n)
	}
	if err == nil && wanted {
		body, err = web.Encode(hook{"whatsapp_business_account", []hookEntry{entry}})
	}
	if err != nil {
		return nil, false, fmt.Errorf("render event %d: %w", ev.Seq, err)
	}
	return escaped(body), wanted, nil
}

// news is the value of the field messages.
func (a *API) news(ev *kabar.Event, n *kabar.Number) (v hookValue, wanted bool, err error) {
	v = hookValue{Product: "whatsapp", Metadata: hookNumber{n.Digits, a.nodeID(int64(n.ID))}}
	wanted = true
	switch ev.Kind {
	case kabar.EventMessage:
		err = a.inbound(&v, ev, n)
	case kabar.EventStatus:
		wanted = a.outbound(&v, ev, n)
	case kabar.EventDeleted:
		v.Contacts = []hookContact{contactOf(ev.Customer)}
		v.Messages = []hookMessage{a.notice(ev, n, "revoke")}
		v.Messages[0].Revoke = &hookOriginal{messageID(false, n, ev.Customer, ev.Ref)}
	case kabar.EventNumber:
		v.Messages = []hookMessage{a.notice(ev, n, "system")}
		v.Messages[0].System = &hookSystem{Body: fmt.Sprintf("%s changed from %s to %s", cmp.Or(ev.Customer.Name, "The customer"),
			ev.Customer.Handle(), ev.NewWaID), WaID: ev.NewWaID, Type: "user_changed_number"}
	case kabar.EventIdentity:
		v.Messages = []hookMessage{a.notice(ev, n, "system")}
		v.Messages[0].System = &hookSystem{Body: "The security code of this customer has changed.", WaID: ev.Customer.WaID,
			Type: "customer_identity_changed"}
		v.Messages[0].Identity = &hookIdentity{Created: timestamp(ev.At), Hash: ev.Hash}
	case kabar.EventContacts, kabar.EventCollected, kabar.EventFault: // only the other API has them
		wanted = false
	default:
		err = fmt.Errorf("unknown kind %q", ev.Kind)
	}
	return v, wanted, err
}

// Signed returns the headers that prove a webhook's body: X-Hub-Signature-256, of the exact bytes.
func (a *API) Signed(body []byte) http.Header {
	return http.Header{"X-Hub-Signature-256": {"sha256=" + a.auth.Sign(body)}, "X-Hub-Signature": {"sha1=" + a.auth.SignSHA1(body)}}
}

// escaped writes what is not ASCII as \uXXXX, before the body is signed (contract 1.9). nil stays nil.
func escaped(body []byte) []byte {
	if body == nil {
		return nil
	}
	out := make([]byte, 0, len(body))
	for len(body) > 0 {
		r, n := utf8.DecodeRune(body)
		switch high, low := utf16.EncodeRune(r); {
		case r < utf8.RuneSelf:
			out = append(out, body[:n]...)
		case r > 0xffff:
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		body = body[n:]
	}
	return out
}

// outbound tells how far a message of the business has come. Of a reaction only "sent" is told.
func (a *API) outbound(v *hookValue, ev *kabar.Event, n *kabar.Number) (wanted bool) {
	if ev.Of == kabar.KindReaction && ev.Status != kabar.Sent && ev.Status != kabar.Failed {
		return false
	}
	st := hookStatus{ID: messageID(true, n, ev.Customer, ev.Ref), Status: ev.Status.String(), Timestamp: timestamp(ev.At),
		Recipient: ev.Customer.WaID, Callback: ev.Callback}
	if st.Recipient == "" {
		st.User = ev.Customer.BSUID
	}
	switch ev.Status {
	case kabar.Failed:
		f := failure(ev.Failure, false)
		if ev.Card > 0 {
			f.Data.Details = fmt.Sprintf("cards[%d]: %s", ev.Card-1, f.Data.Details)
		}
		st.Errors = []hookFault{f}
	case kabar.Sent, kabar.Delivered:
		a.price(&st, ev)
	case kabar.Read, kabar.Played:
	default: // nothing an application is told
		return false
	}
	v.Statuses = []hookStatus{st}
	return true
}

// price says what a message costs: each is priced by itself.
func (a *API) price(st *hookStatus, ev *kabar.Event) {
	category := cmp.Or(ev.Class, ev.Category)
	if category == "" || ev.Of == kabar.KindReaction {
		return
	}
	st.Conversation = &hookConversation{ID: hex.EncodeToString(a.mac("conversation", int64(ev.Message))[:16]), Origin: hookOrigin{category}}
	if ev.Status == kabar.Sent && !ev.Expires.IsZero() {
		st.Conversation.Expires = timestamp(ev.Expires)
	}
	why := cmp.Or(ev.Pricing, category.Pricing())
	st.Pricing = &hookPricing{Billable: why == kabar.PricingRegular, Model: "PMP", Category: category, Type: string(why)}
}

// notice is a message that stands for something that has happened to the customer.
func (a *API) notice(ev *kabar.Event, n *kabar.Number, kind string) hookMessage {
	id := msgid.EncodeWamid(false, n.Peer(ev.Customer), a.mac("notice", int64(ev.Number), ev.Seq)[:msgid.ForeignLen])
	return hookMessage{From: ev.Customer.WaID, User: ev.Customer.BSUID, ID: id, Timestamp: timestamp(ev.At), Type: kind}
}

func contactOf(c kabar.Customer) hookContact {
	h := hookContact{WaID: c.WaID, User: c.BSUID}
	if c.Name != "" {
		h.Profile = &hookProfile{c.Name}
	}
	return h
}

// timestamp writes a time as webhooks do: a string of epoch seconds.
func timestamp(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
