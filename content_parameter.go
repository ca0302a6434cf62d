package kabar

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The checks of template parameters.

// Formatter writes amounts and dates as a language does. It reports false for what it cannot write in that language, and
// nothing of it is used then. It must be safe for concurrent use.
type Formatter interface {
	Currency(language string, c *Currency) (string, bool)
	DateTime(language string, d *DateTime) (string, bool)
}

// written returns the text that the parameter puts into a placeholder in a language.
func (p *Parameter) written(language string, f Formatter) string {
	text, ok := "", false
	switch {
	case f == nil:
	case p.Type == ParameterCurrency && p.Currency != nil:
		text, ok = f.Currency(language, p.Currency)
	case p.Type == ParameterDateTime && p.DateTime != nil:
		text, ok = f.DateTime(language, p.DateTime)
	}
	if ok {
		return text
	}
	return p.shown()
}

// shown returns the text that the sender gives for a placeholder; empty for what is no text.
func (p *Parameter) shown() string {
	switch {
	case p.Type == ParameterText:
		return p.Text
	case p.Type == ParameterCurrency && p.Currency != nil:
		return p.Currency.Fallback
	case p.Type == ParameterDateTime && p.DateTime != nil:
		return p.DateTime.Fallback
	}
	return ""
}

// check checks that the value of the parameter's type is there and valid. Values of other types are not looked at.
func (p *Parameter) check(field string) error {
	if err := checkString(field+".parameter_name", p.Name); err != nil {
		return err
	}
	value := field + "." + string(p.Type)
	switch p.Type {
	case ParameterText:
		return checkShown(value, p.Text)
	case ParameterPayload:
		return checkValue(value, p.Payload)
	case ParameterCoupon:
		return p.checkCoupon(value)
	case ParameterAction:
		return p.Action.check(value)
	case ParameterLocation:
		return p.checkLocation(value)
	case ParameterCurrency:
		return p.Currency.check(value)
	case ParameterDateTime:
		return p.DateTime.check(value)
	case ParameterImage, ParameterDocument, ParameterVideo, ParameterGIF:
		return p.checkMedia(value)
	case ParameterProduct:
		return p.checkProduct(value)
	case ParameterMinutes:
		if p.Minutes < 1 || p.Minutes > MaxCallMinutes {
			return fault(ReasonInvalid, value, "is %d, allowed are 1 to %d", p.Minutes, MaxCallMinutes)
		}
		return nil
	case ParameterOffer:
		if p.Ends <= 0 {
			return fault(ReasonInvalid, value+".expiration_time_ms", "is required: when the offer ends, in Unix milliseconds")
		}
		return nil
	case "":
		return fault(ReasonMissing, field+".type", "is required")
	}
	return fault(ReasonInvalid, field+".type", "%q is not a type of parameter", p.Type)
}

func (p *Parameter) checkMedia(field string) error {
	switch {
	case p.Media == nil:
		return fault(ReasonMissing, field, "is required in a parameter of type %q", p.Type)
	case p.Media.kind != p.Type.media() || p.Media.GIF != (p.Type == ParameterGIF):
		return fault(ReasonInvalid, field, "is of kind %q, the parameter's type is %q", p.Media.kind, p.Type)
	}
	return p.Media.validate(field)
}

func (p *Parameter) checkCoupon(field string) error {
	if err := checkShown(field, p.Coupon); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(p.Coupon); n > MaxCoupon {
		return fault(ReasonTemplateParamLong, field, "has %d characters, the limit is %d", n, MaxCoupon)
	}
	return nil
}

func (a *ButtonAction) check(field string) error {
	if a == nil {
		return fault(ReasonMissing, field, "is required in a parameter of type action")
	}
	return first(
		checkString(field+".thumbnail_product_retailer_id", a.Thumbnail),
		checkString(field+".flow_token", a.FlowToken),
		a.checkSections(field+".sections"),
		a.checkPayment(field+".order_details"),
	)
}

func (a *ButtonAction) checkPayment(field string) error {
	if a.Payment == nil {
		return nil
	}
	return a.Payment.check(field)
}

// checkSections checks the products behind a button; not every button has any.
func (a *ButtonAction) checkSections(field string) error {
	if a.Sections == nil {
		return nil
	}
	return checkProductSections(field, a.Sections)
}

func (p *Parameter) checkProduct(field string) error {
	if p.Product == nil {
		return fault(ReasonMissing, field, "is required in a parameter of type product")
	}
	return first(checkID(field+".catalog_id", p.Product.Catalog), checkID(field+".product_retailer_id", p.Product.RetailerID))
}

func (p *Parameter) checkLocation(field string) error {
	if p.Location == nil {
		return fault(ReasonMissing, field, "is required in a parameter of type location")
	}
	return p.Location.validate(field)
}

func (c *Currency) check(field string) error {
	if c == nil {
		return fault(ReasonMissing, field, "is required in a parameter of type currency")
	}
	if err := checkShown(field+".fallback_value", c.Fallback); err != nil {
		return err
	}
	if c.Code == "" {
		return fault(ReasonMissing, field+".code", "is required, such as EUR")
	}
	for i := range len(c.Code) {
		if len(c.Code) != 3 || c.Code[i] < 'A' || c.Code[i] > 'Z' {
			return fault(ReasonInvalid, field+".code", "is %q; it must be three capital letters, such as EUR", c.Code)
		}
	}
	return nil
}

func (d *DateTime) check(field string) error {
	if d == nil {
		return fault(ReasonMissing, field, "is required in a parameter of type date_time")
	}
	if d.Calendar != "" && d.Calendar != Gregorian && d.Calendar != SolarHijri {
		return fault(ReasonInvalid, field+".calendar", "is %q, allowed are %s and %s", d.Calendar, Gregorian, SolarHijri)
	}
	return first(
		checkShown(field+".fallback_value", d.Fallback),
		checkPart(field+".day_of_week", d.DayOfWeek, 7),
		checkPart(field+".year", d.Year, 9999),
		checkPart(field+".month", d.Month, 12),
		checkPart(field+".day_of_month", d.DayOfMonth, 31),
		checkClock(field+".hour", d.Hour, 23),
		checkClock(field+".minute", d.Minute, 59),
	)
}

// checkPart checks a part of a date that counts from 1; zero was not given.
func checkPart(field string, v, limit int) error {
	if v < 0 || v > limit {
		return fault(ReasonInvalid, field, "is %d, allowed are 1 to %d", v, limit)
	}
	return nil
}

// checkClock checks a part of a time, which counts from 0.
func checkClock(field string, v *int, limit int) error {
	if v != nil && (*v < 0 || *v > limit) {
		return fault(ReasonInvalid, field, "is %d, allowed are 0 to %d", *v, limit)
	}
	return nil
}

// checkValue checks a text that must not be empty and whose length is limited elsewhere, together with others.
func checkValue(field, s string) error {
	if s == "" {
		return fault(ReasonMissing, field, "is required and must not be empty")
	}
	return checkString(field, s)
}

// maxSpaces is how many spaces in a row a text in a placeholder may have.
const maxSpaces = 4

// checkShown checks a text that is put into a placeholder: not empty, without the white space and the characters that would
// change the form of a reviewed text. Line breaks, tabs and other control characters are format characters (ASCII calls them
// format effectors); more than maxSpaces spaces in a row are against the rule of white space.
func checkShown(field, s string) error {
	if err := checkValue(field, s); err != nil {
		return err
	}
	spaces := 0
	for i, r := range s {
		if !unicode.Is(unicode.Zs, r) {
			spaces = 0
		} else if spaces++; spaces > maxSpaces {
			return fault(ReasonTemplateSpace, field, "has more than %d spaces in a row", maxSpaces)
		}
		if unicode.IsControl(r) || strings.ContainsRune("\u2028\u2029", r) {
			return fault(ReasonTemplateCharacter, field, "has the character %U at byte %d: line breaks, tabs and other control characters cannot be filled in", r, i)
		}
	}
	return nil
}

// Parameter is one value. Type says which of the fields after Name holds it.
type Parameter struct {
	Type     ParameterType `json:"type"`
	Name     string        `json:"name,omitempty"` // of a named placeholder; empty: placeholders are filled by position
	Text     string        `json:"text,omitempty"`
	Currency *Currency     `json:"currency,omitempty"`
	DateTime *DateTime     `json:"date_time,omitempty"`
	Media    *Media        `json:"media,omitempty"`
	Location *Location     `json:"location,omitempty"`
	Payload  string        `json:"payload,omitempty"`     // what a tap on a quick reply reports
	Coupon   string        `json:"coupon_code,omitempty"` // what a tap copies
	Action   *ButtonAction `json:"action,omitempty"`
	Product  *ProductRef   `json:"product,omitempty"`
	Minutes  int           `json:"ttl_minutes,omitempty"`        // how long a button that calls works
	Ends     int64         `json:"expiration_time_ms,omitempty"` // ParameterOffer: when it does, in Unix milliseconds
}

// ButtonAction says what a button of a catalog, of several products, of an order or of a flow opens. Every field may be empty.
type ButtonAction struct {
	Thumbnail string    `json:"thumbnail_product_retailer_id,omitempty"` // catalog, mpm: the product whose picture is shown
	Sections  []Section `json:"sections,omitempty"`                      // mpm: the products
	Payment   *Payment  `json:"order_details,omitempty"`                 // order_details
	FlowToken string    `json:"flow_token,omitempty"`
	FlowData  string    `json:"flow_action_data,omitempty"` // what the flow's first screen is given: an object of JSON
}

// UnmarshalJSON also gives the medium its kind, which the parameter's type says.
func (p *Parameter) UnmarshalJSON(b []byte) error {
	type plain Parameter
	if err := json.Unmarshal(b, (*plain)(p)); err != nil {
		return err
	}
	if p.Media != nil {
		p.Media.kind = p.Type.media()
	}
	return nil
}

// Currency is an amount of money.
type Currency struct {
	Fallback   string `json:"fallback_value"` // what is shown when the amount cannot be written in the template's language
	Code       string `json:"code"`           // ISO 4217
	Amount1000 int64  `json:"amount_1000"`    // thousandths of the currency's unit
}

// The calendars of dates.
const (
	Gregorian  = "GREGORIAN"
	SolarHijri = "SOLAR_HIJRI"
)

// DateTime is a date, as a timestamp or by its parts, which are of its Calendar. Parts that are zero (Hour and Minute: nil)
// were not given.
type DateTime struct {
	Fallback   string `json:"fallback_value"`        // what is shown when the date cannot be written in the template's language
	Timestamp  int64  `json:"timestamp,omitempty"`   // Unix seconds
	DayOfWeek  int    `json:"day_of_week,omitempty"` // 1 is Monday, 7 is Sunday; the date wins when they disagree
	Year       int    `json:"year,omitempty"`
	Month      int    `json:"month,omitempty"`
	DayOfMonth int    `json:"day_of_month,omitempty"`
	Hour       *int   `json:"hour,omitempty"`
	Minute     *int   `json:"minute,omitempty"`
	Calendar   string `json:"calendar,omitempty"` // Gregorian, or empty for the same, or SolarHijri
}
