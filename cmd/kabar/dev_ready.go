package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
)

// ready is what --ready-file holds.
type ready struct {
	API       string          `json:"api"`
	Phone     string          `json:"phone"`
	Relay     string          `json:"relay"`
	Console   string          `json:"console"` // a one-time link
	Number    string          `json:"number"`
	OnPrem    onpremAccess    `json:"onprem"`
	Kabar     kabarAccess     `json:"kabar"`
	Cloud     *cloudAccess    `json:"cloud"`
	Customers []readyCustomer `json:"customers"`
	MediaDir  string          `json:"media_dir"`
}

type onpremAccess struct {
	Username string `json:"username"`
	Password string `json:"password"`
	Token    string `json:"token"`
}

type kabarAccess struct {
	APIKey string `json:"api_key"`
}

type readyCustomer struct {
	WaID string `json:"wa_id"`
	Name string `json:"name"`
}

// ready collects what there is to know, once everything answers.
func (d *dev) ready(ctx context.Context) (*ready, error) {
	token, err := d.server.auth.Issue(ctx, "admin")
	if err != nil {
		return nil, err
	}
	media, err := filepath.Abs(filepath.Join(d.cmd.Data, "server", "media"))
	if err != nil {
		return nil, err
	}
	api := "http://" + d.ln.api.Addr().String()
	r := &ready{
		API: api, Phone: "http://" + d.ln.phone.Addr().String(), Relay: d.relayURL(), Console: api + d.server.console.NewLink(time.Now(), operatorSession()),
		Number: d.server.first().Digits, OnPrem: onpremAccess{"admin", d.creds.Password, token.Token}, Kabar: kabarAccess{d.creds.APIKey},
		MediaDir: media,
	}
	if r.Cloud, err = d.cloud(ctx, api); err != nil {
		return nil, err
	}
	customers, err := d.phone.Customers(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range customers {
		r.Customers = append(r.Customers, readyCustomer{c.WaID, c.Name})
	}
	return r, nil
}

func (r *ready) write(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(file, append(text, '\n')); err != nil {
		return fmt.Errorf("--ready-file %s: %w", file, err)
	}
	return nil
}

// welcome prints what a newcomer needs, in the order in which it is needed.
func (d *dev) welcome(w io.Writer, r *ready) {
	who, call := r.Customers[0], calls{r.API, r.OnPrem.Token}
	webhook, third := d.cmd.Webhook, "Your application hears of all of it: messages, and how far yours have come."
	if webhook == "" {
		webhook = "not set yet: see 3"
		third = "Have messages and statuses posted to your own application:\n\n" + indent(call.webhook())
	}
	names := make([]string, len(r.Customers))
	for i, c := range r.Customers {
		names[i] = c.Name + " " + c.WaID
	}
	fmt.Fprintf(w, `
  Kabar %s is ready.

    Phone      %s    chat as a customer
    Console    %s    once, within ten minutes
    API        %s    also https, certificate SHA-256 %s…
    Relay      %s

    Number     %s    %s
    Customers  %s
    Admin      admin    %s
    Webhook    %s
    Data       %s    holds the master key too: for development only

  1. Send the approved template to %s. It may be sent at any time:

%s

  2. Answer as %s on the phone page. That opens the 24-hour window: now a text goes, too.

%s

  3. %s

  Applications that are written for the Cloud API work, too: with this address, and with the token, the ids and the app's secret
  that are in %s.

%s

  Ctrl-C stops everything; the next start goes on from here.

`, version(), r.Phone, r.Console, r.API, d.server.o.certs.Info().Fingerprint[:23], r.Relay, r.Number, devBusiness, strings.Join(names, ", "), d.creds.Password, webhook,
		d.cmd.Data, who.Name, indent(call.template(who.WaID)), who.Name, indent(call.text(who.WaID)), third, cloudFile(d.cmd.ReadyFile), indent(r.Cloud.text(who.WaID)))
}
