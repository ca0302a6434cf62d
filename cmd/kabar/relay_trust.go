package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
)

// relayTrust says whose certificate a relay may have.
type relayTrust struct {
	RelayCA string `name:"relay-ca" help:"File with certificates (PEM) to trust beside the system's: of a private relay, or of who signed its certificate." type:"path" placeholder:"FILE"`
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

// checkRelay refuses an address that could never be a relay's, and one with a password, which a relay does not ask for.
func checkRelay(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "ws" && u.Scheme != "wss" || u.Host == "" || u.User != nil {
		return &usageError{errors.New("--relay: want wss://HOST:PORT, or ws://HOST:PORT on this machine")}
	}
	return nil
}
