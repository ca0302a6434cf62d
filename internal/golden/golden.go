// Package golden reads and shows golden exchanges, the sections of the dialects' testdata: requests, messages of customers, what
// was answered, and what the server of the tests has. The exchanges are played by each dialect's own tests against its handlers,
// and by those of cmd/kabar against the real program. Only tests import it.
package golden

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"time"
)

// What golden files say of the server under test.
const (
	Host     = "kabar.test"    // the name it is called by
	Ours     = "628111000111"  // its first number
	Theirs   = "628111000222"  // its second
	Password = "Secret-12"     // of every user
	Monitor  = "watch-me-well" // the key of monitoring
)

// Clock is where the clock stands in golden files.
func Clock() time.Time { return time.Date(2031, 5, 2, 10, 15, 0, 0, time.UTC) }

// Request is a request that somebody makes.
type Request struct {
	*http.Request
	Who     string // admin, user, other, key, new or nobody; empty: the request brings its own credentials
	Content []byte // the body, which the Request itself lacks
}

// ParseRequest reads a section "request": "METHOD /path", headers, an empty line, the body. "As:" says who asks, "Body:"
// names a sample that is the body, "File:" one that the Cloud API's form for media holds, as a file of the Content-Type.
func ParseRequest(text string) (*Request, error) {
	head, body, _ := strings.Cut(text, "\n\n")
	line, rest, _ := strings.Cut(head, "\n")
	raw := line + " HTTP/1.1\r\nHost: " + Host + "\r\n"
	if rest = strings.TrimSpace(rest); rest != "" {
		raw += strings.ReplaceAll(rest, "\n", "\r\n") + "\r\n"
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw + "\r\n")))
	if err != nil {
		return nil, err
	}
	q := &Request{Request: r, Content: []byte(strings.TrimSuffix(body, "\n"))}
	if sample := r.Header.Get("Body"); sample != "" {
		if q.Content = Sample(sample); q.Content == nil {
			return nil, fmt.Errorf("there is no sample %q", sample)
		}
	}
	if sample := r.Header.Get("File"); sample != "" {
		if Sample(sample) == nil {
			return nil, fmt.Errorf("there is no sample %q", sample)
		}
		q.Content = form(r.Header.Get("Content-Type"), Sample(sample))
		r.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	}
	if r.Header.Get("Authorization") == "" {
		q.Who = cmp.Or(r.Header.Get("As"), "user")
	}
	r.Header.Del("As")
	r.Header.Del("Body")
	r.Header.Del("File")
	r.Body, r.ContentLength = http.NoBody, int64(len(q.Content))
	return q, nil
}

const boundary = "form-boundary"

// form is the Cloud API's form for media.
func form(mime string, file []byte) []byte {
	const text = "--%[1]s\r\nContent-Disposition: form-data; name=\"messaging_product\"\r\n\r\nwhatsapp\r\n--%[1]s\r\n" +
		"Content-Disposition: form-data; name=\"file\"; filename=\"file\"\r\nContent-Type: %[2]s\r\n\r\n%[3]s\r\n--%[1]s--\r\n"
	return fmt.Appendf(nil, text, boundary, mime, file)
}

// Identify sets the credentials: the key of the first number, or the token of who asks.
func (q *Request) Identify(key string, tokens map[string]string) error {
	switch {
	case q.Who == "" || q.Who == "nobody":
	case q.Who == "key":
		q.Header.Set("D360-API-KEY", key)
	case tokens[q.Who] == "":
		return fmt.Errorf("there is no %q", q.Who)
	default:
		q.Header.Set("Authorization", "Bearer "+tokens[q.Who])
	}
	return nil
}

// Serve has a handler answer the request, as one that came from afar.
func (q *Request) Serve(h http.Handler) *httptest.ResponseRecorder {
	if len(q.Content) > 0 {
		q.Body = io.NopCloser(bytes.NewReader(q.Content))
	}
	q.RemoteAddr = "192.0.2.1:4321"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, q.Request)
	return w
}

var hex32 = regexp.MustCompile(`\b[0-9a-f]{32}\b`)

// CheckHeaders checks what every answer to a request for path has, and [Names.Response] leaves out.
func CheckHeaders(path string, status int, h http.Header) error {
	if status == http.StatusRequestedRangeNotSatisfiable {
		return nil // net/http answers it
	}
	public := strings.HasSuffix(path, "/external/ca") && h.Get("Cache-Control") == "public" // anybody may keep it
	if h.Get("Server") != "Server" || !public && h.Get("Cache-Control") != "no-cache, private" || !hex32.MatchString(h.Get("X-Request-ID")) {
		return fmt.Errorf("headers %v", h)
	}
	if web := strings.HasPrefix(path+"/", "/v1/users/"); web == (h.Get("X-Internal-Request-IDS") != "") {
		return fmt.Errorf("X-Internal-Request-IDS %q", h.Get("X-Internal-Request-IDS"))
	}
	return nil
}

// CheckCloudHeaders checks what every answer of the Cloud API to a request for path has, and [Names.Response] leaves out.
func CheckCloudHeaders(path string, h http.Header) error {
	version := regexp.MustCompile(`^/(v[0-9]+\.[0-9]+)(?:/|$)`).FindStringSubmatch(path)
	if version == nil {
		version = []string{"", "v23.0"}
	}
	if h.Get("Facebook-Api-Version") != version[1] || h.Get("X-Fb-Request-Id") == "" || h.Get("X-Fb-Trace-Id") == "" || h.Get("X-Fb-Debug") == "" {
		return fmt.Errorf("headers %v", h)
	}
	return nil
}

// Response shows an answer: status, headers that not every answer has, body.
func (n *Names) Response(status int, h http.Header, body []byte) string {
	var b bytes.Buffer
	fmt.Fprintln(&b, status)
	for _, k := range slices.Sorted(maps.Keys(h)) {
		v := strings.Join(h[k], " ")
		switch {
		case k == "Server", k == "Cache-Control", k == "X-Request-Id", k == "Content-Type" && strings.HasPrefix(v, "application/json"),
			k == "X-Internal-Request-Ids" && !strings.Contains(v, "|"), k == "Facebook-Api-Version", k == "X-Business-Use-Case-Usage", strings.HasPrefix(k, "X-Fb-"):
			continue
		}
		fmt.Fprintf(&b, "%s: %s\n", k, n.Hide(v))
	}
	b.WriteString(n.Body(body))
	return b.String()
}

// Body shows JSON indented, and of anything else what it begins with.
func (n *Names) Body(b []byte) string {
	var out bytes.Buffer
	if json.Indent(&out, b, "", "  ") == nil {
		return n.Hide(out.String()) + "\n"
	}
	return fmt.Sprintf("%d bytes %.40q\n", len(b), b)
}
