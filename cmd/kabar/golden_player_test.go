package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kabar/internal/golden"
	"kabar/internal/patience"
)

// goldenPlayer plays one file.
type goldenPlayer struct {
	t        *testing.T
	mould    *goldenMould
	dialect  *goldenDialect
	server   *goldenServer
	web      *goldenWeb   // nil when the file needs none
	craft    *goldenCraft // nil when the product's phones do what the file wants
	names    golden.Names
	also     map[string]string      // what the file calls something, by what it is called
	written  map[string]string      // the phones' ids of customers' messages, by the server's
	accepted []string               // ids of messages that may not have been sent yet
	unheard  map[string]string      // who wrote what nobody hears, by the phones' id
	identity string                 // what the file calls Ana's
	form     goldenForm             // what Ana fills in
	unasked  func(body []byte) bool // webhooks that may come in files that do not show them; nil: none
	release  func()                 // ends what the step busy began
	began    time.Time

	status int // of the last answer
	header http.Header
	body   []byte
}

// longForm is an advance of the clock that nobody waits for.
var longForm = regexp.MustCompile(`(?m)^(?:advance .*[hm]|until .*)$`)

// shifts reports whether a file needs a clock that can be shifted. Who waits for a line that is down does so by no clock but the
// machine's.
func shifts(file *golden.File) bool {
	return !file.Has("do", "offline") && slices.ContainsFunc(file.Sections, func(s golden.Section) bool { return s.Name == "do" && longForm.MatchString(s.Text) })
}

// newGoldenPlayer pours the server that a file needs.
func newGoldenPlayer(t *testing.T, m *goldenMould, d *goldenDialect, file *golden.File) *goldenPlayer {
	t.Helper()
	p := &goldenPlayer{t: t, mould: m, dialect: d, also: map[string]string{}, written: map[string]string{}, unheard: map[string]string{}, began: time.Now()}
	told := file.Has("webhook", "") || file.Has("batch", "")
	outside := told || file.Has("message", "https://") || file.Has("request", "https://"+golden.CDN+"/hook") || file.Has("do", "endpoint ")
	var flags []string
	if outside {
		p.web = newGoldenWeb(t, m.cloud.app.AppSecret)
		for _, host := range []string{golden.CDN, golden.Pages, golden.Lost} {
			p.also[p.web.url+"/"+host] = "https://" + host
		}
		flags = []string{"--egress-allow", "127.0.0.1/32"}
	}
	if _, crafted := d.crafted[file.Name]; crafted {
		p.server = m.pourBare(t, flags...)
		p.craft = newGoldenCraft(p)
	} else {
		p.server = m.pour(t, shifts(file), flags...)
		p.also[m.hidden] = "ES.abc123"
	}
	p.eventually("the number to be connected", func() error { return d.connected(m, p.server, true) })
	p.also["http://"+p.server.api] = "http://" + golden.Host
	p.names.Cloud = d.cloud
	d.call(m, &p.names)
	if told {
		twin := d.twin
		if twin != nil && !file.Has("request", " /v1/") {
			twin = nil
		}
		p.listen(file.Has("batch", ""), twin)
	}
	if !file.Has("webhook", "not wanted: status delivered") {
		p.unasked = confirms
	}
	return p
}

// listen has webhooks sent to the player, in the twin's dialect too if there is one. In files with batches they are taken apart: what
// comes together is chance.
func (p *goldenPlayer) listen(batches bool, twin *goldenDialect) {
	p.t.Helper()
	if batches {
		p.web.split = p.dialect.split
	}
	for _, d := range []*goldenDialect{p.dialect, twin} {
		if d == nil {
			continue
		}
		r, err := d.webhook(p.mould, p.web.url+"/hook")
		if err != nil {
			p.t.Fatal(err)
		}
		if status, _, body, err := p.server.ask(r.WithContext(p.t.Context())); err != nil || status != http.StatusOK {
			p.t.Fatalf("set the webhook: %d %s %v", status, body, err)
		}
	}
}

// play returns how many expectations were compared.
func (p *goldenPlayer) play(file *golden.File) (compared int) {
	p.t.Helper()
	compared = file.Play(p.step, p.t.Errorf)
	p.noneHeard()
	if p.web != nil {
		p.noMore()
	}
	return compared
}

// step is the player's golden.Step.
func (p *goldenPlayer) step(s golden.Section) (want, got string, shows bool) {
	p.t.Helper()
	s.Text = golden.FillMoments(s.Text, p.began)
	switch s.Name {
	case "request":
		p.request(s.Text)
		return "", "", false
	case "inbound":
		p.inbound(s.Text)
		return "", "", false
	case "do":
		for line := range strings.Lines(p.real(s.Text)) {
			p.do(strings.Fields(line))
		}
		return "", "", false
	case "response":
		own := func(text string) string { return golden.FromTraffic(golden.FromMachine(text)) }
		want, got = own(golden.FromClock(s.Text, golden.Clock())), own(p.seen(p.answer(s.Text)))
	case "message":
		want, got = p.message(s.Text)
	case "asked":
		want, got = s.Text, p.web.flows.Heard()
	case "screen":
		want, got = s.Text, p.form.page().Show()
	case "webhook", "batch":
		want, got = p.webhooks(s.Text)
	default:
		p.t.Fatalf("unknown section %q", s.Name)
	}
	return want, got, true
}

// real returns what something is called outside of a file.
func (p *goldenPlayer) real(text string) string {
	p.t.Helper()
	for is, called := range p.also {
		text = strings.ReplaceAll(text, called, is)
	}
	text, err := p.names.Fill(text)
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

// called is the other way round.
func (p *goldenPlayer) called(text string) string {
	for is, called := range p.also {
		text = strings.ReplaceAll(text, is, called)
	}
	return text
}

// seen shows what came from the server as a file does.
func (p *goldenPlayer) seen(text string) string {
	return golden.FromClock(p.called(text), p.began)
}

// request makes a request.
func (p *goldenPlayer) request(text string) {
	p.t.Helper()
	q, err := golden.ParseRequest(p.real(p.dialect.fill(p.mould, text)))
	if err != nil {
		p.t.Fatal(err)
	}
	d := p.dialect
	if d.twin != nil && d.twin.speaks(q.URL.Path) {
		d = d.twin
	}
	if err := d.identify(p.mould, q); err != nil {
		p.t.Fatal(err)
	}
	q.Body = io.NopCloser(bytes.NewReader(q.Content))
	what := q.Method + " " + q.URL.Path
	p.status, p.header, p.body, err = p.server.ask(q.WithContext(p.t.Context()))
	if err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
	if err := d.check(q.URL.Path, p.status, p.header); err != nil {
		p.t.Errorf("%s: %v", what, err)
	}
	if date, err := http.ParseTime(p.header.Get("Date")); err != nil || time.Since(date).Abs() > time.Minute {
		p.t.Errorf("%s: Date %q", what, p.header.Get("Date"))
	}
	p.header.Del("Date")
	if id := golden.FindID(string(p.body)); id != "" && d.accepts(q.URL.Path, p.status) {
		p.accepted = append(p.accepted, golden.OnPremID(id))
	}
}

// answer shows the last answer. Its length, which HTTP adds, is shown where the handler sets it and want has it.
func (p *goldenPlayer) answer(want string) string {
	if !strings.Contains(want, "\nContent-Length: ") {
		p.header.Del("Content-Length")
	}
	return p.names.Response(p.status, p.header, []byte(p.called(string(p.body))))
}

func pretty(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		panic(err) // there is nothing in it that JSON has not
	}
	return b.String()
}

// eventually waits until ask has no error; when patience ends, what is compared afterwards says what is wrong.
func (p *goldenPlayer) eventually(what string, ask func() error) {
	p.t.Helper()
	if err := retry(patience.Limit, ask); err != nil {
		p.t.Errorf("waiting for %s: %v", what, err)
	}
}

// retry repeats ask until it has no error, and returns the last one when the time is over.
func retry(within time.Duration, ask func() error) error {
	for deadline := time.Now().Add(within); ; time.Sleep(10 * time.Millisecond) {
		err := ask()
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}
