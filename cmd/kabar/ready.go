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
		API: api, Phone: "http://" + d.ln.phone.Addr().String(), Relay: d.relayURL(), Console: api + d.server.console.NewLink(time.Now()),
		Number: d.server.numbers[0].Digits, OnPrem: onpremAccess{"admin", d.creds.Password, token.Token}, Kabar: kabarAccess{d.creds.APIKey},
		MediaDir: media,
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
	who := r.Customers[0]
	webhook := d.cmd.Webhook
	if webhook == "" {
		webhook = "not set: start with --webhook http://127.0.0.1:3000/hook, or use the third command below"
	}
	names := make([]string, len(r.Customers))
	for i, c := range r.Customers {
		names[i] = c.Name + " " + c.WaID
	}
	fmt.Fprintf(w, `
  Kabar %s is ready.

    Phone     %s    chat as a customer
    Console   %s
    API       %s    also https, certificate SHA-256 %s…
    Relay     %s

    Number    %s    %s
    Customers %s
    Admin     admin / %s
    Webhook   %s
    Data      %s    holds the master key too: for development only

  1. Send the approved template to %s. It may be sent at any time:

%s

  2. Answer as %s on the phone page. That opens the 24-hour window: now a text goes, too.

%s

  3. Have messages and statuses posted to your own application:

%s

  Ctrl-C stops everything; the next start goes on from here.

`, version(), r.Phone, r.Console, r.API, d.server.print[:23], r.Relay, r.Number, devBusiness, strings.Join(names, ", "), d.creds.Password, webhook,
		d.cmd.Data, who.Name, indent(d.templateCurl(r, who)), who.Name, indent(d.textCurl(r, who)), indent(d.webhookCurl(r)))
}

func (d *dev) templateCurl(r *ready, to readyCustomer) string {
	return curl(r.API, r.OnPrem.Token, "POST", "/v1/messages", fmt.Sprintf(`{"to":"%s","type":"template","template":{"name":"hello_kabar","language":{"policy":"deterministic","code":"en"}}}`, to.WaID))
}

func (d *dev) textCurl(r *ready, to readyCustomer) string {
	return curl(r.API, r.OnPrem.Token, "POST", "/v1/messages", fmt.Sprintf(`{"to":"%s","type":"text","text":{"body":"Hello from my own API"}}`, to.WaID))
}

func (d *dev) webhookCurl(r *ready) string {
	return curl(r.API, r.OnPrem.Token, "PATCH", "/v1/settings/application", `{"webhooks":{"url":"http://127.0.0.1:3000/hook"}}`)
}

// curl is a command that works as it is printed.
func curl(api, token, method, path, body string) string {
	return fmt.Sprintf("curl -sS -X %s %s%s \\\n  -H 'Authorization: Bearer %s' \\\n  -H 'Content-Type: application/json' \\\n  -d '%s'",
		method, api, path, token, body)
}

func indent(text string) string { return "    " + strings.ReplaceAll(text, "\n", "\n    ") }
