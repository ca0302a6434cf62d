package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
)

// relayTrust says whose certificate a relay may have, or that it may have none.
type relayTrust struct {
	RelayCA         string `name:"relay-ca" help:"File with certificates (PEM) to trust beside the system's: of a private relay, or of who signed its certificate." type:"path" placeholder:"FILE"`
	AllowPlainRelay bool   `help:"Reach a relay on another machine by ws://, in clear text: where the network between them is encrypted itself, or is a host's own between containers."`
}

// httpClient returns a client for connections to the relay; nil, which is the default one, when nothing more is to be
// trusted.
func (f *relayTrust) httpClient() (*http.Client, error) {
	if f.RelayCA == "" {
		return nil, nil //nolint:nilnil // no client is the default client, as in relayclient.Options
	}
	text, err := os.ReadFile(f.RelayCA)
	if err != nil {
		return nil, fmt.Errorf("--relay-ca: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a machine without authorities trusts the file alone
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--relay-ca %s: no certificate in PEM form in it; a relay with its own certificate keeps it in tls/tls.crt of its data folder", f.RelayCA)
	}
	return &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSHandshakeTimeout: relayHandshake,
		IdleConnTimeout: relayIdle, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}, nil
}

// checkRelay refuses an address that could never be a relay's, and one with a password, which a relay does not ask for. It refuses
// clear text to another machine unless that is wanted: whoever listens would see who writes to whom.
func (f *relayTrust) checkRelay(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "ws" && u.Scheme != "wss" || u.Hostname() == "" || u.User != nil {
		return &usageError{errors.New("--relay: want wss://HOST:PORT, or ws://HOST:PORT on this machine")}
	}
	if u.Scheme == "ws" && !f.AllowPlainRelay && !thisMachine(u.Hostname()) {
		return &usageError{fmt.Errorf("--relay %s is clear text to another machine: use wss://, or give --allow-plain-relay when the network between them is encrypted itself", address)}
	}
	return nil
}

// thisMachine reports whether a host can only be this one.
func thisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
