package certs

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"
)

// Info is what is known of the certificate at a moment. With several ACME domains, dates and fingerprint are of the
// certificate that ends first.
type Info struct {
	Source      string    // SelfSignedSource, FileSource or ACMESource
	Names       []string  // names and addresses it is good for
	Issuer      string    // who signed it
	NotBefore   time.Time // zero while there is none
	NotAfter    time.Time // zero while there is none
	Fingerprint string    // SHA-256 as colon-separated upper-case hex; empty while there is none
	Problems    []string  // what is wrong with it, in sentences; empty when all is well
}

// Info describes the certificate in use.
func (c *Certs) Info() Info {
	info := Info{Source: c.src.name(), Problems: append(c.src.problems(), c.faults(c.o.Now())...)}
	for _, leaf := range c.src.leaves() {
		info.Names = append(info.Names, names(leaf)...)
		if info.NotAfter.IsZero() || leaf.NotAfter.Before(info.NotAfter) {
			info.NotBefore, info.NotAfter = leaf.NotBefore, leaf.NotAfter
			info.Issuer, info.Fingerprint = leaf.Issuer.String(), Fingerprint(leaf)
		}
	}
	return info
}

// faults are what the certificate itself shows.
func (c *Certs) faults(now time.Time) (problems []string) {
	leaves := c.src.leaves()
	for _, leaf := range leaves {
		problems = append(problems, dates(leaf, now)...)
	}
	if len(leaves) > 0 {
		problems = append(problems, uncovered(leaves, c.o.Hosts)...)
	}
	return problems
}

func names(leaf *x509.Certificate) []string {
	all := slices.Clone(leaf.DNSNames)
	for _, ip := range leaf.IPAddresses {
		all = append(all, ip.String())
	}
	return all
}

// soon is when the end of a certificate is worth a word; shorter for those that live for days only.
const soon = 14 * 24 * time.Hour

// dates says what is wrong with the time of a certificate.
func dates(leaf *x509.Certificate, now time.Time) []string {
	const form = "2006-01-02 15:04 MST"
	left, life := leaf.NotAfter.Sub(now), leaf.NotAfter.Sub(leaf.NotBefore)
	switch {
	case now.Before(leaf.NotBefore):
		return []string{fmt.Sprintf("it is valid from %s only: check this machine's clock, and the certificate", leaf.NotBefore.UTC().Format(form))}
	case left <= 0:
		return []string{fmt.Sprintf("it expired at %s: clients refuse it until it is replaced", leaf.NotAfter.UTC().Format(form))}
	case left < min(soon, life/5):
		return []string{fmt.Sprintf("it expires at %s, and should have been replaced by now", leaf.NotAfter.UTC().Format(form))}
	}
	return nil
}

// uncovered says which hosts no certificate is good for.
func uncovered(leaves []*x509.Certificate, hosts []string) (problems []string) {
	for _, host := range hosts {
		if !slices.ContainsFunc(leaves, func(leaf *x509.Certificate) bool { return leaf.VerifyHostname(host) == nil }) {
			problems = append(problems, fmt.Sprintf("it is not for %s: clients that connect under that name refuse it", host))
		}
	}
	return problems
}
