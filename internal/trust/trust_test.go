package trust

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"kabar"
	"kabar/internal/certs"
	"kabar/internal/egress"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

// env is a store with two numbers.
type env struct {
	t       *testing.T
	options store.Options
	db      *store.DB
	numbers []*kabar.Number
}

func newEnv(t *testing.T) *env {
	e := &env{t: t, options: store.Options{Path: filepath.Join(t.TempDir(), "kabar.db"), Master: secrets.NewKey()}}
	e.open()
	t.Cleanup(func() { _ = e.db.Close() })
	for _, digits := range []string{"628111000111", "628111000222"} {
		n := &kabar.Number{Account: 1, Digits: digits}
		if err := e.db.Write(t.Context(), nil, func(tx *store.Tx) error { return tx.AddNumber(n, kabar.Settings{}, time.Now()) }); err != nil {
			t.Fatal(err)
		}
		e.numbers = append(e.numbers, n)
	}
	return e
}

func (e *env) open() {
	e.t.Helper()
	var err error
	if e.db, err = store.Open(e.t.Context(), e.options); err != nil {
		e.t.Fatal(err)
	}
}

func (e *env) keeper(now func() time.Time) (*Keeper, error) {
	e.t.Helper()
	c, err := certs.Open(certs.Options{Dir: e.t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		e.t.Fatal(err)
	}
	policy := egress.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	return New(e.t.Context(), Options{Store: e.db, Certs: c, Egress: egress.New(policy), Now: now}, e.numbers)
}

// call reports whether a number's webhooks reach a URL.
func (e *env) call(k *Keeper, n *kabar.Number, url string) error {
	req, err := http.NewRequestWithContext(e.t.Context(), http.MethodPost, url, nil)
	if err != nil {
		e.t.Fatal(err)
	}
	res, err := k.Client(n.ID).Do(req, 1<<10)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return errors.Join(err, res.Body.Close())
}

func TestWebhookAuthoritiesAreTheNumbers(t *testing.T) {
	e := newEnv(t)
	hook := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	hook.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	hook.StartTLS()
	defer hook.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: hook.Certificate().Raw})
	k, err := e.keeper(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	a, b := e.numbers[0], e.numbers[1]
	reached := func(when string, n *kabar.Number, want bool) {
		t.Helper()
		err := e.call(k, n, hook.URL)
		var unknown x509.UnknownAuthorityError
		if want && err != nil || !want && !errors.As(err, &unknown) {
			t.Errorf("%s, %s: %v", when, n.Digits, err)
		}
	}
	reached("before", a, false)
	if err := k.SetWebhookCA(t.Context(), a.ID, ca); err != nil {
		t.Fatal(err)
	}
	reached("with the authority", a, true)
	reached("the other number", b, false)
	if err := e.db.Close(); err != nil {
		t.Fatal(err)
	}
	e.open()
	if k, err = e.keeper(time.Now); err != nil {
		t.Fatal(err)
	}
	reached("after a restart", a, true)
	if got, err := k.WebhookCA(t.Context(), a.ID); string(got) != string(ca) || err != nil {
		t.Errorf("the authority reads %d bytes, %v", len(got), err)
	}
	if err := k.RemoveWebhookCA(t.Context(), a.ID); err != nil {
		t.Fatal(err)
	}
	reached("removed", a, false)
	var refused *kabar.Error
	if _, err := k.WebhookCA(t.Context(), a.ID); !errors.As(err, &refused) || refused.Reason != kabar.ReasonNotFound {
		t.Errorf("after its removal: %v", err)
	}
	if err := k.SetWebhookCA(t.Context(), a.ID, []byte("hello")); !errors.As(err, &refused) || refused.Reason != kabar.ReasonInvalid {
		t.Errorf("what is no certificate: %v", err)
	}
}

// TestRulesHoldForUploadedAuthorities: a certificate that is trusted opens no forbidden network.
func TestRulesHoldForUploadedAuthorities(t *testing.T) {
	e := newEnv(t)
	hook := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the webhook was reached") }))
	defer hook.Close()
	k, err := e.keeper(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.SetWebhookCA(t.Context(), e.numbers[0].ID, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: hook.Certificate().Raw})); err != nil {
		t.Fatal(err)
	}
	k.o.Egress.SetRules(egress.Policy{}) // loopback is no longer allowed
	k.CloseIdleConnections()
	var refused *egress.Refused
	if err := e.call(k, e.numbers[0], hook.URL); !errors.As(err, &refused) {
		t.Errorf("a forbidden address: %v", err)
	}
}

func TestTheServersCertificateOutlivesARestart(t *testing.T) {
	e := newEnv(t)
	bundle := newChain(t)
	k, err := e.keeper(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.SetExternal(t.Context(), bundle); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"at once", "after a restart"} {
		shown, err := k.o.Certs.TLS().GetCertificate(&tls.ClientHelloInfo{})
		if err != nil || shown.Leaf.Subject.CommonName != "api.example" || len(k.ExternalCA()) == 0 {
			t.Errorf("%s the server shows %v, %v", when, shown.Leaf.Subject, err)
		}
		if k, err = e.keeper(time.Now); err != nil {
			t.Fatal(err)
		}
	}
	k, err = e.keeper(func() time.Time { return time.Now().Add(48 * time.Hour) })
	if k == nil || err == nil || k.o.Certs.Info().Source != certs.SelfSignedSource {
		t.Errorf("one that has expired: %v", err)
	}
	var refused *kabar.Error
	if err := k.SetExternal(context.Background(), bundle); !errors.As(err, &refused) || refused.Reason != kabar.ReasonInvalid {
		t.Errorf("one that has expired is taken again: %v", err)
	}
}
