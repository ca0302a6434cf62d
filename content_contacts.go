package kabar

import (
	"fmt"
	"slices"
	"time"
)

// KindContacts is one or more contact cards.
const KindContacts Kind = "contacts"

// Limits of contact messages.
const (
	MaxContacts     = 257
	MaxContactsSize = 128 << 10 // bytes of all cards in their stored form: they travel in one envelope
)

// Contacts is a message with contact cards, such as of a colleague or a shop. Both dialects write a card as it is stored.
type Contacts struct {
	Cards []Card `json:"cards"`
}

// Card is a contact card, a vCard in JSON.
type Card struct {
	Name      CardName      `json:"name"`
	Phones    []CardPhone   `json:"phones,omitempty"`
	Emails    []CardEmail   `json:"emails,omitempty"`
	Addresses []CardAddress `json:"addresses,omitempty"`
	URLs      []CardURL     `json:"urls,omitempty"`
	Org       *CardOrg      `json:"org,omitempty"`
	Birthday  string        `json:"birthday,omitempty"` // YYYY-MM-DD
	IMs       []CardIM      `json:"ims,omitempty"`
}

// CardName is the name on a card: Formatted and at least one of the others.
type CardName struct {
	Formatted string `json:"formatted_name"`
	First     string `json:"first_name,omitempty"`
	Last      string `json:"last_name,omitempty"`
	Middle    string `json:"middle_name,omitempty"`
	Suffix    string `json:"suffix,omitempty"`
	Prefix    string `json:"prefix,omitempty"`
}

// CardPhone is a telephone number. Type is CELL, MAIN, IPHONE, HOME or WORK.
type CardPhone struct {
	Phone string `json:"phone,omitempty"`
	Type  string `json:"type,omitempty"`
	WaID  string `json:"wa_id,omitempty"`
}

// CardEmail is an address for e-mail. Type is HOME or WORK.
type CardEmail struct {
	Email string `json:"email,omitempty"`
	Type  string `json:"type,omitempty"`
}

// CardAddress is where somebody lives or works. Type is free, usually HOME or WORK.
type CardAddress struct {
	Street      string `json:"street,omitempty"`
	City        string `json:"city,omitempty"`
	State       string `json:"state,omitempty"`
	Zip         string `json:"zip,omitempty"`
	Country     string `json:"country,omitempty"`
	CountryCode string `json:"country_code,omitempty"`
	Type        string `json:"type,omitempty"`
}

// CardURL is a website. Type is free, usually HOME or WORK.
type CardURL struct {
	URL  string `json:"url,omitempty"`
	Type string `json:"type,omitempty"`
}

// CardOrg is who somebody works for.
type CardOrg struct {
	Company    string `json:"company,omitempty"`
	Department string `json:"department,omitempty"`
	Title      string `json:"title,omitempty"`
}

// CardIM is an account at a messaging service.
type CardIM struct {
	Service string `json:"service,omitempty"`
	UserID  string `json:"user_id,omitempty"`
}

// Kind returns KindContacts.
func (c *Contacts) Kind() Kind { return KindContacts }

// Validate checks that there is a card, and that every card has a name, types that exist and a birthday that is a day.
func (c *Contacts) Validate() error {
	if err := checkCount("contacts", c.Cards, MaxContacts); err != nil {
		return err
	}
	for i := range c.Cards {
		if err := c.Cards[i].check(fmt.Sprintf("contacts[%d]", i)); err != nil {
			return err
		}
	}
	b, err := EncodeContent(c)
	if err == nil && len(b) > MaxContactsSize {
		return fault(ReasonInvalid, "contacts", "have %d bytes, the limit is %d", len(b), MaxContactsSize)
	}
	return err
}

func (c *Card) check(field string) error {
	err := first(c.Name.check(field+".name"), checkDay(field+".birthday", c.Birthday))
	for i, p := range c.Phones {
		at := fmt.Sprintf("%s.phones[%d]", field, i)
		err = first(err, checkStrings(at, p.Phone, p.WaID), checkType(at, p.Type, "CELL", "MAIN", "IPHONE", "HOME", "WORK"))
	}
	for i, e := range c.Emails {
		at := fmt.Sprintf("%s.emails[%d]", field, i)
		err = first(err, checkStrings(at, e.Email), checkType(at, e.Type, "HOME", "WORK"))
	}
	for i, a := range c.Addresses {
		at := fmt.Sprintf("%s.addresses[%d]", field, i)
		err = first(err, checkStrings(at, a.Street, a.City, a.State, a.Zip, a.Country, a.CountryCode, a.Type))
	}
	for i, u := range c.URLs {
		at := fmt.Sprintf("%s.urls[%d]", field, i)
		err = first(err, checkStrings(at, u.URL, u.Type))
	}
	for i, m := range c.IMs {
		err = first(err, checkStrings(fmt.Sprintf("%s.ims[%d]", field, i), m.Service, m.UserID))
	}
	if c.Org != nil {
		err = first(err, checkStrings(field+".org", c.Org.Company, c.Org.Department, c.Org.Title))
	}
	return err
}

func (n *CardName) check(field string) error {
	switch {
	case n.Formatted == "":
		return fault(ReasonMissing, field+".formatted_name", "is required")
	case n.First == "" && n.Last == "" && n.Middle == "" && n.Suffix == "" && n.Prefix == "":
		return fault(ReasonMissing, field, "needs one part beside formatted_name: first_name, last_name, middle_name, suffix or prefix")
	}
	return checkStrings(field, n.Formatted, n.First, n.Last, n.Middle, n.Suffix, n.Prefix)
}

func checkStrings(field string, texts ...string) error {
	for _, s := range texts {
		if err := checkString(field, s); err != nil {
			return err
		}
	}
	return nil
}

// checkType checks the type of an entry of a card, which may be left out.
func checkType(field, v string, allowed ...string) error {
	if v == "" || slices.Contains(allowed, v) {
		return nil
	}
	return fault(ReasonInvalid, field+".type", "is %q, allowed are %s", v, WordsOf(allowed))
}

func checkDay(field, day string) error {
	if day == "" {
		return nil
	}
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return fault(ReasonInvalid, field, "is %q; it must be a day as YYYY-MM-DD", day)
	}
	return nil
}
