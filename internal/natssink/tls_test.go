package natssink_test

import (
	"crypto/x509"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"kabar/internal/certs"
	"kabar/internal/natssink"
	"kabar/internal/patience"
)

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, _, err := certs.SelfSigned(dir, []string{"127.0.0.1"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	server := start(t, fmt.Sprintf("tls { cert_file: %q, key_file: %q }\n", filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")))
	conn, err := nats.Connect(server.url("", ""), nats.RootCAs(filepath.Join(dir, "tls.crt")))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(patience.Context(t), jetstream.StreamConfig{Name: "EVENTS", Subjects: []string{"kabar.>"}}); err != nil {
		t.Fatal(err)
	}
	for _, scheme := range []string{"tls", "nats"} { // the server wants TLS in any case
		o := natssink.Options{URL: strings.Replace(server.url("", ""), "nats:", scheme+":", 1), Dial: new(net.Dialer).DialContext}
		_, err := natssink.Open(patience.Context(t), o)
		fails(t, err, "certificate")
		o.RootCAs = roots
		s, err := natssink.Open(patience.Context(t), o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.Publish(patience.Context(t), event("evt_"+scheme)); err != nil {
			t.Error(err)
		}
	}
}

// A URL that begins with tls:// sends no password in clear, whatever is at its other end.
func TestNoPasswordWithoutTLS(t *testing.T) {
	server := start(t, "")
	url := strings.Replace(server.url("kabar:geheim", ""), "nats:", "tls:", 1)
	_, err := natssink.Open(patience.Context(t), natssink.Options{URL: url, Dial: new(net.Dialer).DialContext})
	fails(t, err, "does not speak TLS")
}
