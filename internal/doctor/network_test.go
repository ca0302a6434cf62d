package doctor_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/doctor"
	"kabar/internal/egress"
	"kabar/internal/relayserver"
)

// certificate makes one, self-signed unless issuer is another name.
func certificate(t *testing.T, issuer string, from, until time.Time, hosts ...string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	own := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "own"}, NotBefore: from, NotAfter: until, DNSNames: hosts}
	der, err := x509.CreateCertificate(rand.Reader, own, &x509.Certificate{Subject: pkix.Name{CommonName: issuer}}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

func TestCertificate(t *testing.T) {
	now := time.Date(2026, 7, 10, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		issuer      string
		from, until time.Duration
		hosts       []string
		level       doctor.Level
		detail, fix string
	}{
		"good":            {"ca", -day, 90 * day, []string{"api.example"}, doctor.OK, "for api.example, other.example, good for 90 days", ""},
		"ends":            {"ca", -day, 13 * day, nil, doctor.Warn, "ends in 13 days", "in the place of the old one"},
		"has ended":       {"ca", -9 * day, -day, nil, doctor.Fail, "ended on 2026-07-09", "in the place"},
		"has not begun":   {"ca", day, 9 * day, nil, doctor.Fail, "begins on 2026-07-11", "date"},
		"for another":     {"ca", -day, 90 * day, []string{"api.example", "wrong.example"}, doctor.Fail, "not for wrong.example", "--host wrong.example"},
		"ours":            {"own", -day, 90 * day, nil, doctor.OK, "good for 90 days", ""},
		"ours, with host": {"own", -day, 90 * day, []string{"api.example"}, doctor.Warn, "fingerprint", "--tls-cert"},
		"ours ends":       {"own", -day, 6 * day, nil, doctor.Warn, "ends in 6 days", "restart"},
	} {
		leaf := certificate(t, c.issuer, now.Add(c.from), now.Add(c.until), "api.example", "other.example")
		get := func(context.Context) (*x509.Certificate, error) { return leaf, nil }
		want(t, name, run(t, doctor.Certificate(get, c.hosts, now)), c.level, c.detail, c.fix)
	}
	none := func(context.Context) (*x509.Certificate, error) { return nil, errors.New("connection refused") }
	want(t, "none", run(t, doctor.Certificate(none, nil, now)), doctor.Fail, "refused", "--addr")
}

func TestPresented(t *testing.T) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{"127.0.0.1:" + port, "0.0.0.0:" + port, ":" + port} {
		leaf, err := doctor.Presented(addr, "")(t.Context())
		if err != nil || !leaf.Equal(s.Certificate()) {
			t.Errorf("%s: %v", addr, err)
		}
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	if _, err := doctor.Presented(plain.Listener.Addr().String(), "")(t.Context()); err == nil {
		t.Error("a server without TLS presents a certificate")
	}
}

func TestRelay(t *testing.T) {
	relay, err := relayserver.Open(t.Context(), relayserver.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = relay.Close() })
	real, other := httptest.NewServer(relay.Handler()), httptest.NewServer(http.NotFoundHandler())
	secure := httptest.NewTLSServer(relay.Handler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(func() { real.Close(); other.Close(); secure.Close() })
	ws := func(s *httptest.Server) string { return strings.Replace(s.URL, "http", "ws", 1) }
	for name, c := range map[string]struct {
		url         string
		client      *http.Client
		level       doctor.Level
		detail, fix string
	}{
		"not given":   {"", nil, doctor.Skip, "--relay", ""},
		"answers":     {ws(real), nil, doctor.OK, "kabar-relay/1", ""},
		"over TLS":    {ws(secure), secure.Client(), doctor.OK, "kabar-relay/1", ""},
		"not trusted": {ws(secure), nil, doctor.Fail, "unknown authority", "openssl s_client"},
		"no TLS":      {strings.Replace(ws(real), "ws:", "wss:", 1), nil, doctor.Fail, "HTTP response to HTTPS client", ""},
		"no relay":    {ws(other), nil, doctor.Fail, "404", "livez"},
		"nobody":      {"ws://127.0.0.1:1", nil, doctor.Fail, "refused", "kabar relay"},
		"no name":     {"wss://nothing.invalid", &http.Client{Transport: nameless{}}, doctor.Fail, "nothing.invalid", "getent hosts nothing.invalid"},
		"no URL":      {"https://x", nil, doctor.Fail, "want ws://", ""},
		"secret":      {"ws://user:pw@127.0.0.1:1/path?pw", nil, doctor.Fail, "127.0.0.1:1", ""},
	} {
		r := run(t, doctor.Relay(c.url, c.client))
		if want(t, name, r, c.level, c.detail, c.fix); strings.Contains(r.Detail+r.Fix, "pw") {
			t.Errorf("%s: %+v shows the password", name, r)
		}
	}
	for name, url := range map[string]string{"real": ws(real), "any server": ws(other)} {
		before := time.Now().Truncate(time.Second) // as a header has it
		at, err := doctor.RelayTime(url, http.DefaultClient)(t.Context())
		after := time.Now().Truncate(time.Second).Add(time.Second) // what is returned lies in the middle of the header's second
		if err != nil || at.Before(before) || at.After(after) {
			t.Errorf("%s: %s, %v; want a time between %s and %s", name, at, err, before, after)
		}
	}
	for _, url := range []string{"", "ws://127.0.0.1:1", "::"} {
		if at, err := doctor.RelayTime(url, http.DefaultClient)(t.Context()); err == nil {
			t.Errorf("%q has the time: %s", url, at)
		}
	}
}

// nameless is a network without names.
type nameless struct{}

func (nameless) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, &net.DNSError{Err: "no such host", Name: r.URL.Hostname(), IsNotFound: true}
}

func (n nameless) Do(r *http.Request, _ int64) (*http.Response, error) { return n.RoundTrip(r) }

func TestWebhook(t *testing.T) {
	var asked []string
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method)
		w.WriteHeader(http.StatusMethodNotAllowed)
	}))
	defer app.Close()
	open := egress.New(egress.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	for name, c := range map[string]struct {
		e           doctor.Endpoint
		out         doctor.Doer
		level       doctor.Level
		detail, fix string
	}{
		"no URL":         {doctor.Endpoint{}, open, doctor.Skip, "no URL", ""},
		"no URL, behind": {doctor.Endpoint{Pending: 3}, open, doctor.Warn, "3 events wait", "PATCH /v1/settings/application"},
		"answers":        {doctor.Endpoint{URL: app.URL + "/secret", Pending: 2}, open, doctor.OK, "can be reached; 2 events wait", ""},
		"not known":      {doctor.Endpoint{URL: app.URL, Pending: -1}, open, doctor.OK, "can be reached", ""},
		"refuses events": {doctor.Endpoint{URL: app.URL, Pending: 2, Last: "answered 500"}, open, doctor.Warn, "answered 500", "application's log"},
		"had trouble":    {doctor.Endpoint{URL: app.URL, Last: "answered 500"}, open, doctor.OK, "0 events", ""},
		"not allowed":    {doctor.Endpoint{URL: app.URL + "/secret"}, egress.New(egress.Policy{}), doctor.Fail, "127.0.0.1", "--egress-allow"},
		"nobody":         {doctor.Endpoint{URL: "http://127.0.0.1:1/secret?secret"}, open, doctor.Fail, "refused", "curl -sSI http://127.0.0.1:1/;"},
		"no name":        {doctor.Endpoint{URL: "https://nothing.invalid/secret"}, nameless{}, doctor.Fail, "nothing.invalid", "getent hosts"},
		"suspended": {doctor.Endpoint{URL: app.URL, Pending: 2, ID: "ep_x", State: kabar.EndpointSuspended, Reason: "it is gone"}, open, doctor.Fail,
			"it is gone; 2 events wait", "PATCH /kabar/v1/endpoints/ep_x"},
		"paused":       {doctor.Endpoint{URL: app.URL, State: kabar.EndpointPaused}, open, doctor.Skip, "paused", ""},
		"a queue":      {doctor.Endpoint{URL: "nats://broker/secret", Pending: -1}, open, doctor.Skip, "no HTTP", ""},
		"a full queue": {doctor.Endpoint{URL: "nats://broker/secret", Last: "the stream is full"}, open, doctor.Warn, "the stream is full", "broker"},
		"nonsense":     {doctor.Endpoint{URL: "http://[::secret"}, open, doctor.Fail, "URL is none", "PATCH"},
	} {
		r := run(t, doctor.Webhook(c.e, c.out))
		if want(t, name, r, c.level, c.detail, c.fix); strings.Contains(r.Detail+r.Fix, "secret") {
			t.Errorf("%s: %+v shows the path", name, r)
		}
	}
	if got := strings.Join(asked, " "); got != "HEAD HEAD HEAD HEAD" {
		t.Errorf("the application was asked %s", got)
	}
}
