package certs

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func (p pair) bundle() []byte { return append(bytes.Clone(p.key), p.chain()...) }

func TestUploadedIsInUseAtOnce(t *testing.T) {
	a, now := newAuthority(t), time.Now()
	c := mustOpen(t, Options{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	address := listen(t, c)
	self := shake(t, address, &tls.Config{ServerName: "localhost"}).PeerCertificates[0]
	if roots := x509.NewCertPool(); !roots.AppendCertsFromPEM(c.CA()) || verify(shake(t, address, &tls.Config{}), roots, "localhost") != nil {
		t.Error("who trusts what CA says does not trust the self-signed certificate")
	}
	p := issue(t, a, now.Add(-time.Hour), now.Add(day), "kabar.example")
	u, err := ParseUploaded(p.bundle(), now)
	if err != nil {
		t.Fatal(err)
	}
	c.Use(u)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(c.CA()) || verify(shake(t, address, &tls.Config{}), roots, "kabar.example") != nil {
		t.Error("the uploaded certificate is not in use")
	}
	if info := c.Info(); info.Source != UploadedSource || len(info.Names) != 1 || info.Names[0] != "kabar.example" || !c.Trusted() {
		t.Errorf("%+v", info)
	}
	c.Use(nil)
	if got := shake(t, address, &tls.Config{}).PeerCertificates[0]; !got.Equal(self) || c.Info().Source != SelfSignedSource {
		t.Errorf("without it the server shows %s", got.Subject)
	}
}

func TestUploadedRefused(t *testing.T) {
	a, other, now := newAuthority(t), newAuthority(t), time.Now()
	good, second := issue(t, a, now.Add(-time.Hour), now.Add(day), "a.example"), issue(t, other, now.Add(-time.Hour), now.Add(day), "b.example")
	old := issue(t, a, now.Add(-2*day), now.Add(-day), "a.example")
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	locked := bytes.ReplaceAll(good.key, []byte("PRIVATE KEY"), []byte("ENCRYPTED PRIVATE KEY"))
	for name, c := range map[string]struct {
		text []byte
		want string
	}{
		"nothing":              {nil, "not PEM"},
		"text":                 {[]byte("hello"), "not PEM"},
		"certificate first":    {join(good.cert, good.key, good.issuer), "the private key comes first"},
		"a passphrase":         {join(locked, good.cert, good.issuer), "passphrase"},
		"only a key":           {good.key, "no certificate"},
		"no intermediate":      {join(good.key, good.cert), "at least one intermediate"},
		"another's key":        {join(second.key, good.cert, good.issuer), "do not belong together"},
		"issuer first":         {join(good.key, good.issuer, good.cert), "do not belong together"},
		"another's issuer":     {join(good.key, good.cert, second.issuer), "not signed by certificate 2"},
		"no authority":         {join(good.key, good.cert, second.cert), "no authority's"},
		"expired":              {join(old.key, old.cert, old.issuer), "is valid from"},
		"two keys":             {join(good.key, good.cert, good.key), "should"},
		"text behind":          {join(good.bundle(), []byte("hello")), "not PEM"},
		"eleven":               {join(good.key, good.cert, bytes.Repeat(good.issuer, 10)), "more than 10"},
		"damaged":              {join(good.key, []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")), "damaged"},
		"good, and a new line": {join(good.bundle(), []byte("\n")), ""},
	} {
		_, err := ParseUploaded(c.text, now)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
