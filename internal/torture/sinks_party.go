//go:build unix

package main

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
)

// party is a number of the server with everything around it: the endpoint of its settings, customers, and a client that writes to them. Parties
// share nothing but server, account, relay and wire, and an endpoint that is told of all.
type party struct {
	*outlet
	number    string
	apiKey    string
	customers []string

	phoneAddr             string
	phone, people, client *process
}

// newParty describes the n-th party, from 0; nothing runs yet.
func newParty(ctx context.Context, c *cluster, n int, bad bool) (*party, error) {
	out, err := newOutlet(ctx, c, fmt.Sprintf("sink-%d", n+1), "/hook", bad)
	if err != nil {
		return nil, err
	}
	p := &party{outlet: out, number: business}
	p.aim = p.settings
	if n > 0 {
		p.number = fmt.Sprintf("6281110003%02d", n)
	}
	for i := range 2 {
		p.customers = append(p.customers, fmt.Sprintf("3460033%02d%02d", n, i))
	}
	if p.phoneAddr, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	phone := "http://" + p.phoneAddr
	p.phone = c.product(fmt.Sprintf("phone-%d", n+1), answersHTTP(phone+"/api/customers"), "phone", "--data", c.path(fmt.Sprintf("phone-%d", n+1)), "--addr", p.phoneAddr,
		"--relay", "ws://"+c.wireAddr, "--business", p.number)
	p.people = c.recorder(fmt.Sprintf("people-%d", n+1), nil, "people", "--phone", phone, "--business", p.number, "--writers", strings.Join(p.customers, ","), "--think", "500ms")
	return p, nil
}

// found starts the party's programs, and makes number, key, settings and customers.
func (p *party) found(ctx context.Context) error {
	if err := p.sink.start(ctx); err != nil {
		return err
	}
	if err := p.enter(ctx); err != nil {
		return err
	}
	if err := p.point(ctx); err != nil {
		return err
	}
	if err := p.phone.start(ctx); err != nil {
		return err
	}
	if err := p.meet(ctx); err != nil {
		return err
	}
	name := strings.Replace(p.name, "sink", "client", 1)
	p.client = p.c.recorder(name, nil, "client", "--name", name, "--api", "http://"+p.c.api, "--api-key", p.apiKey, "--open", strings.Join(p.customers, ","),
		"--think", think)
	return nil
}

// think is how long a client waits between two messages to a customer: two processors are not to be busy, or the figures would be theirs.
const think = "150ms"

// enter makes the number, without limits, and its key.
func (p *party) enter(ctx context.Context) error {
	at := append([]string{"--data", p.c.path("server")}, p.c.databaseFlag()...)
	if p.number != business {
		if _, err := p.c.run(ctx, append([]string{"number", "add", p.number, "--name", p.name, "--account", account}, at...)...); err != nil {
			return err
		}
	}
	if _, err := p.c.run(ctx, append([]string{"number", "limits", p.number, "--throughput", "off", "--pair-rate", "off", "--tier", "off"}, at...)...); err != nil {
		return err
	}
	out, err := p.c.run(ctx, append([]string{"key", "add", "--label", "torture", "--scopes", "messages,admin", "--number", p.number}, at...)...)
	if err != nil {
		return err
	}
	if p.apiKey = regexp.MustCompile(`kbr_[A-Z2-7]+`).FindString(out); p.apiKey == "" {
		return fmt.Errorf("there is no API key in %q", out)
	}
	return nil
}

// meet makes the customers, each of whom says something, so that they may be answered.
func (p *party) meet(ctx context.Context) error {
	phone := "http://" + p.phoneAddr + "/api/customers"
	for _, wa := range p.customers {
		if _, err := call(ctx, http.MethodPost, phone, "", `{"name":"Customer","wa_id":"`+wa+`"}`); err != nil {
			return err
		}
		if _, err := call(ctx, http.MethodPatch, phone+"/"+wa, "", `{"auto_read":true}`); err != nil {
			return err
		}
		if err := p.c.hello(ctx, phone, wa, p.number); err != nil {
			return err
		}
	}
	return p.c.heard(ctx, phone, p.customers)
}

// settings has the endpoint of the /v1 settings lead somewhere else.
func (p *party) settings(ctx context.Context, url string) error {
	body := `{"callback_backoff_delay_ms":20,"max_callback_backoff_delay_ms":200,"webhooks":{"url":"` + url + `","message":{"sent":true,"delivered":true,"read":true}}}`
	_, err := call(ctx, http.MethodPatch, "http://"+p.c.api+"/v1/settings/application", p.apiKey, body)
	return err
}

// look records what the party's phone shows.
func (p *party) look(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, p.c.self, append(p.people.args[1:], "--look")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("read the phones: %w\n%s", err, out)
	}
	return nil
}

// processes are those of the party, beside its sink.
func (p *party) processes() []*process { return []*process{p.people, p.client, p.phone} }
