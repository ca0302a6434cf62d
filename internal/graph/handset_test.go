package graph

import (
	"encoding/json"
	"fmt"
	"strings"

	"kabar"
	"kabar/internal/golden"
)

// handset is that of a customer who goes through a flow that asks the endpoint.
type handset struct {
	wire    string // of the message that opens the flow
	flow    *kabar.Flow
	form    *kabar.FlowForm
	answers kabar.FlowAnswers
	page    golden.FlowPage
	asked   int
}

// opens has Ana open the flow of a message.
func (p *player) opens(id string) {
	p.t.Helper()
	m, err := p.api.message(p.t.Context(), p.a.ID, id)
	must(p.t, err)
	h := &p.handset
	h.wire, h.flow, h.answers, h.page = p.wire(id), kabar.FlowOf(m.Content), kabar.FlowAnswers{}, golden.FlowPage{}
	form, exchanges := h.flow.Exchanges()
	if !exchanges {
		p.t.Fatalf("the flow of %s asks nobody", id)
	}
	h.form = form
	screen, data := h.flow.Opened()
	p.asks(kabar.FlowInit, screen, data)
}

// fills has Ana fill in the screen where she is, and leave it.
func (p *player) fills(values string) {
	p.t.Helper()
	h := &p.handset
	at, given := h.page.Screen, map[string]any{}
	must(p.t, json.Unmarshal([]byte(values), &given))
	h.answers[at] = given
	click, payload, err := h.form.Screen(at).Leave(h.page.Data, h.answers)
	must(p.t, err)
	if click.Name == kabar.FlowExchange {
		p.asks(kabar.FlowExchange, at, payload)
		return
	}
	p.ends(payload)
}

// asks has the handset ask, and shows what it is told.
func (p *player) asks(action, screen string, data map[string]any) {
	p.t.Helper()
	h := &p.handset
	h.asked++
	q := &kabar.FlowQuestion{ID: fmt.Sprintf("f%031x", h.asked), Message: h.wire, Action: action, Screen: screen}
	if data != nil {
		text, err := json.Marshal(data)
		must(p.t, err)
		q.Data = text
	}
	p.deliver(kabar.Update{Ref: q.ID, Asked: q})
	for _, packet := range p.net.Packets() {
		if s := packet.Step; s != nil && s.Question == q.ID {
			p.told(s)
			return
		}
	}
	p.t.Fatalf("nobody answers %+v", q)
}

// told is what a handset makes of an answer.
func (p *player) told(s *kabar.FlowStep) {
	p.t.Helper()
	h := &p.handset
	if h.page.Fault, h.page.Text = string(s.Fault), s.Text; s.Fault != "" {
		return
	}
	if s.Screen == kabar.FlowSuccess {
		p.ends(s.Ended())
		return
	}
	h.page.Screen, h.page.Data = s.Screen, nil
	if s.Data != nil {
		must(p.t, json.Unmarshal(s.Data, &h.page.Data))
	}
}

// ends sends what was filled in.
func (p *player) ends(response map[string]any) {
	p.t.Helper()
	h := &p.handset
	response["flow_token"] = h.flow.Token
	text, err := json.Marshal(response)
	must(p.t, err)
	p.refs++
	h.page = golden.FlowPage{Sent: true}
	p.deliver(kabar.Update{From: kabar.Customer{WaID: golden.Ana, Name: golden.AnaName}, Ref: fmt.Sprintf("%032x", p.refs),
		Message: &kabar.Incoming{ReplyTo: h.wire, Content: &kabar.Reply{Type: kabar.FormReply,
			Form: &kabar.Form{Name: kabar.FormFlow, Body: "Sent", Response: string(text)}}}})
}

// taps has a customer, Ana when it says nobody, open a link of a template.
func (p *player) taps(id, choice, who string) {
	p.t.Helper()
	var on struct {
		URL  string
		Card int
	}
	must(p.t, json.Unmarshal([]byte(choice), &on))
	m, err := p.api.message(p.t.Context(), p.a.ID, id)
	must(p.t, err)
	for n := range kabar.MaxTemplateButtons {
		p.refs++
		tap := &kabar.LinkTap{ID: fmt.Sprintf("%032x", p.refs), Message: p.wire(id), Card: on.Card, Button: n}
		if link := kabar.LinkAt(m.Content, tap); link != nil && link.Text == on.URL {
			p.deliver(kabar.Update{From: kabar.Customer{WaID: who}, Ref: tap.ID, Tapped: tap})
			return
		}
	}
	p.t.Fatalf("%s has no link %s", id, choice)
}

// endpoint follows a line that is about the endpoint of a flow.
func (p *player) endpoint(words []string) {
	p.t.Helper()
	if p.script == nil {
		app, err := p.db.App(p.t.Context())
		must(p.t, err)
		p.script = golden.NewFlowScript(app.Secret)
		p.flows.server = p.script.FlowServer
	}
	must(p.t, p.script.Follow(words, &p.names))
}

// flow does what a customer does in a flow, or the endpoint of one.
func (p *player) flow(words []string) (known bool) {
	p.t.Helper()
	switch words[0] {
	case "endpoint":
		p.endpoint(words)
	case "opens":
		p.opens(words[1])
	case "fills":
		p.fills(strings.Join(words[1:], " "))
	default:
		return false
	}
	return true
}
