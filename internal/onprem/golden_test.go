package onprem

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"kabar"
)

var update = flag.Bool("update", false, "write what is seen into testdata")

// TestGolden plays the files of testdata, each on a server of its own. Their sections are steps, in order:
//
//	request   "METHOD /path", headers, an empty line, the body. "As:" says who asks (user, admin, other, key, new, nobody;
//	          default user), "Body:" names one of samples.
//	response  what was answered: status, headers that not every answer has, body
//	message   the message that the last answer names, as it is stored
//	inbound   a message of the customer Ana, as an inbound in JSON
//	do        commands, one a line: see command
//	webhook   the bodies of all events since the last webhook section
//
// Ids are named in the order in which they appear: <m1>, <m2>… for messages, <u1>… for media.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	must(t, err)
	var steps atomic.Int32
	t.Run("files", func(t *testing.T) {
		for _, file := range files {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
				t.Parallel()
				steps.Add(int32(play(t, file)))
			})
		}
	})
	if n := steps.Load(); n < 100 {
		t.Errorf("%d expectations in %d files", n, len(files))
	}
}

// play plays a file and returns how many expectations it has.
func play(t *testing.T, file string) (steps int) {
	archive, err := txtar.ParseFile(file)
	must(t, err)
	p := &player{env: newEnv(t), t: t, names: map[string]string{}}
	for i := range archive.Files {
		f := &archive.Files[i]
		if got, compared := p.step(f.Name, f.Data); compared {
			steps++
			p.compare(i, f, got)
		}
	}
	if *update {
		must(t, os.WriteFile(file, txtar.Format(archive), 0o644))
	}
	return steps
}

// player plays one file.
type player struct {
	*env
	t     *testing.T
	names map[string]string // of ids
	count map[byte]int
	last  *httptest.ResponseRecorder
	seq   int64 // of the last event that a webhook section has shown
	refs  int
}

func (p *player) compare(i int, f *txtar.File, got []byte) {
	if *update {
		f.Data = got
		return
	}
	if !bytes.Equal(f.Data, got) {
		p.t.Errorf("section %d (%s):\n--- want\n%s--- got\n%s", i, f.Name, f.Data, got)
	}
}

// step plays a section. What it returns is compared with the section when compared is true.
func (p *player) step(name string, data []byte) (got []byte, compared bool) {
	p.t.Helper()
	switch name {
	case "request":
		p.request(string(data))
	case "response":
		return p.response(), true
	case "message":
		return p.message(), true
	case "inbound":
		p.inbound([]byte(p.fill(string(data))))
	case "do":
		for line := range strings.Lines(string(data)) {
			p.command(strings.Fields(p.fill(line)))
		}
	case "webhook":
		return p.webhook(), true
	default:
		p.t.Fatalf("unknown section %q", name)
	}
	return nil, false
}

var (
	idForm      = regexp.MustCompile(`(?:gB[EG]|AB[EG])[A-I][0-9A-Za-z_-]{23,32}|[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)
	placeholder = regexp.MustCompile(`<[mu][0-9]+>`)
	hex32       = regexp.MustCompile(`\b[0-9a-f]{32}\b`)
	tokenForm   = regexp.MustCompile(`eyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+`)
	stanzaForm  = regexp.MustCompile(`\|[0-9a-f]{18}\b`)
)

// name replaces what differs from run to run.
func (p *player) name(s string) string {
	s = idForm.ReplaceAllStringFunc(s, func(id string) string {
		if p.names[id] == "" {
			kind := byte('m')
			if strings.Contains(id, "-4") && len(id) == 36 && id[8] == '-' {
				kind = 'u'
			}
			if p.count == nil {
				p.count = map[byte]int{}
			}
			p.count[kind]++
			p.names[id] = fmt.Sprintf("<%c%d>", kind, p.count[kind])
		}
		return p.names[id]
	})
	s = tokenForm.ReplaceAllString(s, "<token>")
	return stanzaForm.ReplaceAllString(hex32.ReplaceAllString(s, "<hex>"), "|<stanza>")
}

// fill replaces names by ids.
func (p *player) fill(s string) string {
	return placeholder.ReplaceAllStringFunc(s, func(name string) string {
		for id, n := range p.names {
			if n == name {
				return id
			}
		}
		p.t.Fatalf("%s has not been seen", name)
		return ""
	})
}

// request plays a request.
func (p *player) request(text string) {
	p.t.Helper()
	head, body, _ := strings.Cut(p.fill(text), "\n\n")
	line, rest, _ := strings.Cut(head, "\n")
	raw := line + " HTTP/1.1\r\nHost: kabar.test\r\n"
	if rest = strings.TrimSpace(rest); rest != "" {
		raw += strings.ReplaceAll(rest, "\n", "\r\n") + "\r\n"
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw + "\r\n")))
	must(p.t, err)
	content := []byte(strings.TrimSuffix(body, "\n"))
	if sample := r.Header.Get("Body"); sample != "" {
		content = samples[sample]
		if content == nil {
			p.t.Fatalf("there is no sample %q", sample)
		}
	}
	r.Body, r.ContentLength = http.NoBody, int64(len(content))
	if len(content) > 0 {
		r.Body = readCloser{bytes.NewReader(content)}
	}
	r.RemoteAddr = "192.0.2.1:4321"
	p.identify(r)
	p.last = httptest.NewRecorder()
	p.mux.ServeHTTP(p.last, r)
	p.checkHeaders(r)
	p.settle() // what follows is in a fixed order
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// identify sets the credentials.
func (p *player) identify(r *http.Request) {
	who := r.Header.Get("As")
	for _, h := range []string{"As", "Body"} {
		r.Header.Del(h)
	}
	switch {
	case who == "nobody" || r.Header.Get("Authorization") != "":
	case who == "key":
		r.Header.Set("D360-API-KEY", p.key)
	default:
		if who == "" {
			who = "user"
		}
		if p.tokens[who] == "" {
			p.t.Fatalf("there is no %q", who)
		}
		r.Header.Set("Authorization", "Bearer "+p.tokens[who])
	}
}

// checkHeaders checks what every answer has.
func (p *player) checkHeaders(r *http.Request) {
	h := p.last.Header()
	if p.last.Code == http.StatusRequestedRangeNotSatisfiable {
		return // net/http answers it
	}
	if h.Get("Server") != "Server" || h.Get("Cache-Control") != "no-cache, private" || !hex32.MatchString(h.Get("X-Request-ID")) {
		p.t.Errorf("%s %s: headers %v", r.Method, r.URL.Path, h)
	}
	if web := strings.HasPrefix(r.URL.Path, "/v1/users/"); web == (h.Get("X-Internal-Request-IDS") != "") {
		p.t.Errorf("%s %s: X-Internal-Request-IDS %q", r.Method, r.URL.Path, h.Get("X-Internal-Request-IDS"))
	}
}

// response shows the last answer.
func (p *player) response() []byte {
	var b bytes.Buffer
	fmt.Fprintln(&b, p.last.Code)
	h := p.last.Header()
	for _, k := range slices.Sorted(mapsKeys(h)) {
		v := strings.Join(h[k], " ")
		switch {
		case k == "Server", k == "Cache-Control", k == "X-Request-Id", k == "Content-Type" && v == "application/json",
			k == "X-Internal-Request-Ids" && !strings.Contains(v, "|"):
			continue
		}
		fmt.Fprintf(&b, "%s: %s\n", k, p.name(v))
	}
	b.WriteString(p.body(p.last.Body.Bytes()))
	return b.Bytes()
}

func mapsKeys(h http.Header) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range h {
			if !yield(k) {
				return
			}
		}
	}
}

// body shows JSON indented, and of anything else what it begins with.
func (p *player) body(b []byte) string {
	var out bytes.Buffer
	if json.Valid(b) {
		must(p.t, json.Indent(&out, b, "", "  "))
		return p.name(out.String()) + "\n"
	}
	return fmt.Sprintf("%d bytes %.40q\n", len(b), b)
}

// webhook shows what endpoints are told.
func (p *player) webhook() []byte {
	p.t.Helper()
	p.settle()
	n, err := p.engine.Number(p.a.ID)
	must(p.t, err)
	s, err := p.engine.Settings(p.a.ID)
	must(p.t, err)
	events, err := p.db.Events(p.t.Context(), p.a.ID, p.seq, 1000)
	must(p.t, err)
	var b strings.Builder
	for _, ev := range events {
		p.seq = ev.Seq
		body, wanted, err := p.api.Render(ev, n, s)
		must(p.t, err)
		again, _, _ := p.api.Render(ev, n, s)
		if !bytes.Equal(body, again) || wanted != (body != nil) {
			p.t.Errorf("event %d is rendered as %s and %s, wanted %v", ev.Seq, body, again, wanted)
		}
		if !wanted {
			fmt.Fprintf(&b, "not wanted: %s %s\n", ev.Kind, ev.Status)
			continue
		}
		b.WriteString(p.body(body))
	}
	return []byte(b.String())
}

// message shows the message that the last answer names.
func (p *player) message() []byte {
	p.t.Helper()
	p.settle()
	id := idForm.FindString(p.last.Body.String())
	m, err := p.api.message(p.t.Context(), p.a.ID, id)
	must(p.t, err)
	c, err := p.db.Conversation(p.t.Context(), p.a.ID, m.Conversation)
	must(p.t, err)
	content, err := kabar.EncodeContent(m.Content)
	must(p.t, err)
	shown := map[string]any{"to": c.Customer.Handle(), "kind": m.Content.Kind(), "content": json.RawMessage(content),
		"ttl": m.Expires.Sub(m.At).String(), "status": m.Status.String()}
	if m.Context.ReplyTo != 0 {
		shown["context"] = map[string]any{"reply_to": m.Context.ReplyTo}
	}
	b, err := json.MarshalIndent(shown, "", "  ")
	must(p.t, err)
	return []byte(p.name(p.publish(string(b))) + "\n")
}

var keyForm = regexp.MustCompile(`"(media|reply_to|target)": ([0-9]+)`)

// publish shows keys as the ids that stand for them.
func (p *player) publish(s string) string {
	return keyForm.ReplaceAllStringFunc(s, func(match string) string {
		parts := keyForm.FindStringSubmatch(match)
		var key int64
		must(p.t, json.Unmarshal([]byte(parts[2]), &key))
		if parts[1] == "media" {
			return fmt.Sprintf("%q: %q", parts[1], p.api.mediaID(kabar.MediaID(key)))
		}
		m, err := p.db.Message(p.t.Context(), p.a.ID, kabar.MessageID(key))
		must(p.t, err)
		c, err := p.db.Conversation(p.t.Context(), p.a.ID, m.Conversation)
		must(p.t, err)
		return fmt.Sprintf("%q: %q", parts[1], messageID(m.Direction == kabar.Outbound, p.a, c.Customer, m.Ref))
	})
}

// command does one thing that no request does.
func (p *player) command(words []string) {
	p.t.Helper()
	if len(words) == 0 {
		return
	}
	arg := append(words, "", "")[1:]
	switch words[0] {
	case "advance":
		d, err := time.ParseDuration(arg[0])
		must(p.t, err)
		p.advance(d)
	case "offline":
		p.net.set(true, p.now())
	case "online":
		p.net.set(false, p.now())
		p.net.in.Ready()
	case "refuse": // what is sent from now on, with "unknown" or "undeliverable"
		p.net.refuse = map[string]kabar.Reason{"unknown": kabar.ReasonUnknownUser, "undeliverable": kabar.ReasonUndeliverable,
			"media": kabar.ReasonMediaDownload, "": ""}[arg[0]]
	default:
		p.update(words[0], arg)
	}
}
