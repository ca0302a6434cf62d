package onprem

import (
	"encoding/hex"
	"net/http"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/msgid"
	"kabar/internal/web"
)

// created is an id as calls that make something answer it.
type created struct {
	ID string `json:"id"`
}

// accepted renders the envelope of a message, as exchange.encode would: what is asked for most does without reflection. An
// id has letters, digits, - and _ only.
func accepted(id string, m meta) []byte {
	return []byte(`{"messages":[{"id":"` + id + `"}],"meta":{"api_status":"` + m.APIStatus + `","version":"` + m.Version + `"}}`)
}

// addressed is whom a message goes to: as it was asked, and who that is.
type addressed struct {
	Input string `json:"input"`
	WaID  string `json:"wa_id"`
}

// sent renders the answer to a message. Who it goes to is in it where the settings ask for that (contract 7, point 7).
func (x *exchange) sent(id string, contacts bool, to addressed) ([]byte, error) {
	if contacts {
		return web.Encode(map[string]any{"contacts": []addressed{to}, "messages": []created{{id}}, "meta": x.meta()})
	}
	return accepted(id, x.meta()), nil
}

// send: POST /v1/messages (contract 1.5). The message is on disk when it answers.
func (a *API) send(x *exchange) error {
	once, err := engine.NewOnce(Prefix+"messages", x.r.Header.Values("Idempotency-Key"))
	if err != nil {
		return err
	}
	body, err := web.ReadBody(x.w, x.r, web.DefaultMaxBytes)
	if err != nil {
		return err
	}
	once.Of(body)
	request, err := a.decoder(x.r.Context(), x.number()).request(body)
	if err != nil {
		return err
	}
	number, err := a.engine.Number(x.number())
	if err != nil {
		return err
	}
	settings, err := a.engine.Settings(x.number())
	if err != nil {
		return err
	}
	contacts, _ := settings.OnPremSetting[answerContacts].(bool) // not within the answer, which would keep all settings alive
	stanza := ""
	request.Once = once
	request.Answer = func(m *kabar.Message, to kabar.Customer) (int, []byte, error) {
		stanza = hex.EncodeToString(msgid.Stanza(m.Ref, true))
		body, err := x.sent(MessageID(true, number, to, m.Ref), contacts, addressed{request.To, to.Handle()})
		return http.StatusCreated, body, err
	}
	sent, err := a.engine.Send(x.r.Context(), x.number(), request)
	if err != nil {
		return blameHSM(body, err)
	}
	x.trace(stanza) // a repeated answer has none: this request has sent nothing
	x.answer(sent)
	return nil
}

// answer gives what the engine has committed with the request.
func (x *exchange) answer(sent *engine.Sent) {
	if sent.Replayed {
		x.w.Header().Set("Idempotent-Replayed", "true")
	}
	x.write(sent.Answer.Status, sent.Answer.Body)
}

// markRequest changes the status of a message.
type markRequest struct {
	Status string `json:"status"`
}

// mark: PUT /v1/messages/{id} marks an inbound message, and those before it, as read.
func (a *API) mark(x *exchange) error {
	var body markRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	switch body.Status {
	case "read":
	case "":
		return kabar.Refuse(kabar.ReasonMissing, "status", "is required: read")
	default:
		return kabar.Refuse(kabar.ReasonInvalid, "status", "is %q, allowed is only read", body.Status)
	}
	m, err := a.message(x.r.Context(), x.number(), x.r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := a.engine.MarkRead(x.r.Context(), x.number(), m.ID); err != nil {
		return err
	}
	return x.done()
}
