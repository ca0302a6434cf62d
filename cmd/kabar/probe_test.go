package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"image"
	"image/png"
	"log/slog"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/certs"
	"kabar/internal/control"
	"kabar/internal/manage"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

// probes is how many requests ask with one account's credentials for what is another's.
const probes = 1000

// TestProbes asks for what account A has with everything that account B may send, in path, query, body and header: no answer
// has an id, a name or a byte of A that was not in the request, and nothing of A changes.
func TestProbes(t *testing.T) {
	s := newProbed(t)
	a := s.tenant(t, "628111000300", "Aksara")
	b := s.tenant(t, "628111000400", "Batik")
	a.fill(t, s)
	b.fill(t, s)
	if err := s.auth.NoteUses(t.Context()); err != nil { // of A's own keys: nothing to write is left
		t.Fatal(err)
	}
	before := s.rowsOf(t, a.number)
	if len(before) < 10 {
		t.Fatalf("account A has rows in %d tables only", len(before))
	}
	for seed := range uint64(probes) {
		p := newProbe(seed, a, b)
		w := p.send(s.server)
		if w.Code >= 500 && w.Code != http.StatusServiceUnavailable && w.Code != http.StatusNotImplemented {
			t.Errorf("probe %d: %s: %d %s", seed, p, w.Code, w.Body)
		}
		for _, canary := range a.canaries {
			if bytes.Contains(w.Body.Bytes(), []byte(canary)) && !strings.Contains(p.text(), canary) {
				t.Errorf("probe %d: %s: %d, and the answer has %q of the other account:\n%.600s", seed, p, w.Code, canary, w.Body)
			}
		}
	}
	for table, sum := range s.rowsOf(t, a.number) {
		if before[table] != sum {
			t.Errorf("rows of account A have changed in %s", table)
		}
		delete(before, table)
	}
	for table := range before {
		t.Errorf("rows of account A are gone from %s", table)
	}
	// The probes reach something: the same request with A's own key is answered.
	if w := s.ask(http.MethodGet, "/kabar/v1/messages/"+a.ids["message"], a.owner, ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), a.words("text")) {
		t.Errorf("A's own key: %d %s", w.Code, w.Body)
	}
}

type probed struct {
	*server
	op *control.Client
}

func newProbed(t *testing.T) *probed {
	t.Helper()
	own, err := certs.Open(certs.Options{Dir: filepath.Join(t.TempDir(), "tls")})
	if err != nil {
		t.Fatal(err)
	}
	s, err := openServer(t.Context(), serverOptions{dir: t.TempDir(), open: store.Open, log: slog.New(slog.DiscardHandler), monitorKey: "watch-me-well", certs: own,
		store: store.Options{Path: filepath.Join(t.TempDir(), "kabar.db"), Master: secrets.NewKey()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &probed{s, control.Local(s.operations())}
}

// tenant is an account with a number, credentials of every kind, and what it has stored.
type tenant struct {
	name, owner, numberOwner, token string
	cookie                          string
	number                          *kabar.Number
	ids                             map[string]string // by what they are of
	canaries                        []string          // what nobody else may see
}

func (s *probed) tenant(t *testing.T, digits, name string) *tenant {
	t.Helper()
	var added addedNumber
	if err := s.op.Call(t.Context(), "number.add", addNumber{Digits: digits, Name: name}, &added, nil); err != nil {
		t.Fatal(err)
	}
	all, err := s.db.Numbers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	x := &tenant{name: name, number: all[len(all)-1], ids: map[string]string{}}
	grant := func(n kabar.NumberID) string {
		key := auth.NewKey()
		if err := s.auth.AddKey(t.Context(), key, auth.Grant{Account: x.number.Account, Number: n, Role: "owner", Label: x.words("label")}); err != nil {
			t.Fatal(err)
		}
		x.keep("key", auth.KeyID(key))
		return key
	}
	x.owner, x.numberOwner = grant(0), grant(x.number.ID)
	token, err := s.auth.Issue(t.Context(), added.User)
	if err != nil {
		t.Fatal(err)
	}
	x.token = token.Token
	role, err := auth.RoleNamed("owner")
	if err != nil {
		t.Fatal(err)
	}
	w := s.ask(http.MethodGet, s.console.NewLink(time.Now(), auth.Who{Account: x.number.Account, Scopes: role.Scopes}), "", "")
	x.cookie, _, _ = strings.Cut(w.Header().Get("Set-Cookie"), ";")
	x.keep("user", added.User)
	x.keep("digits", digits)
	x.keep("account", manage.AccountID(s.db, x.number.Account))
	x.keep("phone", strconv.FormatUint(s.db.Node(int64(x.number.ID)), 10))
	return x
}

// words are a text that stands nowhere else.
func (x *tenant) words(of string) string {
	sum := sha256.Sum256([]byte(x.name + of))
	return of + hex.EncodeToString(sum[:6])
}

// keep remembers an id of the tenant; a short one could stand in anything, so it is no canary.
func (x *tenant) keep(of, id string) {
	x.ids[of] = id
	if len(id) >= 8 {
		x.canaries = append(x.canaries, id)
	}
}

var idIn = regexp.MustCompile(`"(?:id|code|h)":\s*"([^"]+)"`)

// fill has the tenant store something of everything.
func (x *tenant) fill(t *testing.T, s *probed) {
	t.Helper()
	ask := func(of, method, path, key, body string) {
		t.Helper()
		w := s.ask(method, path, key, body)
		if w.Code >= 300 {
			t.Fatalf("%s of %s: %s %s: %d %s", of, x.name, method, path, w.Code, w.Body)
		}
		if m := idIn.FindStringSubmatch(w.Body.String()); m != nil {
			x.keep(of, m[1])
		}
	}
	for _, of := range []string{"text", "template", "about", "code", "label", "flow", "hook", "member", "footer"} {
		x.canaries = append(x.canaries, x.words(of))
	}
	ask("message", "POST", "/v1/messages", x.numberOwner, `{"to":"34600111222","type":"text","text":{"body":"`+x.words("text")+`"}}`)
	ask("settings", "PATCH", "/v1/settings/application", x.numberOwner, `{"webhooks":{"url":"https://8.8.8.8/`+x.words("hook")+`"}}`)
	ask("member", "POST", "/v1/users", x.numberOwner, `{"username":"`+x.words("member")+`","password":"Secret-12x"}`)
	x.ids["member"] = x.words("member")
	ask("template", "POST", "/"+x.ids["account"]+"/message_templates", x.owner, `{"name":"`+x.words("template")+`","language":"en","category":"UTILITY","components":[{"type":"BODY","text":"Your order is ready. `+x.words("footer")+`"}]}`)
	ask("flow", "POST", "/"+x.ids["account"]+"/flows", x.owner, `{"name":"`+x.words("flow")+`","categories":["OTHER"]}`)
	ask("code", "POST", "/"+x.ids["phone"]+"/message_qrdls", x.owner, `{"prefilled_message":"`+x.words("code")+`","generate_qr_image":"PNG"}`)
	ask("profile", "POST", "/"+x.ids["phone"]+"/whatsapp_business_profile", x.owner, `{"messaging_product":"whatsapp","about":"`+x.words("about")+`"}`)
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	_ = m.WriteField("messaging_product", "whatsapp")
	part, err := m.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="a.png"`}, "Content-Type": {"image/png"}})
	if err != nil {
		t.Fatal(err)
	}
	picture := image.NewGray(image.Rect(0, 0, 8, 8))
	copy(picture.Pix, x.words("pixels"))
	if err := png.Encode(part, picture); err != nil || m.Close() != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/"+x.ids["phone"]+"/media", &form)
	r.Host = "localhost"
	r.Header.Set("Authorization", "Bearer "+x.owner)
	r.Header.Set("Content-Type", m.FormDataContentType())
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	if found := idIn.FindStringSubmatch(w.Body.String()); w.Code != http.StatusOK || found == nil {
		t.Fatalf("media: %d %s", w.Code, w.Body)
	} else {
		x.keep("media", found[1])
	}
}

// rowsOf returns a hash of the account's rows in each table that has some.
func (s *probed) rowsOf(t *testing.T, n *kabar.Number) map[string]string {
	t.Helper()
	snap, err := s.db.Snapshot(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = snap.Close() }()
	sums := map[string]string{}
	for _, table := range snap.Tables {
		var sum hash.Hash
		err := snap.Rows(t.Context(), table, func(row []any) error {
			if !belongs(table, row, n) {
				return nil
			}
			if sum == nil {
				sum = sha256.New()
			}
			_, err := fmt.Fprintf(sum, "%v\n", row)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if sum != nil {
			sums[table.Name] = hex.EncodeToString(sum.Sum(nil))
		}
	}
	return sums
}

// belongs reports whether a row is the account's, or its number's.
func belongs(table store.Table, row []any, n *kabar.Number) bool {
	for i, c := range table.Columns {
		switch {
		case c.Name == "account_id", table.Name == "account" && c.Name == "id":
			return row[i] == int64(n.Account)
		case c.Name == "number_id":
			return row[i] == int64(n.ID)
		case table.Name == "counter" && c.Name == "name":
			name, _ := row[i].(string)
			return slices.Contains(strings.FieldsFunc(name, func(r rune) bool { return r < '0' || r > '9' }), strconv.FormatInt(int64(n.ID), 10))
		}
	}
	return false
}

// probe is a request of B's with ids of A's.
type probe struct {
	method, path, body string
	header             http.Header
	as                 string
}

func (p *probe) String() string { return p.as + ": " + p.method + " " + p.path + " " + p.body }

// text is all that the request says.
func (p *probe) text() string { return p.String() + fmt.Sprint(p.header) }

func newProbe(seed uint64, a, b *tenant) *probe {
	r := rand.New(rand.NewPCG(seed, 27))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	table := auth.Table(false)
	method, path, _ := strings.Cut(table[r.IntN(len(table))].Pattern, " ")
	p := &probe{method: method, header: http.Header{}}
	var kinds []string
	for of := range a.ids {
		kinds = append(kinds, of)
	}
	slices.Sort(kinds)
	theirs := func() string { return a.ids[kinds[r.IntN(len(kinds))]] }
	mixed := func() string {
		if r.IntN(3) == 0 {
			return b.ids[kinds[r.IntN(len(kinds))]]
		}
		return theirs()
	}
	ids, ways := fitting(path)
	p.path = regexp.MustCompile(`\{[^}]*\}`).ReplaceAllStringFunc(strings.TrimSuffix(path, "{$}"), func(string) string {
		if r.IntN(4) == 0 {
			return mixed()
		}
		return a.ids[pick(ids...)]
	})
	p.path = strings.Replace(p.path, "/graph/", pick("/", "/v23.0/"), 1)
	if p.as = pick("owner", "number", "token", "session", "query"); r.IntN(4) > 0 {
		p.as = pick(ways...)
	}
	switch p.as {
	case "owner":
		p.header.Set("Authorization", "Bearer "+b.owner)
	case "number":
		p.header.Set("D360-API-KEY", b.numberOwner)
	case "token":
		p.header.Set("Authorization", "Bearer "+b.token)
	case "session":
		p.header.Set("Cookie", b.cookie)
	}
	var query []string
	if p.as == "query" {
		query = append(query, "access_token="+b.owner)
	}
	for range r.IntN(3) {
		name := pick("account", "number", "id", "ids", "waba_id", "wa_id", "phone_number_id", "name", "hsm_id", "template_ids", "flow_id", "user", "code",
			"fields", "input_token", "after", "account_id")
		query = append(query, name+"="+theirs())
	}
	if len(query) > 0 {
		p.path += "?" + strings.Join(query, "&")
	}
	if r.IntN(3) == 0 {
		p.header.Set(pick("X-Account", "X-Account-Id", "X-Number", "X-Forwarded-User", "X-WA-Account-Id", "X-Original-URL"), theirs())
	}
	if method != http.MethodGet {
		p.body = probeBody(r, a, theirs)
		p.header.Set("Content-Type", "application/json")
	}
	return p
}

// fitting says which ids a path takes, and with which credentials: most probes are right in all but whose they are.
func fitting(path string) (ids, ways []string) {
	for _, f := range []struct{ prefix, ids, ways string }{
		{"/graph/", "waba phone template flow media code", "owner query"},
		{"/console/", "template", "session"},
		{"/kabar/v1/messages", "message", "owner number"},
		{"/kabar/v1/templates", "template", "owner"},
		{"/kabar/v1/keys", "key", "owner"},
		{"/v1/messages", "message", "number token"},
		{"/v1/media", "media", "number token"},
		{"/v1/users", "user member", "number token"},
		{"/", "digits account", "number token"},
	} {
		if strings.HasPrefix(path, f.prefix) {
			return strings.Fields(f.ids), strings.Fields(f.ways)
		}
	}
	return nil, nil
}

// probeBody makes a body that names something of A's.
func probeBody(r *rand.Rand, a *tenant, theirs func() string) string {
	all := []any{
		map[string]any{"messaging_product": "whatsapp", "to": "34600111222", "type": "image", "image": map[string]any{"id": a.ids["media"]}},
		map[string]any{"to": "34600111222", "type": "image", "image": map[string]any{"id": a.ids["media"]}},
		map[string]any{"messaging_product": "whatsapp", "to": "34600111222", "type": "text", "context": map[string]any{"message_id": a.ids["message"]}, "text": map[string]any{"body": "hi"}},
		map[string]any{"messaging_product": "whatsapp", "status": "read", "message_id": a.ids["message"]},
		map[string]any{"status": "read"},
		map[string]any{"messaging_product": "whatsapp", "to": "34600111222", "type": "template", "template": map[string]any{"name": a.words("template"), "language": map[string]any{"code": "en"}}},
		map[string]any{"role": "owner", "account": a.ids["account"]},
		map[string]any{"role": "admin", "number": a.ids["digits"]},
		map[string]any{"username": a.ids["member"], "password": "Secret-12x"},
		map[string]any{"password": "Secret-12x"},
		map[string]any{"decision": "approve"},
		map[string]any{"category": "MARKETING", "components": []any{map[string]any{"type": "BODY", "text": "taken over"}}},
		map[string]any{"name": "taken_over", "clone_flow_id": a.ids["flow"], "categories": []string{"OTHER"}},
		map[string]any{"source_waba_id": a.ids["account"], "source_flow_names": []string{a.words("flow")}},
		map[string]any{"code": a.ids["code"], "prefilled_message": "taken over"},
		map[string]any{"messaging_product": "whatsapp", "about": "taken over"},
		map[string]any{"webhooks": map[string]any{"url": "https://8.8.4.4/over"}},
		map[string]any{"user": theirs(), "tasks": []string{"MANAGE"}},
		map[string]any{"id": theirs(), "account_id": theirs(), "number_id": theirs()},
		map[string]any{"messaging_product": "whatsapp", "block_users": []any{map[string]any{"user": "34600111222"}}},
	}
	text, err := json.Marshal(all[r.IntN(len(all))])
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (p *probe) send(s *server) *httptest.ResponseRecorder {
	r := httptest.NewRequest(p.method, p.path, strings.NewReader(p.body))
	r.Host, r.Header = "localhost", p.header
	if p.method == http.MethodGet && strings.Contains(p.path, "/stream") {
		ctx, cancel := context.WithTimeout(r.Context(), time.Millisecond) // a stream has no end of its own
		defer cancel()
		r = r.WithContext(ctx)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}
