package egress

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// headOf is the head that appendHead writes; ok is false for a request that is left to net/http.
func headOf(req *http.Request) (head string, ok bool) {
	p, ok := new(connection).appendHead(nil, req)
	return string(p), ok
}

// written is what net/http writes of the same.
func written(t *testing.T, req *http.Request) string {
	t.Helper()
	var b bytes.Buffer
	if err := req.Write(&b); err != nil {
		t.Fatalf("net/http refuses what is taken for plain: %v", err)
	}
	return b.String()
}

func request(u *url.URL, h http.Header, body string) *http.Request {
	return &http.Request{Method: http.MethodPost, URL: u, Header: h, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body))}
}

// What is plain is written by us, and looks as if net/http had written it. All else is net/http's.
func TestPlainHeads(t *testing.T) {
	agent := func(more ...string) http.Header {
		h := http.Header{"User-Agent": {"Kabar/1"}}
		for i := 0; i < len(more); i += 2 {
			h[more[i]] = append(h[more[i]], more[i+1])
		}
		return h
	}
	for name, test := range map[string]struct {
		url    string
		header http.Header
		change func(*http.Request)
		plain  bool
	}{
		"a webhook":             {url: "https://example.com/hook?a=b%20c", header: agent("Webhook-Id", "evt_1", "Content-Type", "application/json"), plain: true},
		"a port":                {url: "http://127.0.0.1:8080/", header: agent(), plain: true},
		"an address":            {url: "http://[::1]:8080/", header: agent(), plain: true},
		"no path":               {url: "http://example.com", header: agent(), plain: true},
		"a user":                {url: "http://a:b@example.com/", header: agent(), plain: true},
		"two values":            {url: "http://example.com/", header: agent("A", "1", "A", "2"), plain: true},
		"no value":              {url: "http://example.com/", header: agent("A", ""), plain: true},
		"a marked one":          {url: "http://example.com/", header: http.Header{"User-Agent": {"a"}, "Idempotency-Key": nil}, plain: true},
		"no agent":              {url: "http://example.com/", header: http.Header{"User-Agent": {""}}, plain: true},
		"a length of its own":   {url: "http://example.com/", header: agent("Content-Length", "7", "Transfer-Encoding", "chunked"), plain: true},
		"the default agent":     {url: "http://example.com/", header: http.Header{}},
		"a name with umlauts":   {url: "http://bücher.example/", header: agent()},
		"a zone":                {url: "http://[fe80::1%25eth0]/", header: agent()},
		"a new line":            {url: "http://example.com/", header: agent("A", "b\r\nC: d")},
		"a new line in a name":  {url: "http://example.com/", header: agent("A: b\r\nC", "d")},
		"a new line, the agent": {url: "http://example.com/", header: http.Header{"User-Agent": {"a\nb: c"}}},
		"a space around":        {url: "http://example.com/", header: agent("A", " b")},
		"no ASCII":              {url: "http://example.com/", header: agent("A", "ü")},
		"no length":             {url: "http://example.com/", header: agent(), change: func(r *http.Request) { r.ContentLength = -1 }},
		"no body":               {url: "http://example.com/", header: agent(), change: func(r *http.Request) { r.ContentLength, r.Body = 0, nil }},
		"in chunks":             {url: "http://example.com/", header: agent(), change: func(r *http.Request) { r.TransferEncoding = []string{"chunked"} }},
		"a trailer":             {url: "http://example.com/", header: agent(), change: func(r *http.Request) { r.Trailer = http.Header{"A": nil} }},
		"the last":              {url: "http://example.com/", header: agent(), change: func(r *http.Request) { r.Close = true }},
		"another method":        {url: "http://example.com/", header: agent(), change: func(r *http.Request) { r.Method = http.MethodPut }},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := url.Parse(test.url)
			if err != nil {
				t.Fatal(err)
			}
			req := request(u, test.header, "body")
			if test.change != nil {
				test.change(req)
			}
			head, ok := headOf(req)
			if ok != test.plain {
				t.Fatalf("plain: %v\n%s", ok, head)
			}
			if want := written(t, req); ok && head+"body" != want {
				t.Errorf("the head is\n%s\nwant\n%s", head, want)
			}
		})
	}
}

func FuzzPlainHead(f *testing.F) {
	f.Add("https://example.com/hook?a=b", "Webhook-Id", "evt_1", "Kabar/1")
	f.Add("http://[::1]:80/\u00fc", "a b", "c\r\nd: e", "")
	f.Add("http://x", "host", " ", "a ")
	f.Fuzz(func(t *testing.T, address, name, value, agent string) {
		u, err := url.Parse(address)
		if err != nil {
			return
		}
		req := request(u, http.Header{name: {value, "x"}, "User-Agent": {agent}}, "body")
		if head, ok := headOf(req); ok && head+"body" != written(t, req) {
			t.Errorf("the head is\n%q", head)
		}
	})
}

// A body that is not as long as was said is not taken for a request that was made.
func TestBodiesOfAnotherLength(t *testing.T) {
	for body, said := range map[string]int64{"longer": 3, "shorter": 9} {
		url, _ := served(t, func(v *visit) { v.asked(); v.say(fine) })
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, io.NopCloser(strings.NewReader(body)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("User-Agent", "a")
		req.ContentLength = said
		res, err := client(t).Do(req, 1000)
		if err == nil {
			res.Body.Close()
			t.Errorf("%q, said to be of %d bytes, was answered %d", body, said, res.StatusCode)
		} else if !strings.Contains(err.Error(), "the body of the request is "+body+" than") {
			t.Errorf("%q, said to be of %d bytes: %v", body, said, err)
		}
	}
}
