package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"time"

	"github.com/agnivade/levenshtein"

	"kabar/internal/forward"
)

// trigger is something that can be made to happen; do returns the event that tells of it.
type trigger struct {
	name, what string
	do         func(ctx context.Context, st *stage) (*forward.Entry, error)
}

// triggers are all, by what they are about.
func triggers() []trigger {
	return []trigger{
		{"inbound.text", "a customer writes a text", inbound("text", func(st *stage) any { return object{"body": st.text} })},
		{"inbound.image", "a customer sends a picture with a caption", inboundImage},
		{"inbound.location", "a customer sends a place", inbound("location", func(*stage) any {
			return object{"latitude": -7.7956, "longitude": 110.3695, "name": "Yogyakarta", "address": "Java"}
		})},
		{"inbound.contacts", "a customer sends a contact card", inbound("contacts", func(*stage) any {
			return []any{object{"name": object{"formatted_name": "Budi S.", "first_name": "Budi"}, "phones": []any{object{"phone": "+62 812", "type": "CELL"}}}}
		})},
		{"inbound.reaction", "a customer reacts to a message of the business", inboundReaction},
		{"inbound.button", "a customer taps a button of an interactive message", inboundButton},
		{"inbound.unsupported", "a customer sends something that the server does not know", inbound("unsupported", func(*stage) any { return object{} })},
		{"message.deleted", "a customer deletes a message of theirs", deleted},
		{"customer.opted_out", "a customer writes STOP, and does not want marketing any more", word("STOP")},
		{"customer.opted_in", "the same customer writes START", word("START")},
		{"status.sent", "a message leaves, to a phone that is switched off", statusSent},
		{"status.delivered", "a message reaches a phone", status("delivered")},
		{"status.read", "a customer reads a message", status("read")},
		{"status.failed", "a text to somebody who has not written: outside the 24-hour window", statusFailed},
		{"template.approved", "a template passes its review", template("approve")},
		{"template.rejected", "a template does not", template("reject")},
	}
}

// triggerNamed finds one. The error names the nearest.
func triggerNamed(name string) (func(context.Context, *stage) (*forward.Entry, error), error) {
	nearest, least := "", len(name)
	for _, t := range triggers() {
		if t.name == name {
			return t.do, nil
		}
		if d := levenshtein.ComputeDistance(t.name, name); d < least {
			nearest, least = t.name, d
		}
	}
	if least <= 3 {
		return nil, fmt.Errorf("there is no trigger %q; did you mean %s? kabar trigger lists them", name, nearest)
	}
	return nil, fmt.Errorf("there is no trigger %q: kabar trigger lists them", name)
}

// inbound has the customer send a message of a kind.
func inbound(kind string, member func(*stage) any) func(context.Context, *stage) (*forward.Entry, error) {
	return func(ctx context.Context, st *stage) (*forward.Entry, error) {
		if _, err := st.writes(ctx, kind, member(st)); err != nil {
			return nil, err
		}
		return st.await(ctx, st.receivedOf(kind))
	}
}

func inboundImage(ctx context.Context, st *stage) (*forward.Entry, error) {
	picture := image.NewRGBA(image.Rect(0, 0, 240, 160))
	for i := range 240 * 160 {
		picture.Set(i%240, i/240, color.RGBA{uint8(i % 240), uint8(i / 240), 160, 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return nil, err
	}
	var medium struct{ ID string }
	if err := st.call(ctx, http.MethodPost, st.phoneOf("/media"), "", "image/png", b.Bytes(), &medium); err != nil {
		return nil, err
	}
	if _, err := st.writes(ctx, "image", object{"id": medium.ID, "caption": "A picture from kabar trigger"}); err != nil {
		return nil, err
	}
	return st.await(ctx, st.receivedOf("image"))
}

func inboundReaction(ctx context.Context, st *stage) (*forward.Entry, error) {
	id, err := st.delivers(ctx, helloTemplate())
	if err != nil {
		return nil, err
	}
	if err := st.phone(ctx, http.MethodPost, "/messages/"+id+"/react", object{"emoji": "👍"}, nil); err != nil {
		return nil, err
	}
	return st.await(ctx, st.receivedOf("reaction"))
}

func inboundButton(ctx context.Context, st *stage) (*forward.Entry, error) {
	if _, err := inbound("text", func(*stage) any { return object{"body": "Which one?"} })(ctx, st); err != nil { // opens the window
		return nil, err
	}
	id, err := st.delivers(ctx, object{"type": "interactive", "interactive": object{"type": "button", "body": object{"text": "Oat milk, or the other?"},
		"action": object{"buttons": []any{replyButton("oat", "Oat milk"), replyButton("other", "The other")}}}})
	if err != nil {
		return nil, err
	}
	if err := st.phone(ctx, http.MethodPost, "/messages/"+id+"/tap", object{"button": "oat"}, nil); err != nil {
		return nil, err
	}
	return st.await(ctx, st.receivedOf("reply"))
}

func replyButton(id, title string) object {
	return object{"type": "reply", "reply": object{"id": id, "title": title}}
}

func deleted(ctx context.Context, st *stage) (*forward.Entry, error) {
	id, err := st.writes(ctx, "text", object{"body": "Please forget this"})
	if err != nil {
		return nil, err
	}
	if _, err := st.await(ctx, st.receivedOf("text")); err != nil {
		return nil, err
	}
	if err := st.phone(ctx, http.MethodDelete, "/messages/"+id, nil, nil); err != nil {
		return nil, err
	}
	return st.await(ctx, st.of("message.deleted"))
}

// word has the customer write a word that is about consent. Who has said so already says the other first: there would be no event.
func word(say string) func(context.Context, *stage) (*forward.Entry, error) {
	return func(ctx context.Context, st *stage) (*forward.Entry, error) {
		other := map[string]string{"STOP": "START", "START": "STOP"}[say]
		for _, w := range []string{other, say} {
			if _, err := st.writes(ctx, "text", object{"body": w}); err != nil {
				return nil, err
			}
			if _, err := st.await(ctx, st.receivedOf("text")); err != nil {
				return nil, err
			}
		}
		state := map[string]string{"STOP": "opted_out", "START": "opted_in"}[say]
		return st.await(ctx, func(e *forward.Entry, b *subject) bool {
			return e.Type == "customer.consent_changed" && e.Customer == st.customer && b.Consent.State == state
		})
	}
}

// helloTemplate is a message that may be sent at any time.
func helloTemplate() object {
	return object{"type": "template", "template": object{"name": helloKabar().Name, "language": object{"code": helloKabar().Language}}}
}

// status has the business send, and the customer's phone confirm.
func status(name string) func(context.Context, *stage) (*forward.Entry, error) {
	return func(ctx context.Context, st *stage) (*forward.Entry, error) {
		id, err := st.sends(ctx, helloTemplate())
		if err != nil {
			return nil, err
		}
		e, err := st.await(ctx, st.statusOf(id, "delivered"))
		if err != nil || name == "delivered" {
			return e, err
		}
		if err := st.phone(ctx, http.MethodPost, "/messages/"+id+"/read", nil, nil); err != nil {
			return nil, err
		}
		return st.await(ctx, st.statusOf(id, name))
	}
}

func statusSent(ctx context.Context, st *stage) (e *forward.Entry, err error) {
	if err := st.phone(ctx, http.MethodPatch, "", object{"online": false}, nil); err != nil {
		return nil, err
	}
	defer func() {
		if again := st.phone(context.WithoutCancel(ctx), http.MethodPatch, "", object{"online": true}, nil); err == nil {
			err = again
		}
	}()
	id, err := st.sends(ctx, helloTemplate())
	if err != nil {
		return nil, err
	}
	return st.await(ctx, st.statusOf(id, "sent"))
}

// stranger has never written, unless somebody does it on the phone page.
const strangerID, strangerName = "34600111299", "Somebody who has not written"

func statusFailed(ctx context.Context, st *stage) (*forward.Entry, error) {
	if err := st.create(ctx, strangerID, strangerName); err != nil {
		return nil, err
	}
	st.customer = strangerID
	id, err := st.sends(ctx, object{"type": "text", "text": object{"body": "This cannot be sent"}})
	if err != nil {
		return nil, err
	}
	return st.await(ctx, st.statusOf(id, "failed"))
}

// template has a template reviewed. Its name is new each time.
func template(decision string) func(context.Context, *stage) (*forward.Entry, error) {
	return func(ctx context.Context, st *stage) (*forward.Entry, error) {
		name := fmt.Sprintf("trigger_%s_%d", decision, time.Now().UnixNano())
		var made struct{ ID string }
		if err := st.cloud(ctx, http.MethodPost, "/"+st.waba+"/message_templates", object{"name": name, "language": "en", "category": "UTILITY",
			"components": []any{object{"type": "BODY", "text": "Your order is ready to be collected."}}}, &made); err != nil {
			return nil, err
		}
		review := object{"decision": decision}
		if decision == "reject" {
			review["reason"], review["note"] = "INVALID_FORMAT", "Made to be rejected by kabar trigger."
		}
		want := map[string]string{"approve": "APPROVED", "reject": "REJECTED"}[decision]
		err := st.manage(ctx, http.MethodPost, "/kabar/v1/templates/"+made.ID+"/review", review)
		if err != nil && decision == "reject" { // otherwise the automatic review may have been faster
			return nil, err
		}
		return st.await(ctx, func(e *forward.Entry, b *subject) bool {
			return e.Type == "template.changed" && b.Template.ID == made.ID && b.Template.Event == want
		})
	}
}
