package certs

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/acme"
)

// authority is a small ACME server with a CA of its own: what is needed to issue a certificate for a domain, checked by
// tls-alpn-01 or http-01. Every domain leads to the addresses it is given.
type authority struct {
	url      string
	roots    *x509.CertPool
	alpnAddr string // what the domains' port 443 is
	httpAddr string // what their port 80 is; empty: only tls-alpn-01 is offered

	ca    *x509.Certificate
	caKey *ecdsa.PrivateKey

	mu         sync.Mutex
	requests   int
	thumbprint string // of the account's key
	account    []byte // what it registered with
	orders     []*order
}

type order struct {
	domain, complaint string
	valid             bool
	chain             []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{roots: x509.NewCertPool()}
	var err error
	if a.caKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-day), NotAfter: time.Now().Add(365 * day), KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.caKey.Public(), a.caKey)
	if err != nil {
		t.Fatal(err)
	}
	if a.ca, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.roots.AddCert(a.ca)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /dir", a.directory)
	mux.HandleFunc("HEAD /nonce", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /account", a.register)
	mux.HandleFunc("POST /order", a.newOrder)
	mux.HandleFunc("POST /order/{id}", a.with(func(w http.ResponseWriter, id int, o *order, _ []byte) { a.writeOrder(w, http.StatusOK, id, o) }))
	mux.HandleFunc("POST /authz/{id}", a.with(a.writeAuthz))
	mux.HandleFunc("POST /challenge/{id}/{kind}", a.challenge)
	mux.HandleFunc("POST /finalize/{id}", a.with(a.finalize))
	mux.HandleFunc("POST /cert/{id}", a.with(func(w http.ResponseWriter, _ int, o *order, _ []byte) { _, _ = w.Write(o.chain) }))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.requests++
		w.Header().Set("Replay-Nonce", fmt.Sprint("nonce", a.requests))
		a.mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

func (a *authority) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.requests
}

// set changes what the fields say, while requests may be under way.
func (a *authority) set(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

// leadTo sets the address of the domains.
func (a *authority) leadTo(address string) { a.set(func() { a.alpnAddr = address }) }

func (a *authority) ordered() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.orders)
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (a *authority) directory(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"newNonce": a.url + "/nonce", "newAccount": a.url + "/account", "newOrder": a.url + "/order",
		"meta": map[string]any{"termsOfService": a.url + "/terms"}})
}

// payload returns the two parts of a JWS that matter here. The signature is not checked.
func payload(r *http.Request) (protected, body []byte) {
	var jws struct{ Protected, Payload string }
	_ = json.NewDecoder(r.Body).Decode(&jws)
	protected, _ = base64.RawURLEncoding.DecodeString(jws.Protected)
	body, _ = base64.RawURLEncoding.DecodeString(jws.Payload)
	return protected, body
}

func (a *authority) register(w http.ResponseWriter, r *http.Request) {
	protected, body := payload(r)
	var head struct{ JWK struct{ X, Y string } }
	_ = json.Unmarshal(protected, &head)
	point := []byte{4}
	for _, coordinate := range []string{head.JWK.X, head.JWK.Y} {
		b, _ := base64.RawURLEncoding.DecodeString(coordinate)
		point = append(point, b...)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	thumbprint, err := acme.JWKThumbprint(key)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	a.thumbprint, a.account = thumbprint, body
	a.mu.Unlock()
	w.Header().Set("Location", a.url+"/account/1")
	reply(w, http.StatusCreated, map[string]string{"status": "valid"})
}

func (a *authority) newOrder(w http.ResponseWriter, r *http.Request) {
	_, body := payload(r)
	var in struct{ Identifiers []struct{ Value string } }
	_ = json.Unmarshal(body, &in)
	a.mu.Lock()
	defer a.mu.Unlock()
	o := &order{domain: in.Identifiers[0].Value}
	a.orders = append(a.orders, o)
	a.writeOrder(w, http.StatusCreated, len(a.orders)-1, o)
}

func (a *authority) writeOrder(w http.ResponseWriter, status, id int, o *order) {
	w.Header().Set("Location", fmt.Sprintf("%s/order/%d", a.url, id))
	state := "pending"
	switch {
	case o.chain != nil:
		state = "valid"
	case o.valid:
		state = "ready"
	}
	reply(w, status, map[string]any{"status": state, "finalize": fmt.Sprintf("%s/finalize/%d", a.url, id), "certificate": fmt.Sprintf("%s/cert/%d", a.url, id),
		"authorizations": []string{fmt.Sprintf("%s/authz/%d", a.url, id)}, "identifiers": []map[string]string{{"type": "dns", "value": o.domain}}})
}

// with finds the order that a path names, and keeps it from others meanwhile.
func (a *authority) with(f func(w http.ResponseWriter, id int, o *order, body []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, body := payload(r)
		var id int
		_, _ = fmt.Sscan(r.PathValue("id"), &id)
		a.mu.Lock()
		defer a.mu.Unlock()
		f(w, id, a.orders[id], body)
	}
}

const token = "a-token-of-the-authority"

func (a *authority) writeAuthz(w http.ResponseWriter, id int, o *order, _ []byte) {
	kinds := []string{"tls-alpn-01"}
	if a.httpAddr != "" {
		kinds = append(kinds, "http-01")
	}
	status := "pending"
	switch {
	case o.valid:
		status = "valid"
	case o.complaint != "":
		status = "invalid"
	}
	var challenges []map[string]any
	for _, kind := range kinds {
		c := map[string]any{"type": kind, "url": fmt.Sprintf("%s/challenge/%d/%s", a.url, id, kind), "token": token, "status": status}
		if status == "invalid" {
			c["error"] = map[string]any{"type": "urn:ietf:params:acme:error:connection", "detail": o.complaint}
		}
		challenges = append(challenges, c)
	}
	reply(w, http.StatusOK, map[string]any{"status": status, "identifier": map[string]string{"type": "dns", "value": o.domain}, "challenges": challenges})
}

// challenge connects to the domain, as the server is asked to, before it answers.
func (a *authority) challenge(w http.ResponseWriter, r *http.Request) {
	var id int
	_, _ = fmt.Sscan(r.PathValue("id"), &id)
	a.mu.Lock()
	o, key := a.orders[id], token+"."+a.thumbprint
	check, address := overTLS, a.alpnAddr
	if r.PathValue("kind") == "http-01" {
		check, address = overHTTP, a.httpAddr
	}
	a.mu.Unlock()
	err := check(r.Context(), address, o.domain, key) // without the lock: the server may ask for something meanwhile
	a.mu.Lock()
	defer a.mu.Unlock()
	if o.valid = err == nil; err != nil {
		o.complaint = err.Error()
	}
	reply(w, http.StatusOK, map[string]string{"type": r.PathValue("kind"), "url": a.url + r.URL.Path, "token": token, "status": "processing"})
}

func overTLS(ctx context.Context, address, domain, key string) error {
	d := tls.Dialer{Config: &tls.Config{ServerName: domain, NextProtos: []string{acme.ALPNProto}, InsecureSkipVerify: true}}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	state := conn.(*tls.Conn).ConnectionState()
	sum := sha256.Sum256([]byte(key))
	want, _ := asn1.Marshal(sum[:])
	for _, e := range state.PeerCertificates[0].Extensions {
		if e.Id.String() == "1.3.6.1.5.5.7.1.31" && e.Critical && bytes.Equal(e.Value, want) && state.NegotiatedProtocol == acme.ALPNProto {
			return nil
		}
	}
	return errors.New("the wrong certificate for a challenge")
}

func overHTTP(ctx context.Context, address, domain, key string) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+domain+"/.well-known/acme-challenge/"+token, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if body, _ := io.ReadAll(answer.Body); strings.TrimSpace(string(body)) != key {
		return fmt.Errorf("answered %q", body)
	}
	return nil
}

func (a *authority) finalize(w http.ResponseWriter, id int, o *order, body []byte) {
	var in struct{ CSR string }
	_ = json.Unmarshal(body, &in)
	der, _ := base64.RawURLEncoding.DecodeString(in.CSR)
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil || !o.valid || len(csr.DNSNames) != 1 || csr.DNSNames[0] != o.domain {
		http.Error(w, "bad request for a certificate", http.StatusForbidden)
		return
	}
	o.chain, err = a.chain(int64(id)+2, o.domain, csr.PublicKey, time.Now().Add(90*day))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	a.writeOrder(w, http.StatusOK, id, o)
}

// chain issues a certificate, as PEM and with the authority's.
func (a *authority) chain(serial int64, domain string, public any, end time.Time) (chain []byte, err error) {
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: domain}, DNSNames: []string{domain},
		NotBefore: end.Add(-91 * day), NotAfter: end, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	leaf, err := x509.CreateCertificate(rand.Reader, template, a.ca, public, a.caKey)
	for _, der := range [][]byte{leaf, a.ca.Raw} {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return chain, err
}

// replace puts another certificate for the same key where the library keeps the one of a domain.
func (a *authority) replace(t *testing.T, dir, domain string, end time.Time) {
	t.Helper()
	file := filepath.Join(dir, "acme", domain)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := a.chain(1000, domain, key.Public(), end)
	if err == nil {
		err = os.WriteFile(file, append(pem.EncodeToMemory(block), chain...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
