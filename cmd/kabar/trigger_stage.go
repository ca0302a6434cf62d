package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kabar/internal/control"
	"kabar/internal/forward"
	"kabar/internal/graph"
	"kabar/internal/onprem"
)

// object is a JSON object.
type object = map[string]any

// stage is a kabar dev that runs: its business, and one of its customers.
type stage struct {
	access
	token    string // of the Cloud API
	phones   string // URL of the phones' control API
	waba     string
	number   string // id in the Cloud API
	customer string
	text     string
	events   chan *forward.Entry
	seen     []*forward.Entry // that were not awaited yet
	failed   chan error
}

// subject is what a trigger looks at in an event.
type subject struct {
	Message  struct{ ID, Kind string }
	Consent  struct{ State string }
	Template struct{ ID, Event string }
}

// stage finds out what there is on the data folder.
func (c *triggerCmd) stage(ctx context.Context) (*stage, error) {
	f := apiFlags{Data: c.Data}
	a, err := f.resolve(ctx)
	if err != nil {
		return nil, err
	}
	op, err := f.dial(ctx)
	if err != nil {
		return nil, err
	}
	st := &stage{access: a, text: c.Text, events: make(chan *forward.Entry), failed: make(chan error, 1)}
	if err := op.Call(ctx, "phone", struct{}{}, &st.phones, nil); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(c.Data, "credentials.json"))
	var own credentials
	if err == nil {
		err = json.Unmarshal(text, &own)
	}
	if st.token = own.Token; st.phones == "" || err != nil {
		return nil, control.Refuse("--data %s: only kabar dev has phones that do what is asked; this is another server", c.Data)
	}
	if err := st.find(ctx); err != nil {
		return nil, err
	}
	st.customer = strings.TrimPrefix(c.Customer, "+")
	if st.customer == "" {
		st.customer = devCustomers()[0].WaID
	}
	return st, nil
}

// find asks for the ids of the business.
func (st *stage) find(ctx context.Context) error {
	var accounts struct {
		Data []struct {
			ID string `json:"waba_id"`
		}
	}
	if err := st.call(ctx, http.MethodGet, st.server+"/kabar/v1/accounts", st.key, "", nil, &accounts); err != nil {
		return err
	}
	if len(accounts.Data) == 0 {
		return errors.New("the server has no account")
	}
	st.waba = accounts.Data[0].ID
	var numbers struct{ Data []struct{ ID string } }
	if err := st.cloud(ctx, http.MethodGet, "/"+st.waba+"/phone_numbers", nil, &numbers); err != nil {
		return err
	}
	if len(numbers.Data) == 0 {
		return errors.New("the account has no number")
	}
	st.number = numbers.Data[0].ID
	return nil
}

// watch reads events from now on, until ctx ends.
func (st *stage) watch(ctx context.Context) error {
	began := make(chan struct{})
	go func() {
		st.failed <- st.client(nil).Follow(ctx, forward.Query{Dialect: "kabar"}, func(_ string, e *forward.Entry) error {
			if e == nil {
				select {
				case <-began:
				default:
					close(began)
				}
				return nil
			}
			select {
			case st.events <- e:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	select {
	case <-began:
		return nil
	case err := <-st.failed:
		return err
	}
}

// await returns the first event of those not looked at yet that is the one. Others are kept: the order in which several come is no matter.
func (st *stage) await(ctx context.Context, is func(*forward.Entry, *subject) bool) (*forward.Entry, error) {
	for i := 0; ; i++ {
		if i == len(st.seen) {
			select {
			case e := <-st.events:
				st.seen = append(st.seen, e)
			case err := <-st.failed:
				return nil, err
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		var b subject
		if err := json.Unmarshal(st.seen[i].Body, &b); err != nil {
			return nil, fmt.Errorf("read an event: %w", err)
		}
		if e := st.seen[i]; is(e, &b) {
			st.seen = slices.Delete(st.seen, i, i+1)
			return e, nil
		}
	}
}

// of is an event of a type that is about the customer.
func (st *stage) of(kind string) func(*forward.Entry, *subject) bool {
	return func(e *forward.Entry, _ *subject) bool { return e.Type == kind && e.Customer == st.customer }
}

func (st *stage) receivedOf(kind string) func(*forward.Entry, *subject) bool {
	return func(e *forward.Entry, b *subject) bool {
		return st.of("message.received")(e, b) && b.Message.Kind == kind
	}
}

func (st *stage) statusOf(id, name string) func(*forward.Entry, *subject) bool {
	return func(e *forward.Entry, b *subject) bool { return st.of("message."+name)(e, b) && b.Message.ID == id }
}

// writes has the customer send a message, and returns the phone's id of it.
func (st *stage) writes(ctx context.Context, kind string, member any) (id string, err error) {
	var made struct{ ID string }
	err = st.phone(ctx, http.MethodPost, "/messages", object{"type": kind, kind: member}, &made)
	return made.ID, err
}

// sends has the business send a message to the customer, and returns the id that phones and events have of it.
func (st *stage) sends(ctx context.Context, message object) (id string, err error) {
	message["messaging_product"], message["to"] = "whatsapp", st.customer
	var made struct{ Messages []struct{ ID string } }
	if err := st.cloud(ctx, http.MethodPost, "/"+st.number+"/messages", message, &made); err != nil {
		return "", err
	}
	if len(made.Messages) != 1 {
		return "", errors.New("the server has accepted the message without an id")
	}
	return onprem.OwnID(made.Messages[0].ID), nil
}

// delivers sends a message and waits until the customer has it.
func (st *stage) delivers(ctx context.Context, message object) (id string, err error) {
	if id, err = st.sends(ctx, message); err == nil {
		_, err = st.await(ctx, st.statusOf(id, "delivered"))
	}
	return id, err
}

// create makes a customer, unless there is one.
func (st *stage) create(ctx context.Context, waID, name string) error {
	err := st.call(ctx, http.MethodPost, st.phones+"/api/customers", "", "application/json", mustJSON(object{"wa_id": waID, "name": name}), nil)
	if refused, ok := errors.AsType[*answerError](err); ok && refused.status == http.StatusConflict {
		return nil
	}
	return err
}

func (st *stage) phoneOf(path string) string {
	return st.phones + "/api/customers/" + st.customer + path
}

func (st *stage) phone(ctx context.Context, method, path string, body, out any) error {
	return st.call(ctx, method, st.phoneOf(path), "", "application/json", mustJSON(body), out)
}

func (st *stage) cloud(ctx context.Context, method, path string, body, out any) error {
	return st.call(ctx, method, st.server+"/"+graph.Version+path, st.token, "application/json", mustJSON(body), out)
}

func (st *stage) manage(ctx context.Context, method, path string, body any) error {
	return st.call(ctx, method, st.server+path, st.key, "application/json", mustJSON(body), nil)
}

// answerError is a request that was refused.
type answerError struct {
	method, path string
	status       int
	text         string
}

func (e *answerError) Error() string {
	return fmt.Sprintf("%s %s: %d %s", e.method, e.path, e.status, e.text)
}

// maxRefusal is how much of a refusal is shown, in bytes.
const maxRefusal = 1 << 10

// call makes a request. out may be nil, and key, kind and body empty.
func (st *stage) call(ctx context.Context, method, url, key, kind string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	res, err := httpClient().Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(res.Body, maxRefusal)) // what there is of it is shown
		return &answerError{method, req.URL.Path, res.StatusCode, string(text)}
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(out)
}

// mustJSON encodes what this file has made; nil is nothing.
func mustJSON(v any) []byte {
	if v == nil {
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps, lists and strings
	}
	return b
}
