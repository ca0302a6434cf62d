package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"kabar"
	"kabar/internal/console"
	"kabar/internal/webhook"
)

// Status implements console.Status: what is running, how it is, and the next step.
func (s *server) Status(ctx context.Context) (console.View, error) {
	v := console.View{Updated: s.now()}
	numbers := s.engine.Numbers()
	if len(numbers) == 0 {
		v.Business = "No number yet"
		v.Steps = []console.Step{{Title: "Add a number", Text: "The command prints the password of its administrator, once.",
			Command: "kabar number add DIGITS --name NAME --data " + s.o.dir}}
		return v, nil
	}
	v.Business, v.Number = numbers[0].Profile.Name, numbers[0].Digits
	if more := len(numbers) - 1; more > 0 {
		v.Number = fmt.Sprintf("%s and %d more", v.Number, more)
	}
	v.Facts = []console.Fact{{Name: "API", Value: s.api(), Href: s.api() + "/livez"}, {Name: "Calls of the API", Value: "/v1/docs", Href: s.api() + "/v1/docs"}, {Name: "Relay", Value: s.o.relay},
		{Name: "Store", Value: s.storeName()}, {Name: "Version", Value: version()}, {Name: "Certificate", Value: s.o.certs.Info().Fingerprint}}
	if s.o.phonePage != "" {
		v.Facts = append([]console.Fact{{Name: "Phones", Value: s.o.phonePage, Href: s.o.phonePage}}, v.Facts...)
	}
	backlog, err := s.dispatcher.Backlog(ctx)
	if err != nil {
		return v, err
	}
	receives := false // some endpoint is told of events
	for _, n := range numbers {
		all, err := s.db.Endpoints(ctx, n.ID)
		if err != nil {
			return v, err
		}
		receives = receives || slices.ContainsFunc(all, func(e *kabar.Endpoint) bool { return e.URL != "" })
		of := ""
		if len(numbers) > 1 {
			of = " of " + n.Digits
		}
		v.Lights = append(v.Lights, s.linkLight("Network"+of, n), hooksLight("Webhooks"+of, all, backlog))
	}
	v.Steps, err = s.steps(ctx, receives)
	return v, err
}

func (s *server) linkLight(name string, n *kabar.Number) console.Light {
	if up, _ := s.engine.Link(n.ID); up {
		return console.Light{Name: name, State: console.Good, Text: "connected"}
	}
	text, since := s.link(n)
	return console.Light{Name: name, State: console.Waiting, Text: text + " since " + since.UTC().Format(time.TimeOnly)}
}

// hooksLight is how the endpoints of a number are: the one that is worst, and what waits for all of them.
func hooksLight(name string, all []*kabar.Endpoint, backlog map[kabar.EndpointID]webhook.Backlog) console.Light {
	l := console.Light{State: console.Unset, Text: "no URL", Detail: "Events wait until there is one; nothing is lost."}
	told, pending := 0, int64(0)
	for _, e := range all {
		b := backlog[e.ID]
		if e.URL == "" {
			l.Count += b.Pending
			continue
		}
		one := hookLight(e, b)
		if pending += b.Pending; told == 0 || one.State == console.Bad && l.State != console.Bad {
			l = one
		}
		told++
	}
	l.Name, l.Unit = name, "events waiting"
	if told > 0 {
		l.Count = pending
	}
	if told > 1 {
		l.Detail += fmt.Sprintf(", and %d more", told-1)
	}
	return l
}

// hookLight is how an endpoint is for a number. Its URL may hold a secret, so only the host is shown.
func hookLight(e *kabar.Endpoint, b webhook.Backlog) console.Light {
	host := e.URL
	if u, err := url.Parse(e.URL); err == nil {
		host = u.Host
	}
	switch {
	case e.State == kabar.EndpointSuspended:
		return console.Light{State: console.Bad, Text: "suspended", Detail: host}
	case !e.Active():
		return console.Light{State: console.Unset, Text: string(e.State), Detail: host}
	case b.Failing:
		return console.Light{State: console.Bad, Text: "failing", Detail: host + ": " + b.LastError}
	}
	return console.Light{State: console.Good, Text: "answering", Detail: host}
}

func (s *server) storeName() string {
	if s.o.store.URL != "" {
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

// steps is the way of a newcomer.
func (s *server) steps(ctx context.Context, receives bool) ([]console.Step, error) {
	seq, err := s.db.LastSeq(ctx, s.first().ID)
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
		{Title: "Receive webhooks", Text: "Tell the server where to post messages and statuses: in a form, or by a call.", Command: call.webhook(), Href: "/console/endpoints", Go: "Add an endpoint", Done: receives},
	}
	if s.o.phonePage == "" {
		steps = steps[1:]
	}
	return steps, nil
}
