package relayserver

import (
	"math"
	"time"

	"kabar/internal/relayproto"
)

// Rates are what one device may do in a second, with a burst of one second's worth. Zero means the default, a negative
// rate no limit.
type Rates struct {
	Envelopes float64 // and signals; business 2,000, customer 50
	Bundles   float64 // and publications; business 500, customer 10
	Lookups   float64 // of up to 100 accounts; business 100, customer 10
	Blobs     float64 // of up to 110 MB; business 200, customer 10
}

// Limits bound what devices may do. Zero means the default, a negative value no limit (a lifetime must not be negative).
type Limits struct {
	Business, Customer Rates

	Registrations float64       // a second, all together; default 100
	BundlesHourly int           // bundles of one target that one device may fetch within an hour; default 10
	Mailbox       int           // envelopes that may wait in one mailbox; default 10,000
	BlobSpace     int64         // bytes that blobs may take together, but for those whose upload is allowed already; default 100 GB
	Strangers     int           // connections that have not logged in yet; default 1,000
	Lifetime      time.Duration // how long envelopes, tombstones, notices and blobs are kept; default 30 days
}

// NoLimits returns limits that are all switched off, for crash tests and benchmarks. Lifetime is the default.
func NoLimits() Limits {
	off := Rates{-1, -1, -1, -1}
	return Limits{Business: off, Customer: off, Registrations: -1, BundlesHourly: -1, Mailbox: -1, BlobSpace: -1, Strangers: -1}
}

const (
	hourlyWindow = time.Hour
	mailboxRetry = 5 * time.Second // when to try a full mailbox again
)

// filled puts the defaults where there is zero.
func (l Limits) filled() Limits {
	l.Business = l.Business.filled(Rates{2000, 500, 100, 200})
	l.Customer = l.Customer.filled(Rates{50, 10, 10, 10})
	fill(&l.Registrations, 100)
	fill(&l.BundlesHourly, 10)
	fill(&l.Mailbox, 10_000)
	fill(&l.BlobSpace, 100_000_000_000)
	fill(&l.Strangers, 1000)
	fill(&l.Lifetime, 30*24*time.Hour)
	return l
}

func (r Rates) filled(d Rates) Rates {
	fill(&r.Envelopes, d.Envelopes)
	fill(&r.Bundles, d.Bundles)
	fill(&r.Lookups, d.Lookups)
	fill(&r.Blobs, d.Blobs)
	return r
}

func fill[N ~int | ~int64 | ~float64](n *N, d N) {
	if *n == 0 {
		*n = d
	}
}

// mailbox returns the limit as a number to compare with.
func (l *Limits) mailbox() int64 {
	if l.Mailbox < 0 {
		return math.MaxInt64
	}
	return int64(l.Mailbox)
}

// paces are the limits of one connection.
type paces struct{ envelopes, bundles, lookups, blobs pace }

func (l *Limits) paces(class relayproto.Class) *paces {
	r := l.Customer
	if class == relayproto.Class_CLASS_BUSINESS {
		r = l.Business
	}
	return &paces{
		envelopes: pace{rate: r.Envelopes},
		bundles:   pace{rate: r.Bundles},
		lookups:   pace{rate: r.Lookups},
		blobs:     pace{rate: r.Blobs},
	}
}

// of returns the pace a request is held to, or nil.
func (p *paces) of(f *relayproto.Frame) *pace {
	switch f.Body.(type) {
	case *relayproto.Frame_Send, *relayproto.Frame_Signal:
		return &p.envelopes
	case *relayproto.Frame_Fetch, *relayproto.Frame_Publish:
		return &p.bundles
	case *relayproto.Frame_Lookup:
		return &p.lookups
	case *relayproto.Frame_AskTicket:
		return &p.blobs
	}
	return nil
}
