package kabar

import (
	"strings"
	"testing"
)

func TestContacts(t *testing.T) {
	card := func(change func(c *Card)) *Contacts {
		c := Card{Name: CardName{Formatted: "Ana R", First: "Ana"}}
		change(&c)
		return &Contacts{Cards: []Card{c}}
	}
	named := func(n CardName) *Contacts { return &Contacts{Cards: []Card{{Name: n}}} }
	many := func(n int) *Contacts {
		c := &Contacts{Cards: make([]Card, n)}
		for i := range c.Cards {
			c.Cards[i].Name = CardName{Formatted: "A", First: "A"}
		}
		return c
	}
	runRows(t, []row{
		{"none", &Contacts{}, ReasonMissing, "contacts"},
		{"an empty list", &Contacts{Cards: []Card{}}, ReasonInvalid, "contacts"},
		{"257", many(257), "", ""},
		{"258", many(258), ReasonInvalid, "contacts"},
		{"too large", card(func(c *Card) { c.URLs = []CardURL{{URL: strings.Repeat("x", MaxContactsSize)}} }), ReasonInvalid, "contacts"},
		{"no name", named(CardName{}), ReasonMissing, "contacts[0].name.formatted_name"},
		{"only a part", named(CardName{First: "Ana"}), ReasonMissing, "contacts[0].name.formatted_name"},
		{"only formatted", named(CardName{Formatted: "Ana"}), ReasonMissing, "contacts[0].name"},
		{"last", named(CardName{Formatted: "Ana", Last: "R"}), "", ""},
		{"middle", named(CardName{Formatted: "Ana", Middle: "M"}), "", ""},
		{"prefix", named(CardName{Formatted: "Ana", Prefix: "Dr"}), "", ""},
		{"suffix", named(CardName{Formatted: "Ana", Suffix: "Jr"}), "", ""},
		{"the second", &Contacts{Cards: []Card{{Name: CardName{Formatted: "A", First: "A"}}, {}}}, ReasonMissing, "contacts[1].name.formatted_name"},
		{"name not UTF-8", named(CardName{Formatted: "\xff", First: "A"}), ReasonInvalid, "contacts[0].name"},
		{"birthday", card(func(c *Card) { c.Birthday = "2001-02-28" }), "", ""},
		{"no day", card(func(c *Card) { c.Birthday = "2001-02-30" }), ReasonInvalid, "contacts[0].birthday"},
		{"another form of a day", card(func(c *Card) { c.Birthday = "28.2.2001" }), ReasonInvalid, "contacts[0].birthday"},
		{"phone type", card(func(c *Card) { c.Phones = []CardPhone{{Type: "CELL"}, {Type: "cell"}} }), ReasonInvalid, "contacts[0].phones[1].type"},
		{"email type", card(func(c *Card) { c.Emails = []CardEmail{{Type: "CELL"}} }), ReasonInvalid, "contacts[0].emails[0].type"},
		{"other types", card(func(c *Card) { c.URLs, c.Addresses = []CardURL{{Type: "BLOG"}}, []CardAddress{{Type: "SUMMER"}} }), "", ""},
		{"phone not UTF-8", card(func(c *Card) { c.Phones = []CardPhone{{Phone: "\xff"}} }), ReasonInvalid, "contacts[0].phones[0]"},
		{"address not UTF-8", card(func(c *Card) { c.Addresses = []CardAddress{{City: "\xff"}} }), ReasonInvalid, "contacts[0].addresses[0]"},
		{"url not UTF-8", card(func(c *Card) { c.URLs = []CardURL{{URL: "\xff"}} }), ReasonInvalid, "contacts[0].urls[0]"},
		{"im not UTF-8", card(func(c *Card) { c.IMs = []CardIM{{Service: "\xff"}} }), ReasonInvalid, "contacts[0].ims[0]"},
		{"company not UTF-8", card(func(c *Card) { c.Org = &CardOrg{Company: "\xff"} }), ReasonInvalid, "contacts[0].org"},
	})
	for _, kind := range []string{"CELL", "MAIN", "IPHONE", "HOME", "WORK", ""} {
		runRows(t, []row{{"type " + kind, card(func(c *Card) { c.Phones = []CardPhone{{Type: kind}} }), "", ""}})
	}
}
