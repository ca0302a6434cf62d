package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kabar/internal/golden"
)

// The hands of the player that only files of the Cloud API need.

// doCloud does what no request and no message does.
func (p *goldenPlayer) doCloud(words []string) {
	p.t.Helper()
	arg := append(words, "")[1]
	switch words[0] {
	case "until":
		p.until(arg)
	case "limit": // of the account's templates
		p.server.run("template", "policy", "--limit", arg, "--account", "Warung", "--data", p.server.folder("server"))
	case "credit": // the limit of the account's line
		p.server.run("account", "credit", arg, "--account", "Warung", "--data", p.server.folder("server"))
	case "name", "verification":
		p.judges(words[0], arg, words[2:]...)
	case "templates":
		p.createTemplates(arg)
	case "endpoint": // of a flow
		if err := p.web.flows.Follow(words, &p.names); err != nil {
			p.t.Fatal(err)
		}
	case "taps":
		p.taps(golden.OnPremID(arg), words[2], append(words, golden.Ana)[3])
	case "opens":
		p.form.id = golden.OnPremID(arg)
		p.move(map[string]any{})
	case "fills":
		values := json.RawMessage(strings.Join(words[1:], " "))
		p.move(map[string]any{"screen": p.form.Screen, "values": values})
	default:
		p.t.Fatalf("no hand for %q", words)
	}
}

// judges decides upon the name that the number asks for, or upon its account.
func (p *goldenPlayer) judges(what, decision string, reason ...string) {
	p.t.Helper()
	args := []string{"account", "verify", "Warung"}
	if what == "name" {
		args = []string{"number", "name", golden.Ours}
	}
	if what == "name" || decision != "approve" {
		args = append(args, "--"+decision)
	}
	for _, r := range reason {
		args = append(args, "--reason", r)
	}
	p.server.run(append(args, "--data", p.server.folder("server"))...)
}

// taps has a customer tap on a link of a template, and waits until it is counted.
func (p *goldenPlayer) taps(id, choice, who string) {
	p.t.Helper()
	defer p.switchOn(who)()
	p.has(who, id)
	name := fmt.Sprint(p.server.trace(id).Content["name"])
	before := p.opened(name)
	p.server.phone(http.MethodPost, who+"/messages/"+id+"/tap", json.RawMessage(choice), nil)
	p.eventually("the tap to be counted", func() error {
		if p.opened(name) == before {
			return errors.New("it is not")
		}
		return nil
	})
}

// opened is how often links of a template were opened.
func (p *goldenPlayer) opened(template string) (taps int) {
	p.t.Helper()
	var list struct{ Data []struct{ ID string } }
	p.server.readAs(p.mould.cloud.tokens["user"], "/v23.0/"+p.mould.cloud.ids["<waba>"]+"/message_templates?name="+template, &list)
	var shown struct {
		Use struct{ Opened map[string]int }
	}
	p.server.read("/kabar/v1/templates/"+list.Data[0].ID, &shown)
	for _, n := range shown.Use.Opened {
		taps += n
	}
	return taps
}

// graph makes a request of the Cloud API that succeeds.
func (p *goldenPlayer) graph(method, path, body string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, "/v23.0/"+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.mould.cloud.tokens["user"])
	r.Header.Set("Content-Type", "application/json")
	if status, _, answer, err := p.server.ask(r); err != nil || status != http.StatusOK {
		p.t.Fatalf("%s %s: %d %s %v", method, path, status, answer, err)
	}
}

// createTemplates makes templates that no two of are alike.
func (p *goldenPlayer) createTemplates(count string) {
	p.t.Helper()
	n, err := strconv.Atoi(count)
	if err != nil {
		p.t.Fatal(err)
	}
	const template = `{"name":"made_%d","language":"en","category":"UTILITY","components":[{"type":"BODY","text":"Notice %[1]d of many."}]}`
	for i := range n {
		p.graph(http.MethodPost, p.mould.cloud.ids["<waba>"]+"/message_templates", fmt.Sprintf(template, i))
	}
}

// until moves the clock of kabar dev to the next moment of the day that is called so, from where moments are counted then: no day,
// month or half hour ends while a file is played.
func (p *goldenPlayer) until(moment string) {
	p.t.Helper()
	at, err := time.Parse("15:04", moment)
	if err != nil {
		p.t.Fatal(err)
	}
	now := time.Now().UTC()
	next := time.Date(now.Year(), now.Month(), now.Day(), at.Hour(), at.Minute(), 0, 0, time.UTC)
	if !next.After(now) {
		next = next.AddDate(0, 0, 1)
	}
	p.began = p.shift(next.Sub(now))
}

// shift moves the clock of kabar dev forward, and returns what it says then.
func (p *goldenPlayer) shift(by time.Duration) (now time.Time) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, "/kabar/v1/lab/clock", strings.NewReader(fmt.Sprintf(`{"advance":%q}`, by)))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.server.reader)
	status, _, body, err := p.server.ask(r)
	var answer struct{ Now time.Time }
	if err == nil && status == http.StatusOK {
		err = json.Unmarshal(body, &answer)
	}
	if err != nil || status != http.StatusOK {
		p.t.Fatalf("advance by %s: %d %s %v", by, status, body, err)
	}
	return answer.Now
}

// isSent waits until the relay has a customer's message.
func (p *goldenPlayer) isSent(who, id string) {
	p.t.Helper()
	p.eventually("the customer's message to be sent", func() error {
		if m := p.server.shown(who, id); m.Status != "sent" {
			return fmt.Errorf("it is %q", m.Status)
		}
		return nil
	})
}

// noneHeard checks that nobody who wrote what the number does not hear was told that it had arrived.
func (p *goldenPlayer) noneHeard() {
	p.t.Helper()
	for id, who := range p.unheard {
		if m := p.server.shown(who, id); m.Status != "sent" {
			p.t.Errorf("the message %s of a blocked customer is %s", id, m.Status)
		}
	}
}

// goldenForm is a flow that asks its endpoint, as the handset shows it.
type goldenForm struct {
	id     string // of the message that opens it
	Screen string
	Data   map[string]any
	Error  string
	Over   bool
	Reply  string `json:"reply_id"`
}

// page shows it as files do: what handsets say of themselves has a name.
func (f *goldenForm) page() golden.FlowPage {
	page := golden.FlowPage{Screen: f.Screen, Data: f.Data, Text: f.Error, Sent: f.Reply != ""}
	if f.Over {
		page.Fault = "over"
	}
	switch f.Error {
	case "Something went wrong. Try again.":
		page.Fault, page.Text = "away", ""
	case "This form cannot be filled in any more.":
		page.Text = ""
	}
	return page
}

// move has Ana open a flow or leave its present screen. What she sends at its end is waited for.
func (p *goldenPlayer) move(how map[string]any) {
	p.t.Helper()
	defer p.switchOn(golden.Ana)()
	p.has(golden.Ana, p.form.id)
	next := goldenForm{id: p.form.id}
	p.server.phone(http.MethodPost, golden.Ana+"/messages/"+p.form.id+"/flow", how, &next)
	if p.form = next; next.Reply != "" {
		p.eventually("the answer to arrive", func() error {
			if m := p.server.shown(golden.Ana, next.Reply); m.Status != "delivered" {
				return fmt.Errorf("it is %q", m.Status)
			}
			return nil
		})
		p.written[p.server.lastFrom(golden.Ana).ID] = next.Reply
	}
}
