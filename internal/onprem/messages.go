package onprem

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/msgid"
	"kabar/internal/web"
)

// created is an id as calls that make something answer it.
type created struct {
	ID string `json:"id"`
}

// send: POST /v1/messages (contract 1.5). The message is on disk when it answers.
func (a *API) send(x *exchange) error {
	once, err := onceOf(x.r, Prefix+"messages")
	if err != nil {
		return err
	}
	body, err := x.body()
	if err != nil {
		return err
	}
	if once != nil {
		sum := sha256.Sum256(body)
		once.Hash = hex.EncodeToString(sum[:])
	}
	request, err := a.decoder(x.r.Context(), x.number()).request(body)
	if err != nil {
		return err
	}
	number, err := a.engine.Number(x.number())
	if err != nil {
		return err
	}
	stanza := ""
	request.Once = once
	request.Answer = func(m *kabar.Message, to kabar.Customer) (int, []byte, error) {
		stanza = hex.EncodeToString(msgid.Stanza(m.Ref, true))
		body, err := x.encode("messages", []created{{messageID(true, number, to, m.Ref)}})
		return http.StatusCreated, body, err
	}
	sent, err := a.engine.Send(x.r.Context(), x.number(), request)
	if err != nil {
		return err
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

// body reads a JSON body whole. One that breaks off is malformed.
func (x *exchange) body() ([]byte, error) {
	body, err := web.ReadBody(x.w, x.r, web.DefaultMaxBytes)
	var fault *web.Error
	if err != nil && !errors.As(err, &fault) {
		return nil, kabar.Refuse(kabar.ReasonMalformed, "", "the body broke off")
	}
	return body, err
}

// maxOnce is the longest idempotency key.
const maxOnce = 255

// onceOf reads the Idempotency-Key of a request; nil without one.
func onceOf(r *http.Request, path string) (*engine.Once, error) {
	const header = "Idempotency-Key"
	values := r.Header.Values(header)
	if len(values) == 0 {
		return nil, nil
	}
	key := values[0]
	invisible := func(r rune) bool { return r <= ' ' || r > '~' }
	if len(values) > 1 || key == "" || len(key) > maxOnce || strings.ContainsFunc(key, invisible) {
		return nil, kabar.Refuse(kabar.ReasonInvalid, header, "must be one value of 1 to %d visible ASCII characters", maxOnce)
	}
	return &engine.Once{Path: path, Key: key}, nil
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
