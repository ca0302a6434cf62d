package graph

import (
	"net/http"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/network"
	"kabar/internal/web"
)

// sent is the answer to a message.
type sent struct {
	Product  string        `json:"messaging_product"`
	Contacts []sentContact `json:"contacts"`
	Messages []sentMessage `json:"messages"`
}

type sentContact struct {
	Input string `json:"input"`
	WaID  string `json:"wa_id,omitzero"`
	User  string `json:"user_id,omitzero"` // of a customer who hides the number
}

type sentMessage struct {
	ID     string `json:"id"`
	Status string `json:"message_status,omitzero"` // templates
}

// send: POST /{number}/messages sends a message, or marks one of a customer (contract 1.1). The message is on disk when it
// answers.
func (a *API) send(x *exchange, n *kabar.Number) error {
	x.own = ofMessages
	return a.accept(x, n, "messages")
}

// accept reads a message of an edge and has it sent; as marketing, nothing but a template will do.
func (a *API) accept(x *exchange, n *kabar.Number, edge string) error {
	marketing := edge == marketingEdge
	once, err := engine.NewOnce(Prefix+edge, x.r.Header.Values("Idempotency-Key"))
	if err != nil {
		return err
	}
	body, values, err := x.read()
	if err != nil {
		return err
	}
	var in messageRequest
	if err := decodeParams(body, values, &in, 0); err != nil {
		return err
	}
	in.fold()
	if err := checkProduct(in.Product); err != nil {
		return err
	}
	switch {
	case marketing:
		if err := in.checkMarketing(); err != nil {
			return err
		}
	case in.Status != "" || in.Typing != nil:
		return a.mark(x, n, &in)
	}
	if state := a.registration(n); state == network.RegistrationUnproved || state == network.RegistrationRefused {
		if err := a.engine.MayWork(n.ID); err != nil { // that comes first: it can be mended before
			return err
		}
		return kabar.Refuse(kabar.ReasonUnregistered, "", "the network has not admitted the number: its field health_status says what is missing")
	}
	request, err := a.decoder(x.r.Context(), n.ID).request(&in)
	if err != nil {
		return err
	}
	if once != nil {
		values.Del("access_token") // who sends it is no part of it: tokens are renewed
		values.Del("appsecret_proof")
		once.Of(append(body, values.Encode()...))
	}
	request.Once, request.Marketing = once, marketing
	request.Answer = func(m *kabar.Message, to kabar.Customer) (int, []byte, error) {
		out := sent{"whatsapp", []sentContact{{request.To, to.WaID, ""}}, []sentMessage{{ID: messageID(true, n, to, m.Ref)}}}
		if to.WaID == "" {
			out.Contacts[0].User = to.BSUID
		}
		if m.Content.Kind() == kabar.KindTemplate {
			out.Messages[0].Status = "accepted"
		}
		if m.Held {
			out.Messages[0].Status = "held_for_quality_assessment"
		}
		text, err := web.Encode(out)
		return http.StatusOK, text, err
	}
	done, err := a.engine.Send(x.r.Context(), n.ID, request)
	if err != nil {
		return err
	}
	x.answer(done)
	return nil
}

// answer gives what the engine has committed with the request.
func (x *exchange) answer(done *engine.Sent) {
	if done.Replayed {
		x.w.Header().Set("Idempotent-Replayed", "true")
	}
	x.write(done.Answer.Status, done.Answer.Body)
}

// mark marks a message of a customer, and those before it, as read, and shows the customer that somebody writes.
func (a *API) mark(x *exchange, n *kabar.Number, in *messageRequest) error {
	switch {
	case in.Status == "":
		return kabar.Refuse(kabar.ReasonMissing, "status", "is required: read")
	case in.Status != "read":
		return kabar.Refuse(kabar.ReasonInvalid, "status", "is %q, allowed is only read", clip(in.Status))
	case in.Typing != nil && in.Typing.Type != "text":
		return kabar.Refuse(kabar.ReasonInvalid, "typing_indicator.type", "is %q, allowed is only text", clip(in.Typing.Type))
	case in.MessageID == "":
		return kabar.Refuse(kabar.ReasonMissing, "message_id", "is required: the id of a message of a customer")
	}
	m, err := a.message(x.r.Context(), n.ID, in.MessageID)
	if isNone(err) {
		return kabar.Refuse(kabar.ReasonInvalid, "message_id", "there is no message with this id")
	}
	if err != nil {
		return err
	}
	if err := a.engine.MarkRead(x.r.Context(), n.ID, m.ID); isNone(err) {
		return kabar.Refuse(kabar.ReasonInvalid, "message_id", "is not that of a message of a customer")
	} else if err != nil {
		return err
	}
	if in.Typing != nil {
		if err := a.engine.ShowTyping(x.r.Context(), n.ID, m.Conversation); err != nil {
			return err
		}
	}
	return x.success()
}
