package kabar

import (
	"cmp"
	"strings"
	"time"
)

// ConsentState says whether a customer has agreed to be written to.
type ConsentState string

// The states of consent.
const (
	ConsentUnknown ConsentState = "unknown" // nothing is known of this customer
	ConsentIn      ConsentState = "opted_in"
	ConsentOut     ConsentState = "opted_out"
)

// Who has recorded an entry, when it was no key of an API.
const (
	ByCustomer = "customer" // what customers have said themselves, in the chat
	ByOperator = "operator"
)

// The longest texts of an entry, in characters.
const (
	MaxConsentText  = 128
	MaxConsentProof = 2048
)

// ConsentEntry is one entry of the ledger of consent: never changed. It says what a customer has agreed to, or no longer does, when,
// how that was heard, and what proves it.
type ConsentEntry struct {
	State    ConsentState `json:"state"`           // ConsentIn or ConsentOut
	For      string       `json:"for"`             // what it is about: "marketing", or what the business calls it
	At       time.Time    `json:"at"`              // when the customer said so
	How      string       `json:"how"`             // by which way: "web form", "word STOP"
	Proof    string       `json:"proof,omitempty"` // may be empty
	By       string       `json:"by"`              // who recorded it: ByCustomer, ByOperator, or whose key it was
	Recorded time.Time    `json:"recorded"`
}

// Validate checks an entry that somebody brings at now, and fills in what it leaves out.
func (e *ConsentEntry) Validate(now time.Time) error {
	e.For, e.How, e.Recorded = cmp.Or(e.For, "marketing"), cmp.Or(e.How, "api"), now
	if e.At.IsZero() {
		e.At = now
	}
	switch {
	case e.State == "":
		return fault(ReasonMissing, "state", "is required: %s or %s", ConsentIn, ConsentOut)
	case e.State != ConsentIn && e.State != ConsentOut:
		return fault(ReasonInvalid, "state", "is %q, allowed are %s and %s", e.State, ConsentIn, ConsentOut)
	case e.At.After(now):
		return fault(ReasonInvalid, "at", "lies in the future")
	}
	for _, f := range []struct {
		field, value string
		most         int
	}{{"for", e.For, MaxConsentText}, {"how", e.How, MaxConsentText}, {"proof", e.Proof, MaxConsentProof}} {
		if err := first(checkString(f.field, f.value), checkMax(f.field, f.value, f.most)); err != nil {
			return err
		}
	}
	return nil
}

// Consent is where the entries about a customer have led, and how much marketing the customer has been sent.
type Consent struct {
	Account AccountID
	Handle  string // wa_id or BSUID
	State   ConsentState
	At      time.Time // of the entry that decided
	Own     bool      // the customer said so in the chat
	Span    time.Time // when the first message of marketing went out that counts
	Count   int       // how many went out since
}

// Take adds an entry, and reports whether the state is another one, or is the customer's own now and was not. What was said later counts,
// whenever it is recorded: a list that is older than a STOP does not undo it. Who has opted out in the chat is opted in by others only
// with a proof, whatever others have recorded meanwhile.
func (c *Consent) Take(e *ConsentEntry) (changed bool, err error) {
	if e.At.Before(c.At) {
		return false, nil
	}
	if c.State == ConsentOut && c.Own && e.State == ConsentIn && e.By != ByCustomer && e.Proof == "" {
		return false, fault(ReasonMissing, "proof", "is required: the customer has opted out in the chat")
	}
	was := *c
	c.Own = e.By == ByCustomer || c.Own && c.State == ConsentOut && e.State == ConsentOut
	c.State, c.At = e.State, e.At
	return c.State != was.State || c.Own != was.Own, nil
}

// ConsentPolicy is what a number does about consent.
type ConsentPolicy struct {
	Required bool // templates go only to who has opted in; otherwise consent is advisory
	// Cap is how many messages of marketing a customer gets in 24 hours outside the window; 0: there is no limit.
	Cap   int
	Words map[string]ConsentWords // by language and plain, in the place of those of DefaultConsentWords
}

// MarketingSpan is how long a message of marketing counts against a ConsentPolicy's Cap.
const MarketingSpan = 24 * time.Hour

// uncapped are the countries whose customers are never capped: the European Economic Area, the United Kingdom, Japan and South Korea
// (contract Cloud API, section 4).
const uncapped = " AT BE BG CY CZ DE DK EE ES FI FR GB GR HR HU IE IS IT JP KR LI LT LU LV MT NL NO PL PT RO SE SI SK "

// Caps reports whether the policy limits how much marketing customers of a country get; the country may be empty.
func (p *ConsentPolicy) Caps(country string) bool {
	return p.Cap > 0 && !strings.Contains(uncapped, " "+country+" ")
}

// Capped reports whether a customer has had as much marketing at now as the policy allows.
func (p *ConsentPolicy) Capped(c *Consent, country string, now time.Time) bool {
	return p.Caps(country) && c.Count >= p.Cap && now.Before(c.Span.Add(MarketingSpan))
}

// Market counts a message of marketing that goes out at now.
func (c *Consent) Market(now time.Time) {
	if !now.Before(c.Span.Add(MarketingSpan)) {
		c.Span, c.Count = now, 0
	}
	c.Count++
}
