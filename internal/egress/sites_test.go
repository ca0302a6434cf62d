package egress_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"kabar/internal/doctor"
	"kabar/internal/egress"
	"kabar/internal/flowdata"
	"kabar/internal/preview"
)

// site is a place at which the product goes to a URL that somebody gave it.
type site struct {
	name string
	try  func(ctx context.Context, c *egress.Client, url string) error // as the product does it; nil when somebody was reached
	// text says that the site looks at the text of the URL alone, so that a name may pass.
	text bool
	// silent says that whoever asks is not told why there is no answer.
	silent bool
}

// sites are all of them. Where a package can be called without a store, it is; of the others the request is made as they make it.
func sites() []site {
	return []site{
		{name: "URL to be stored", text: true, try: func(_ context.Context, c *egress.Client, url string) error { return c.CheckURL(url) }},
		{name: "webhook", try: func(ctx context.Context, c *egress.Client, url string) error {
			return send(ctx, c.Do, http.MethodPost, url, http.Header{"Webhook-Id": {"evt_1"}, "User-Agent": {"Kabar/1"}, "Idempotency-Key": nil})
		}},
		{name: "test of an endpoint", try: func(ctx context.Context, c *egress.Client, url string) error {
			return send(ctx, c.Do, http.MethodPost, url, http.Header{"Webhook-Id": {"evt_1"}, "User-Agent": {"Kabar/1"}, "Kabar-Test": {"true"}})
		}},
		{name: "second URL of an endpoint", try: func(ctx context.Context, c *egress.Client, url string) error {
			return send(ctx, c.Do, http.MethodPost, url, http.Header{"Webhook-Id": {"evt_1"}, "User-Agent": {"Kabar/1"}})
		}},
		{name: "doctor", try: probe},
		{name: "challenge", try: challenge},
		{name: "media link", try: func(ctx context.Context, c *egress.Client, url string) error {
			return send(ctx, c.Fetch, http.MethodGet, url, nil)
		}},
		{name: "media link with credentials", try: func(ctx context.Context, c *egress.Client, url string) error {
			return send(ctx, c.Fetch, http.MethodGet, url, http.Header{"Authorization": {"Bearer x"}})
		}},
		{name: "preview", silent: true, try: func(ctx context.Context, c *egress.Client, url string) error {
			if preview.New(c, "Kabar/1").Find(ctx, url) == nil {
				return errors.New("no preview")
			}
			return nil
		}},
		{name: "flow endpoint", try: func(ctx context.Context, c *egress.Client, url string) error {
			e := flowdata.Endpoint{Web: c, URL: url, Key: flowKey(), Secret: "s"}
			return e.Ping(ctx)
		}},
		{name: "sink without HTTP", try: dial},
	}
}

// flowKey is made once: that takes longer than all the rest.
var flowKey = sync.OnceValue(func() *rsa.PublicKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return &key.PublicKey
})

// send makes a request. A URL of which none can be made leads nowhere.
func send(ctx context.Context, by func(*http.Request, int64) (*http.Response, error), method, url string, header http.Header) error {
	body := ""
	if method == http.MethodPost {
		body = "{}"
	}
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return &egress.Refused{Reason: err.Error()}
	}
	if header != nil {
		req.Header = header
	}
	res, err := by(req, 1<<20)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// probe asks the doctor, who says in words what he was told.
func probe(ctx context.Context, c *egress.Client, url string) error {
	told := &teller{c: c}
	_ = doctor.Webhook(doctor.Endpoint{URL: url, Pending: -1}, told).Run(ctx)
	if !told.asked {
		return &egress.Refused{Reason: "no request can be made"}
	}
	return told.err
}

// teller remembers what a client answered.
type teller struct {
	c     *egress.Client
	asked bool
	err   error
}

func (t *teller) Do(req *http.Request, maxBytes int64) (*http.Response, error) {
	t.asked = true
	res, err := t.c.Do(req, maxBytes)
	t.err = err
	return res, err
}

// challenge adds the question to the URL, which takes it apart and puts it together again.
func challenge(ctx context.Context, c *egress.Client, raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return &egress.Refused{Reason: "no URL"}
	}
	q := u.Query()
	q.Set("hub.challenge", "1158201444")
	u.RawQuery = q.Encode()
	return send(ctx, c.Do, http.MethodGet, u.String(), nil)
}

// dial goes to the host and the port of a URL, whatever scheme it has.
func dial(ctx context.Context, c *egress.Client, raw string) error {
	_, rest, _ := strings.Cut(raw, "//")
	host, _, _ := strings.Cut(rest, "/")
	if colon := strings.LastIndexByte(host, ':'); colon <= strings.LastIndexByte(host, ']') {
		host += ":4222"
	}
	conn, err := c.DialContext(ctx, "tcp", host)
	if err != nil {
		return err
	}
	return conn.Close()
}

// goers are the packages that go to URLs of others: who hands the client on, and for the rest the site that stands for it above.
var goers = map[string]string{
	"cmd/kabar":         "", // makes the client
	"internal/trust":    "", // gives a number's client its authorities
	"internal/metrics":  "", // counts what passes
	"internal/webhook":  "webhook",
	"internal/doctor":   "doctor",
	"internal/graph":    "challenge",
	"internal/engine":   "media link",
	"internal/preview":  "preview",
	"internal/flowdata": "flow endpoint",
}

// A package that goes out has a site in the table: one that imports this package, or says what it wants of a client.
func TestEveryPackageThatGoesOutIsTried(t *testing.T) {
	found := map[string]bool{}
	for _, top := range []string{"cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join("../..", top), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			if dir := filepath.ToSlash(filepath.Dir(name))[len("../../"):]; goesOut(file) && dir != "internal/egress" {
				found[dir] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for dir := range found {
		if _, ok := goers[dir]; !ok {
			t.Errorf("%s goes to URLs of others: say in goers which site it is, and add one that does as it does", dir)
		}
	}
	for dir, name := range goers {
		if !found[dir] {
			t.Errorf("%s does not go out any more: so its row is gone, too; those that do: %v", dir, slices.Sorted(maps.Keys(found)))
		}
		if name != "" && !slices.ContainsFunc(sites(), func(s site) bool { return s.name == name }) {
			t.Errorf("%s: there is no site %q", dir, name)
		}
	}
}

// goesOut tells of a file that imports this package, or declares a method as Client has it: Do, or Fetch, with a request and a limit.
func goesOut(file *ast.File) bool {
	for _, i := range file.Imports {
		if i.Path.Value == `"kabar/internal/egress"` {
			return true
		}
	}
	for n := range ast.Preorder(file) {
		of, ok := n.(*ast.InterfaceType)
		if !ok {
			continue
		}
		for _, m := range of.Methods.List {
			call, ok := m.Type.(*ast.FuncType)
			if ok && len(m.Names) == 1 && (m.Names[0].Name == "Do" || m.Names[0].Name == "Fetch" || m.Names[0].Name == "DialContext") && takesRequest(call) {
				return true
			}
		}
	}
	return false
}

// takesRequest tells of a function whose arguments are those of Client's methods.
func takesRequest(f *ast.FuncType) bool {
	for _, p := range f.Params.List {
		switch kind := p.Type.(type) {
		case *ast.StarExpr:
			if sel, ok := kind.X.(*ast.SelectorExpr); ok && sel.Sel.Name == "Request" {
				return true
			}
		case *ast.SelectorExpr:
			if len(f.Params.List) > 1 && kind.Sel.Name == "Context" { // DialContext
				return true
			}
		}
	}
	return false
}
