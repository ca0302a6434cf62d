package manage

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/web"
)

// Limits of a request for a broadcast: bytes of its body, and names in all objects of it.
const (
	MaxBroadcastBody  = 8 << 20
	maxBroadcastNames = 1_000_000
)

// broadcastRequest is a body of JSON.
type broadcastRequest struct {
	Number     string              `json:"number"`
	Template   templateName        `json:"template"`
	Map        map[string]string   `json:"map"`
	Recipients []map[string]string `json:"recipients"`
	CSV        string              `json:"csv"`
	StartAt    *time.Time          `json:"start_at"`
	PerSecond  int                 `json:"per_second"`
}

const broadcastHint = `send {"number":"628111000200","template":{"name":"hello","language":"en"},"recipients":[{"to":"+34600111222","body.1":"Ana"}]}, or CSV`

// addBroadcast: POST /kabar/v1/broadcasts. The list comes in a body of JSON, as text/csv with the rest as parameters, or as a form. With
// an Idempotency-Key it can be repeated: whoever has seen no answer gets that of the first.
func (a *API) addBroadcast(w http.ResponseWriter, r *http.Request) {
	once, err := engine.NewOnce("/kabar/v1/broadcasts", r.Header.Values("Idempotency-Key"))
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	in, ok := a.readBroadcast(w, r, once)
	if !ok {
		return
	}
	unhurried(w)
	in.Once = once
	in.Answer = func(made *engine.CreatedBroadcast) (int, []byte, error) {
		body, err := web.Encode(map[string]any{"id": a.nodeID(int64(made.ID)), "recipients": made.Recipients, "estimate": made.Estimate})
		return http.StatusAccepted, body, err
	}
	made, err := a.o.Broadcasts.Create(r.Context(), in)
	if err != nil {
		a.refuseList(w, r, err)
		return
	}
	if made.Replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	a.write(w, made.Answer.Status, json.RawMessage(made.Answer.Body))
}

// estimateBroadcast: POST /kabar/v1/broadcasts/estimate takes the same, and stores nothing.
func (a *API) estimateBroadcast(w http.ResponseWriter, r *http.Request) {
	in, ok := a.readBroadcast(w, r, nil)
	if !ok {
		return
	}
	unhurried(w)
	estimate, err := a.o.Broadcasts.Estimate(r.Context(), in)
	if err != nil {
		a.refuseList(w, r, err)
		return
	}
	a.write(w, http.StatusOK, estimate)
}

// refuseList names every fault of a list.
func (a *API) refuseList(w http.ResponseWriter, r *http.Request, err error) {
	faults, ok := errors.AsType[*engine.ListFaults](err)
	if !ok {
		a.Refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	a.write(w, http.StatusBadRequest, map[string]any{"type": "about:blank", "status": http.StatusBadRequest, "title": "the list of recipients has faults",
		"detail": "nothing was stored: mend them and send the list again", "faults": faults.Faults})
}

// readBroadcast reads the request in whichever form it comes, and tells once what is asked for; when it cannot, it has answered.
func (a *API) readBroadcast(w http.ResponseWriter, r *http.Request, once *engine.Once) (in engine.NewBroadcast, ok bool) {
	req, err := a.decodeBroadcast(w, r)
	if bad, is := errors.AsType[*web.Error](err); is {
		a.problem(w, http.StatusBadRequest, bad.Error(), broadcastHint)
		return in, false
	}
	var number *kabar.Number
	if err == nil {
		number, err = a.sender(r, req.Number)
	}
	var who string
	if err == nil {
		err = ofRequest(once, req)
	}
	if err == nil {
		_, who, err = a.o.AccountsOf(r)
	}
	if err != nil {
		a.Refuse(w, r, err)
		return in, false
	}
	in = engine.NewBroadcast{Number: number.ID, Template: req.Template.Name, Language: req.Template.Language, Map: req.Map, Table: req.CSV, List: req.Recipients,
		PerSecond: req.PerSecond, By: who}
	if req.StartAt != nil {
		in.StartAt = *req.StartAt
	}
	return in, true
}

// ofRequest tells once what is asked for, however it is written: the boundary of a form is another one each time.
func ofRequest(once *engine.Once, req *broadcastRequest) error {
	if once == nil {
		return nil
	}
	written, err := web.Encode(req)
	once.Of(written)
	return err
}

// sender finds the number that is to send, which need not be named when there is one.
func (a *API) sender(r *http.Request, digits string) (*kabar.Number, error) {
	numbers, err := a.numbers(r)
	if err != nil {
		return nil, err
	}
	for _, n := range numbers {
		if n.Digits == digits || digits == "" && len(numbers) == 1 {
			return n, nil
		}
	}
	if digits == "" {
		return nil, kabar.Refuse(kabar.ReasonMissing, "number", "is required: digits of the number that sends")
	}
	return nil, kabar.Refuse(kabar.ReasonNotFound, "number", "there is no such number")
}

func (a *API) decodeBroadcast(w http.ResponseWriter, r *http.Request) (*broadcastRequest, error) {
	kind, values, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err == nil && kind == "text/csv":
		body, err := web.ReadBody(w, r, MaxBroadcastBody)
		if err != nil {
			return nil, err
		}
		return broadcastOf(r.URL.Query(), string(body))
	case err == nil && kind == "multipart/form-data":
		return decodeForm(multipart.NewReader(web.Body(w, r, MaxBroadcastBody), values["boundary"]))
	}
	if err := onlyKnown(r); err != nil {
		return nil, err
	}
	req := new(broadcastRequest)
	return req, web.DecodeRequest(w, r, req, web.Options{Unknown: web.RefuseAll, MaxBytes: MaxBroadcastBody, Keys: maxBroadcastNames})
}

// decodeForm reads a form: the list is its file, the rest its fields.
func decodeForm(m *multipart.Reader) (*broadcastRequest, error) {
	fields, table := url.Values{}, ""
	for {
		part, err := m.NextPart()
		if errors.Is(err, io.EOF) {
			return broadcastOf(fields, table)
		}
		var text []byte
		if err == nil {
			text, err = io.ReadAll(part)
		}
		if fault := web.Fault(err); fault != nil {
			return nil, fault
		}
		if err != nil {
			return nil, kabar.Refuse(kabar.ReasonInvalid, "", "the form cannot be read: %v", err)
		}
		if part.FormName() == "recipients" {
			table = string(text)
		} else {
			fields.Add(part.FormName(), string(text))
		}
	}
}

// broadcastOf reads what stands beside a CSV file.
func broadcastOf(fields url.Values, table string) (*broadcastRequest, error) {
	req := &broadcastRequest{CSV: table}
	for name, all := range fields {
		var err error
		value := all[0]
		switch name {
		case "number":
			req.Number = value
		case "template":
			req.Template.Name = value
		case "language":
			req.Template.Language = value
		case "map":
			err = json.Unmarshal([]byte(value), &req.Map)
		case "start_at":
			var at time.Time
			at, err = time.Parse(time.RFC3339, value)
			req.StartAt = &at
		case "per_second":
			req.PerSecond, err = strconv.Atoi(value)
		default:
			return nil, kabar.Refuse(kabar.ReasonNotRequired, name, "is not one of number, template, language, map, start_at, per_second")
		}
		if err != nil || len(all) > 1 {
			return nil, kabar.Refuse(kabar.ReasonInvalid, name, `is %.40q: map is an object of JSON such as {"body.1":"first_name"}, start_at a time such as `+
				`2031-05-02T10:15:00Z, per_second a number, and each is there once`, value)
		}
	}
	return req, nil
}
