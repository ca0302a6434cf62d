package engine_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/flowdata"
	"kabar/internal/golden"
	"kabar/internal/network"
	"kabar/internal/patience"
)

const booking = `{"version":"5.0","data_api_version":"3.0","screens":[
	{"id":"DAY","layout":{"type":"SingleColumnLayout","children":[{"type":"TextInput","name":"day","label":"Day"},
		{"type":"Footer","label":"Next","on-click-action":{"name":"data_exchange","payload":{"day":"${form.day}"}}}]}},
	{"id":"END","terminal":true,"layout":{"type":"SingleColumnLayout","children":[{"type":"Footer","label":"Book","on-click-action":{"name":"complete","payload":{}}}]}}]}`

// shop is a business whose flow asks its server.
type shop struct {
	*env
	t      *testing.T
	server *golden.FlowServer
	flow   *kabar.FlowDef
	wire   string // of the message that opens the flow
	said   string // what the server answers, and how
	status int
	asks   int
}

// doer stands for the server, or for its absence.
type doer func(*http.Request, int64) (*http.Response, error)

func (f doer) Do(r *http.Request, n int64) (*http.Response, error) { return f(r, n) }

func newShop(t *testing.T) *shop {
	s := &shop{t: t, status: 200}
	var key string
	s.server, key = golden.NewFlowServer(func(map[string]any) (int, string) { return s.status, s.said })
	s.env = newEnv(t)
	s.restartWith(s.server)
	n, err := s.e.Number(s.id)
	must(t, err)
	s.setKey(key)
	flows := s.e.Flows()
	s.flow, err = flows.Create(t.Context(), n.Account, &kabar.FlowDef{Name: "book", Categories: []string{"OTHER"}, Endpoint: "https://shop.example/flow", JSON: booking}, 0)
	must(t, err)
	must(t, flows.Publish(t.Context(), n.Account, s.flow.ID))
	s.hear(ana, "hi")
	ref, _, err := s.send(engine.Request{To: ana, Content: &kabar.Interactive{Type: kabar.InteractiveFlow, Body: "Book",
		Action: kabar.Action{Flow: &kabar.Flow{Version: "3", ID: s.flow.ID.String(), Token: "t-1", Text: "Go", Action: kabar.FlowExchange}}}})
	must(t, err)
	s.wire = wire(ref)
	return s
}

func (s *shop) setKey(key string) {
	s.t.Helper()
	must(s.t, s.e.ChangeSettings(s.t.Context(), s.id, func(x *kabar.Settings, _ *string) error { x.BusinessKey = key; return nil }))
}

// ask has the customer's handset ask, and returns what it is told.
func (s *shop) ask(q kabar.FlowQuestion) kabar.FlowStep {
	s.t.Helper()
	before := len(s.steps())
	s.question(q, s.now())
	patience.Until(s.t, "the customer is told", func() bool { return len(s.steps()) > before })
	return *s.steps()[before]
}

func (s *shop) question(q kabar.FlowQuestion, at time.Time) {
	s.t.Helper()
	s.asks++
	q.ID, q.Message = fmt.Sprintf("f%031x", s.asks), cmp.Or(q.Message, s.wire)
	must(s.t, s.net.Deliver(s.t.Context(), kabar.Update{From: kabar.Customer{WaID: ana}, At: at, Ref: q.ID, Asked: &q}))
}

func (s *shop) steps() (all []*kabar.FlowStep) {
	for _, p := range s.net.Packets() {
		if p.Purpose == network.PurposeFlow {
			all = append(all, p.Step)
		}
	}
	return all
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What the customer's handset asks goes to the endpoint, with the token of the message, and what that says goes back.
func TestAFlowGoesOn(t *testing.T) {
	s := newShop(t)
	s.said = `{"screen":"DAY","data":{"days":["Mon"]}}`
	got := s.ask(kabar.FlowQuestion{Action: kabar.FlowInit})
	want := kabar.FlowStep{Question: fmt.Sprintf("f%031x", 1), Message: s.wire, Screen: "DAY", Data: json.RawMessage(`{"days":["Mon"]}`)}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("the customer is told %+v, want %+v", got, want)
	}
	s.said = `{"screen":"SUCCESS","data":{"extension_message_response":{"params":{"seat":7}}}}`
	got = s.ask(kabar.FlowQuestion{Action: kabar.FlowExchange, Screen: "DAY", Data: json.RawMessage(`{"day":"Mon"}`)})
	if got.Screen != kabar.FlowSuccess || fmt.Sprint(got.Ended()) != "map[seat:7]" {
		t.Errorf("the flow ends with %+v", got)
	}
	asked := fmt.Sprint(s.server.Asked())
	if asked != "[map[action:INIT flow_token:t-1 version:3.0] map[action:data_exchange data:map[day:Mon] flow_token:t-1 screen:DAY version:3.0]]" {
		t.Errorf("the endpoint was asked %s", asked)
	}
}

// Whatever an endpoint does, the customer is told, and the flow says how its endpoint is.
func TestAFlowThatDoesNotGoOn(t *testing.T) {
	s := newShop(t)
	health := func() string {
		d, err := s.e.Flows().Get(t.Context(), s.flow.Account, s.flow.ID)
		must(t, err)
		return d.Ailing
	}
	for _, c := range []struct {
		name, said string
		status     int
		fault      kabar.FlowStepFault
		text       string
		health     string
	}{
		{"no such screen", `{"screen":"NIGHT"}`, 200, kabar.FlowAway, "", "NIGHT"},
		{"nothing", `{}`, 200, kabar.FlowAway, "", "no screen"},
		{"too much", `{"screen":"DAY","data":{"a":"` + strings.Repeat("x", kabar.MaxFlowStep) + `"}}`, 200, kabar.FlowAway, "", "too long"},
		{"a fault", ``, 500, kabar.FlowAway, "", "500"},
		{"the signature", ``, 432, kabar.FlowAway, "", "signature"},
		{"the token", `{"error_msg":"Sold out"}`, 427, kabar.FlowOver, "Sold out", ""},
		{"the key", ``, 421, kabar.FlowAway, "", "business_public_key"},
		{"well again", `{"screen":"DAY"}`, 200, "", "", ""},
	} {
		s.said, s.status = c.said, c.status
		got := s.ask(kabar.FlowQuestion{Action: kabar.FlowInit})
		if got.Fault != c.fault || got.Text != c.text {
			t.Errorf("%s: the customer is told %+v", c.name, got)
		}
		if h := health(); (h == "") != (c.health == "") || !strings.Contains(h, c.health) {
			t.Errorf("%s: the flow says %q", c.name, h)
		}
	}
	must(t, s.e.Flows().Deprecate(t.Context(), s.flow.Account, s.flow.ID))
	if got := s.ask(kabar.FlowQuestion{Action: kabar.FlowInit}); got.Fault != kabar.FlowOver {
		t.Errorf("a deprecated flow goes on: %+v", got)
	}
}

// An endpoint that cannot decrypt is asked once more when the key has been replaced meanwhile.
func TestTheKeyOfAFlowIsReplaced(t *testing.T) {
	s := newShop(t)
	s.said = `{"screen":"DAY"}`
	calls := 0
	around := doer(func(r *http.Request, n int64) (*http.Response, error) {
		if calls++; calls == 1 {
			s.setKey(s.server.Renew())
		}
		return s.server.Do(r, n)
	})
	s.restartWith(around)
	if got := s.ask(kabar.FlowQuestion{Action: kabar.FlowInit}); got.Screen != "DAY" || calls != 2 {
		t.Errorf("after %d calls the customer is told %+v", calls, got)
	}
}

// Nobody's questions are asked: those about what was never sent, about what is no flow, those that come again or too late.
func TestQuestionsOfNoFlow(t *testing.T) {
	s := newShop(t)
	s.said = `{"screen":"DAY"}`
	s.question(kabar.FlowQuestion{Action: kabar.FlowInit, Message: wire(s.text(ana, "no flow"))}, s.now())
	s.question(kabar.FlowQuestion{Action: kabar.FlowInit, Message: "01000000000000ffff"}, s.now())
	s.ask(kabar.FlowQuestion{Action: kabar.FlowInit})
	s.asks-- // it comes again
	s.question(kabar.FlowQuestion{Action: kabar.FlowInit}, s.now())
	s.question(kabar.FlowQuestion{Action: kabar.FlowInit}, s.now().Add(-10*time.Minute))
	patience.Until(t, "who has asked too long ago is told so", func() bool { return len(s.steps()) == 2 && s.steps()[1].Fault == kabar.FlowAway })
	s.ask(kabar.FlowQuestion{Action: kabar.FlowInit})
	if n := len(s.server.Asked()); n != 2 {
		t.Errorf("the endpoint was asked %d times", n)
	}
}

// A question that was taken over is asked after the process has died.
func TestAQuestionOutlivesTheProcess(t *testing.T) {
	s := newShop(t)
	s.said = `{"screen":"DAY"}`
	reached := make(chan struct{})
	s.restartWith(doer(func(r *http.Request, _ int64) (*http.Response, error) {
		close(reached)
		<-r.Context().Done()
		return nil, context.Cause(r.Context())
	}))
	s.question(kabar.FlowQuestion{Action: kabar.FlowInit}, s.now())
	<-reached
	s.restartWith(s.server)
	patience.Until(t, "the customer is told", func() bool { return len(s.steps()) == 1 })
	if got := s.steps()[0]; got.Screen != "DAY" {
		t.Errorf("the customer is told %+v", got)
	}
}

// restartWith begins anew, with another server.
func (s *shop) restartWith(server flowdata.Doer) {
	s.t.Helper()
	s.flows = server
	s.restart()
}
