package kabar

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// TemplateVerdict is what the automatic checks say of a template that is put before review.
type TemplateVerdict struct {
	Reject   RejectedReason `json:"reject,omitempty"`   // empty: nothing speaks against it
	Advice   string         `json:"advice,omitempty"`   // why, and what to do
	Category Category       `json:"category,omitempty"` // what its text is; empty: what the author says
	Findings []string       `json:"findings,omitempty"` // everything that was found, for the reviewer
}

// What the texts of templates are searched for, in lower case. The lists are short: they find what is plain, and a reviewer
// sees the rest.
var (
	promotes = words("discount|% off|sale ends|on sale|special offer|limited offer|promo|voucher|coupon|buy now|shop now|order now|free gift|flash sale|cashback|" +
		"diskon|promosi|penawaran spesial|penawaran terbatas|gratis ongkir|beli sekarang|kupon|belanja sekarang|oferta|descuento|rebajas|compra ahora|cupón")
	scams = words("card number|credit card no|cvv|cvc|social security|your password|your pin|bank login|you have won|you won|lottery|wire transfer|gift card code|" +
		"nomor kartu|kata sandi anda|pin anda|anda menang|undian berhadiah|número de tarjeta|su contraseña|ha ganado")
	abuses    = words("idiot|stupid|moron|kill you|bodoh|goblok|bangsat|estúpido|idiota")
	shortened = words("bit.ly|tinyurl.com|goo.gl|t.co|ow.ly|is.gd|cutt.ly")
)

func words(list string) []string { return strings.Split(list, "|") }

// Text returns everything that the template says, a part a line, with its variables.
func (d *TemplateDef) Text() string { return strings.Join(linesOf(nil, d.Components), "\n") }

func linesOf(lines []string, parts []TemplateComponent) []string {
	for _, c := range parts {
		if c.Text != "" {
			lines = append(lines, c.Text)
		}
		if c.Offer != nil {
			lines = append(lines, c.Offer.Text)
		}
		for _, b := range c.Buttons {
			lines = append(lines, b.Text)
		}
		for _, card := range c.Cards {
			lines = linesOf(lines, card.Components)
		}
	}
	return lines
}

// Twin returns what two templates have in common that are duplicates of each other: the body and the footer. It is empty for
// what may be there twice.
func (d *TemplateDef) Twin() string {
	if d.Category == CategoryAuthentication {
		return ""
	}
	var parts []string
	for _, typ := range []string{TemplateBody, TemplateFooter} {
		text := ""
		if c := d.part(typ); c != nil {
			text = strings.ToLower(strings.Join(strings.Fields(substitute(c.Text, func(string) string { return "{{}}" })), " "))
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "\n")
}

// Assess is the automatic review of a template without faults: duplicates, content that is forbidden, a category that does not
// fit. Twins are the account's other templates with the same Twin.
func (d *TemplateDef) Assess(twins []*TemplateDef) *TemplateVerdict {
	v := new(TemplateVerdict)
	text := strings.ToLower(d.Text())
	for _, found := range []struct {
		words  []string
		reason RejectedReason
		advice string
	}{
		{abuses, RejectedAbusive, "The text has %q, which insults or threatens."},
		{scams, RejectedScam, "The text has %q: do not ask for secrets of the customer, and promise no winnings."},
	} {
		if w := containing(text, found.words); w != "" {
			v.object(found.reason, fmt.Sprintf(found.advice, w))
		}
	}
	if w := containing(strings.ToLower(d.links()), shortened); w != "" {
		v.object(RejectedFormat, fmt.Sprintf("A link goes through %s: link to a host of your own.", w))
	}
	if strings.Contains(d.links(), "wa.me/") {
		v.object(RejectedFormat, "A link goes to wa.me: a button may not lead to a chat.")
	}
	for _, t := range twins {
		if t.Name != d.Name {
			v.object(RejectedFormat, fmt.Sprintf("The body and the footer are those of %s in %s: say something else, or send that one.", t.Name, t.Language))
			break
		}
	}
	if w := containing(text, promotes); w != "" && d.Category == CategoryUtility {
		v.Category = CategoryMarketing
		v.Findings = append(v.Findings, fmt.Sprintf("The text has %q, which promotes: the category is MARKETING.", w))
	}
	if shouts(d.Text()) {
		v.Findings = append(v.Findings, "More than half of the letters are capitals.")
	}
	return v
}

// object notes what speaks against a template; the first of it is the reason.
func (v *TemplateVerdict) object(why RejectedReason, advice string) {
	if v.Reject == "" {
		v.Reject, v.Advice = why, advice
	}
	v.Findings = append(v.Findings, advice)
}

// links returns the addresses of all buttons.
func (d *TemplateDef) links() string {
	var all []string
	var walk func(parts []TemplateComponent)
	walk = func(parts []TemplateComponent) {
		for _, c := range parts {
			for _, b := range c.Buttons {
				all = append(all, b.URL)
			}
			for _, card := range c.Cards {
				walk(card.Components)
			}
		}
	}
	walk(d.Components)
	return strings.Join(all, "\n")
}

// containing returns the first of the phrases that stands in the text between word boundaries.
func containing(text string, phrases []string) string {
	i := slices.IndexFunc(phrases, func(p string) bool {
		for from := 0; ; {
			at := strings.Index(text[from:], p)
			if at < 0 {
				return false
			}
			at += from
			if !letterAt(text[:at], true) && !letterAt(text[at+len(p):], false) {
				return true
			}
			from = at + len(p)
		}
	})
	if i < 0 {
		return ""
	}
	return phrases[i]
}

// letterAt reports whether a text ends, or begins, with a letter.
func letterAt(s string, end bool) bool {
	r := []rune(s[:min(len(s), 4)])
	if end {
		r = []rune(s[max(0, len(s)-4):])
		if len(r) > 0 {
			return unicode.IsLetter(r[len(r)-1])
		}
		return false
	}
	return len(r) > 0 && unicode.IsLetter(r[0])
}

// shouts reports whether a text of some length is mostly in capitals.
func shouts(s string) bool {
	upper, lower := 0, 0
	for _, r := range s {
		switch {
		case unicode.IsUpper(r):
			upper++
		case unicode.IsLower(r):
			lower++
		}
	}
	return upper+lower > 20 && upper > lower
}
