package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/doctor"
	"kabar/internal/egress"
	"kabar/internal/store"
	"kabar/internal/webhook"
)

// inside is what kabar doctor looks at with an open store: in the server when it runs, otherwise in the command's process.
type inside struct {
	db     *store.DB
	client func(kabar.NumberID) (*egress.Client, error) // of the number's webhooks, with the authorities that it trusts
	// Nil when the server does not run:
	link    func(kabar.NumberID) (connected bool, since time.Time)
	todo    func(kabar.NumberID) string // before its network admits a number
	backlog func(context.Context) (map[kabar.EndpointID]webhook.Backlog, error)
	cert    func() doctor.Result
}

// examine is the operation of kabar doctor in a running server.
func (s *server) examine(ctx context.Context, _ struct{}, _ control.Report) ([]doctor.Line, error) {
	in := &inside{db: s.db, client: s.webhookClient, link: s.engine.Link, todo: s.missing, backlog: s.dispatcher.Backlog, cert: s.certificate}
	return doctor.Run(ctx, in.checks(ctx)), nil
}

// listening is the operation that says where the API of a running server listens.
func (s *server) listening(context.Context, struct{}, control.Report) (string, error) {
	if s.addr == nil {
		return "", errors.New("the server does not listen yet")
	}
	return s.addr.String(), nil
}

// phoneAt is the operation that says where the phones of kabar dev are; empty on a server that has none.
func (s *server) phoneAt(context.Context, struct{}, control.Report) (string, error) {
	return s.o.phonePage, nil
}

func (s *server) webhookClient(n kabar.NumberID) (*egress.Client, error) {
	return s.trust.Client(n), nil
}

// certificate says where the server's certificate comes from, and what its source complains of.
func (s *server) certificate() doctor.Result {
	info := s.o.certs.Info()
	if len(info.Problems) > 0 {
		return doctor.Result{Level: doctor.Warn, Detail: strings.Join(info.Problems, "; "), Fix: "the certificate part of serve.yaml has the keys; journalctl -u kabar -g certificate has the reasons"}
	}
	return doctor.Fine("%s", info.Source)
}

func (in *inside) checks(ctx context.Context) []doctor.Check {
	all := []doctor.Check{doctor.Store(in.db), {Name: "master key in use", Run: in.masterKey}}
	if about, err := in.db.About(ctx); err == nil && !about.Now.IsZero() {
		all = append(all, doctor.Clock("the database", func(ctx context.Context) (time.Time, error) {
			a, err := in.db.About(ctx)
			return a.Now, err
		}))
	}
	if in.cert != nil {
		all = append(all, doctor.Known("certificate source", in.cert()))
	}
	all = append(all, doctor.Files(doctor.FileLimit), doctor.Memory(doctor.MemoryLimit(os.ReadFile)))
	return append(all, in.numbers(ctx)...)
}

// masterKey says which key the store is sealed under: that it could be opened shows that the key is the right one.
func (in *inside) masterKey(ctx context.Context) doctor.Result {
	id, err := in.db.MasterKeyID(ctx)
	if err != nil {
		return doctor.Unopened(err)
	}
	return doctor.Fine("%s opens the store: keep a copy of it elsewhere, without it every backup is unreadable", id)
}

// numbers are the checks of each number: its connection and its endpoints.
func (in *inside) numbers(ctx context.Context) (all []doctor.Check) {
	fault := func(err error) []doctor.Check { return append(all, doctor.Known("numbers", doctor.Unopened(err))) }
	numbers, err := in.db.Numbers(ctx)
	if err != nil {
		return fault(err)
	}
	if len(numbers) == 0 {
		return []doctor.Check{doctor.Known("numbers", doctor.Result{Level: doctor.Warn, Detail: "there are none", Fix: "kabar number add DIGITS --data …"})}
	}
	var behind map[kabar.EndpointID]webhook.Backlog
	if in.backlog != nil {
		if behind, err = in.backlog(ctx); err != nil {
			return fault(err)
		}
	}
	for _, n := range numbers {
		if in.link != nil {
			up, since := in.link(n.ID)
			all = append(all, doctor.Link("network of "+n.Digits, up, since, time.Now(), in.todo(n.ID)))
		}
		endpoints, err := in.db.Endpoints(ctx, n.ID)
		if err != nil {
			return fault(err)
		}
		out, err := in.client(n.ID)
		if err != nil {
			return fault(err)
		}
		for i, ep := range endpoints {
			name := n.Digits
			if i > 0 {
				name = fmt.Sprintf("%s (%d)", n.Digits, i+1)
			}
			b, known := behind[ep.ID]
			if !known {
				b.Pending = -1
			}
			all = append(all, doctor.Webhook(doctor.Endpoint{Name: name, URL: ep.URL, Pending: b.Pending, Last: b.LastError,
				ID: in.db.PublicEndpoint(ep.Group), State: ep.State, Reason: ep.Reason}, out))
		}
	}
	return all
}
