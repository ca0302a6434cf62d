//go:build unix

package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"kabar/internal/torture/failpoint"
	"kabar/internal/torture/history"
)

// Who takes part in a run.
const business = "628111000200"

var (
	clientNames = []string{"client-1", "client-2"}
	// Customers who write, each with the clients that write to it; and one who never does.
	writers = []string{"34600111001", "34600111002", "34600111003", "34600111004", "34600111005", "34600111006"}
	silent  = []string{"34600222001"}
)

// cluster is the product, and everything around it, as processes.
type cluster struct {
	dir      string // of the run
	kabar    string // the program, with failpoints
	self     string // this program, for the recorders
	database string // URL of a PostgreSQL database; empty: SQLite
	mutants  []string
	apiKey   string
	trouble  float64       // of the sink
	name     string        // of the business
	settleIn time.Duration // how long it may take until all has come to rest
	disk     bool          // the server's disk calls can be made to fail

	api, relayAddr, phoneAddr, sinkAddr, wireAddr string

	server, relay, phone, sink, wire, people *process
	clients                                  []*process
	rec                                      *history.Recorder
}

func (c *cluster) path(names ...string) string {
	return filepath.Join(append([]string{c.dir}, names...)...)
}

// open lays the run's folder out and describes the processes; nothing runs yet.
func (c *cluster) open(ctx context.Context) (err error) {
	for _, name := range []string{"history", "logs", "hits", "copies"} {
		if err := os.MkdirAll(c.path(name), 0o700); err != nil {
			return err
		}
	}
	for _, addr := range []*string{&c.api, &c.relayAddr, &c.phoneAddr, &c.sinkAddr, &c.wireAddr} {
		if *addr, err = freeAddress(ctx); err != nil {
			return err
		}
	}
	if c.rec, err = history.Open(c.path("history"), "harness"); err != nil {
		return err
	}
	c.relay = c.product("relay", answersTCP(c.relayAddr), "relay", "--data", c.path("relay"), "--addr", c.relayAddr, "--open-registration",
		"--limit-registrations=-1", "--limit-business-envelopes=-1", "--limit-customer-envelopes=-1")
	c.server = c.serverAt("server", c.path("server"), c.api, business, c.database)
	c.phone = c.product("phone", answersHTTP("http://"+c.phoneAddr+"/api/customers"), "phone", "--data", c.path("phone"), "--addr", c.phoneAddr,
		"--relay", "ws://"+c.wireAddr, "--business", business)
	c.wire = c.recorder("wire", answersTCP(c.wireAddr), "wire", "--addr", c.wireAddr, "--relay", c.relayAddr)
	c.sink = c.recorder("sink", answersTCP(c.sinkAddr), "sink", "--addr", c.sinkAddr, fmt.Sprintf("--trouble=%g", c.trouble))
	c.people = c.recorder("people", nil, "people", "--phone", "http://"+c.phoneAddr, "--business", business,
		"--writers", strings.Join(writers, ","), "--silent", strings.Join(silent, ","))
	return nil
}

// account is the name of a server's first account, unless a run has another.
const account = "The business"

// serverAt describes a business server.
func (c *cluster) serverAt(name, data, addr, number, database string) *process {
	args := []string{"serve", "--data", data, "--master-key-file", c.path("master.key"), "--relay", "ws://" + c.wireAddr, "--number", number,
		"--addr", addr, "--egress-allow", "127.0.0.0/8", "--log-level", "warn", "--name", cmp.Or(c.name, account)}
	if database != "" {
		args = append(args, "--database", database)
	}
	p := c.product(name, answersHTTP("http://"+addr+"/livez"), args...)
	if c.disk {
		p.env = append(p.env, failpoint.EnvDisk+"="+data)
	}
	return p
}

func (c *cluster) product(name string, ready func(context.Context) error, args ...string) *process {
	return &process{name: name, args: append([]string{c.kabar}, args...), dir: c.dir, ready: ready,
		env: []string{failpoint.EnvMutants + "=" + strings.Join(c.mutants, ",")}}
}

func (c *cluster) recorder(name string, ready func(context.Context) error, args ...string) *process {
	return &process{name: name, args: append(append([]string{c.self}, args...), "--history", c.path("history")), dir: c.dir, ready: ready}
}

// found starts everything for the first time: an empty network, a number, its customers, an endpoint. The server's first
// start is handed in: it may be killed a few times on the way.
func (c *cluster) found(ctx context.Context, first func(context.Context) error) error {
	if _, err := c.run(ctx, "key", "master", c.path("master.key")); err != nil {
		return err
	}
	for _, p := range []*process{c.relay, c.wire, c.sink} {
		if err := p.start(ctx); err != nil {
			return err
		}
	}
	if err := first(ctx); err != nil {
		return err
	}
	var err error
	if c.apiKey, err = c.addKey(ctx, "messages,admin"); err != nil {
		return err
	}
	if err := errors.Join(c.unlimited(ctx), c.template(ctx), c.settings(ctx)); err != nil {
		return err
	}
	if err := c.phone.start(ctx); err != nil {
		return err
	}
	if err := c.customers(ctx); err != nil {
		return err
	}
	for i, name := range clientNames {
		c.clients = append(c.clients, c.recorder(name, nil, "client", "--name", name, "--api", "http://"+c.api, "--api-key", c.apiKey,
			"--open", strings.Join(writers[i*3:i*3+3], ","), "--closed", strings.Join(silent[:1-i], ","), "--template", templateName))
	}
	return nil
}

// addKey returns a new API key.
func (c *cluster) addKey(ctx context.Context, scopes string) (string, error) {
	out, err := c.run(ctx, append([]string{"key", "add", "--label", "torture", "--scopes", scopes, "--data", c.path("server")}, c.databaseFlag()...)...)
	if err != nil {
		return "", err
	}
	key := regexp.MustCompile(`kbr_[A-Z2-7]+`).FindString(out)
	if key == "" {
		return "", fmt.Errorf("there is no API key in %q", out)
	}
	return key, nil
}

func (c *cluster) databaseFlag() []string {
	if c.database == "" {
		return nil
	}
	return []string{"--database", c.database}
}

// unlimited takes the limits from the number with which a server begins: what is looked at here is what comes after them.
func (c *cluster) unlimited(ctx context.Context) error {
	_, err := c.run(ctx, append([]string{"number", "limits", "--throughput", "off", "--pair-rate", "off", "--tier", "off", "--data", c.path("server")},
		c.databaseFlag()...)...)
	return err
}

// templateName is an approved template with one parameter.
const templateName = "torture"

// template gives the number its template.
func (c *cluster) template(ctx context.Context) error {
	const text = `{"name":"` + templateName + `","language":"en","category":"UTILITY","components":[{"type":"BODY","text":"The text is {{1}}"}]}`
	file := c.path("template.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	_, err := c.run(ctx, append([]string{"template", "import", file, "--data", c.path("server")}, c.databaseFlag()...)...)
	return err
}

// settings points the number at the sink, has every status told, and retries soon.
func (c *cluster) settings(ctx context.Context) error {
	body := `{"callback_backoff_delay_ms":20,"max_callback_backoff_delay_ms":200,"webhooks":{"url":"http://` + c.sinkAddr +
		`/hook","message":{"sent":true,"delivered":true,"read":true}}}`
	_, err := call(ctx, http.MethodPatch, "http://"+c.api+"/v1/settings/application", c.apiKey, body)
	return err
}

// customers makes the customers and has those who write say something, so that everybody may answer them.
func (c *cluster) customers(ctx context.Context) error {
	phone := "http://" + c.phoneAddr + "/api/customers"
	for _, wa := range append(append([]string(nil), writers...), silent...) {
		if _, err := call(ctx, http.MethodPost, phone, "", `{"name":"Customer","wa_id":"`+wa+`"}`); err != nil {
			return err
		}
		if _, err := call(ctx, http.MethodPatch, phone+"/"+wa, "", `{"auto_read":true}`); err != nil {
			return err
		}
	}
	for _, wa := range writers {
		if err := c.hello(ctx, phone, wa, business); err != nil {
			return err
		}
	}
	return c.heard(ctx, phone, writers)
}

// hello has a customer say something for the first time.
func (c *cluster) hello(ctx context.Context, phone, wa, to string) error {
	said := history.Record{Op: history.Say, Customer: wa, Token: history.Token(wa, to, 0), Kind: "text"}
	if err := c.rec.Write(said); err != nil {
		return err
	}
	if _, err := call(ctx, http.MethodPost, phone+"/"+wa+"/messages", "", `{"type":"text","text":{"body":"Hello `+said.Token+`"}}`); err != nil {
		return err
	}
	said.Op, said.HTTP = history.Said, http.StatusCreated
	return c.rec.Write(said)
}

// heard waits until the business has heard each of them: the window is open.
func (c *cluster) heard(ctx context.Context, phone string, customers []string) error {
	for _, wa := range customers {
		for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
			chat, err := call(ctx, http.MethodGet, phone+"/"+wa+"/messages", "", "")
			if err == nil && (strings.Contains(chat, `"delivered"`) || strings.Contains(chat, `"read"`)) {
				break
			}
			if time.Since(begun) > readyWithin {
				return fmt.Errorf("the business does not hear %s: %s %w", wa, chat, err)
			}
		}
	}
	return nil
}

// load starts those who put the product under load.
func (c *cluster) load() error {
	for _, p := range append([]*process{c.people}, c.clients...) {
		if err := p.launch(""); err != nil {
			return err
		}
	}
	return nil
}

// unload lets them come to their end.
func (c *cluster) unload() error {
	var errs []error
	for _, p := range append([]*process{c.people}, c.clients...) {
		errs = append(errs, p.finish(time.Minute))
		if p.exit != nil && !p.terminated() {
			errs = append(errs, fmt.Errorf("%s: %w; see %s", p.name, p.exit, p.logFile()))
		}
	}
	return errors.Join(errs...)
}

// close ends everything at once.
func (c *cluster) close() {
	for _, p := range append([]*process{c.people, c.server, c.phone, c.relay, c.sink, c.wire}, c.clients...) {
		if p != nil {
			p.kill()
		}
	}
}

// run runs a command of the product's operator and returns what it prints.
func (c *cluster) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, c.kabar, args...)
	var out bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.dir, &out, &out
	cmd.Env = append(os.Environ(), failpoint.EnvMutants+"="+strings.Join(c.mutants, ","))
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("kabar %s: %w\n%s", strings.Join(args, " "), err, out.String())
	}
	return out.String(), nil
}

// look records what the phones show.
func (c *cluster) look(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, c.self, append(c.people.args[1:], "--look")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("read the phones: %w\n%s", err, out)
	}
	return nil
}
