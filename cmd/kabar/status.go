package main

import (
	"context"
	"net"
	"net/netip"
	"time"

	"kabar/internal/console"
)

// Status implements console.Status: what is running, how it is, and the next step.
func (s *server) Status(ctx context.Context) (console.View, error) {
	v := console.View{Updated: s.now()}
	if len(s.numbers) == 0 {
		return v, nil
	}
	n := s.numbers[0]
	v.Business, v.Number = n.Profile.Name, n.Digits
	v.Facts = []console.Fact{{Name: "API", Value: s.api(), Href: s.api() + "/livez"}, {Name: "Relay", Value: s.o.relay},
		{Name: "Store", Value: s.storeName()}, {Name: "Version", Value: version()}, {Name: "Certificate", Value: s.print}}
	if s.o.phonePage != "" {
		v.Facts = append([]console.Fact{{Name: "Phones", Value: s.o.phonePage, Href: s.o.phonePage}}, v.Facts...)
	}
	link := console.Light{Name: "Network", State: console.Good, Text: "connected"}
	if up, since := s.engine.Link(n.ID); !up {
		link.State, link.Text = console.Waiting, "connecting since "+since.UTC().Format(time.TimeOnly)
	}
	hook, url, err := s.hookLight(ctx)
	if err != nil {
		return v, err
	}
	v.Lights = []console.Light{link, hook}
	v.Steps, err = s.steps(ctx, url)
	return v, err
}

func (s *server) storeName() string {
	if s.o.database != "" {
		return "PostgreSQL"
	}
	return "SQLite in " + s.o.dir
}

// api is the address of the API for people: without TLS on this machine, where no certificate has to be trusted first.
func (s *server) api() string {
	scheme := "https"
	if loopback(s.addr) {
		scheme = "http"
	}
	return scheme + "://" + s.host()
}

// host is the name and port under which people reach the server.
func (s *server) host() string {
	host, port, err := net.SplitHostPort(s.addr.String())
	if err != nil {
		return s.addr.String()
	}
	if ip, err := netip.ParseAddr(host); len(s.o.hosts) > 0 {
		host = s.o.hosts[0]
	} else if err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

func (s *server) hookLight(ctx context.Context) (console.Light, string, error) {
	l := console.Light{Name: "Webhook", Unit: "events waiting"}
	ep, err := s.engine.Endpoint(ctx, s.numbers[0].ID)
	if err != nil {
		return l, "", err
	}
	all, err := s.dispatcher.Backlog(ctx)
	if err != nil {
		return l, "", err
	}
	b := all[ep.ID]
	l.Count = b.Pending
	switch {
	case ep.URL == "":
		l.State, l.Text, l.Detail = console.Unset, "no URL", "Events wait until there is one; nothing is lost."
	case b.Failing:
		l.State, l.Text, l.Detail = console.Bad, "failing", b.LastError
	default:
		l.State, l.Text, l.Detail = console.Good, "answering", ep.URL
	}
	return l, ep.URL, nil
}

// steps is the way of a newcomer.
func (s *server) steps(ctx context.Context, url string) ([]console.Step, error) {
	seq, err := s.db.LastSeq(ctx, s.numbers[0].ID)
	if err != nil {
		return nil, err
	}
	call, customer := calls{s.api(), "$TOKEN"}, "THE-WA_ID"
	if s.o.lab != nil {
		customer = devCustomers()[0].WaID
	}
	steps := []console.Step{
		{Title: "Be a customer", Text: "Open the phone page, choose a customer and write to the business.", Href: s.o.phonePage, Go: "Open the phone page", Done: seq > 0},
		{Title: "Answer", Text: "Send a text from your own code. It may be free-form for 24 hours after the customer's last message. The token is what POST /v1/users/login answers.",
			Command: call.text(customer), Done: seq > 1},
		{Title: "Receive webhooks", Text: "Tell the server where to post messages and statuses.", Command: call.webhook(), Done: url != ""},
	}
	if s.o.phonePage == "" {
		steps = steps[1:]
	}
	return steps, nil
}
