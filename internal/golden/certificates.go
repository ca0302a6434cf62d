package golden

import (
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"time"
)

// bundle is a certificate of the tests with its key and its authority. It is the same in every run, as Ed25519 signs without
// chance, and holds both by the standing clock of onprem's tests and by the real one.
type bundle struct{ key, cert, ca []byte }

func newBundle() bundle {
	caKey, key := ed25519.NewKeyFromSeed(make([]byte, 32)), ed25519.NewKeyFromSeed([]byte("0123456789abcdef0123456789abcdef"))
	from, until := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2049, 1, 1, 0, 0, 0, 0, time.UTC)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority of the tests"}, NotBefore: from, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: Host}, DNSNames: []string{Host},
		NotBefore: from, NotAfter: until}
	caDER, err := x509.CreateCertificate(nil, ca, ca, caKey.Public(), caKey)
	if err != nil {
		panic(err)
	}
	der, err := x509.CreateCertificate(nil, leaf, ca, key.Public(), caKey)
	if err != nil {
		panic(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	block := func(kind string, b []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}) }
	return bundle{block("PRIVATE KEY", pkcs8), block("CERTIFICATE", der), block("CERTIFICATE", caDER)}
}

// pems are the samples of certificates: "external" as it must be, and what is wrong with others.
func pems() map[string][]byte {
	b := newBundle()
	join := func(parts ...[]byte) (all []byte) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	return map[string][]byte{"external": join(b.key, b.cert, b.ca), "ca": b.ca, "cert-first": join(b.cert, b.key, b.ca), "no-intermediate": join(b.key, b.cert),
		"wrong-key": join(b.key, b.ca, b.cert), "key": b.key, "big-pem": make([]byte, 1<<20+1)}
}
