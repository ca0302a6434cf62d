package kabar

import (
	"encoding/json"
	"strings"
	"time"
)

// Category says what a conversation is billed as. The names are those of webhooks; the Graph API writes them in capitals.
type Category string

// The categories. A template has one of the first three.
const (
	CategoryMarketing      Category = "marketing"
	CategoryUtility        Category = "utility"
	CategoryAuthentication Category = "authentication"
	CategoryService        Category = "service"        // free-form messages
	CategoryMarketingLite  Category = "marketing_lite" // messages that were sent as marketing: a template itself is CategoryMarketing
)

// CategoryNamed reads a category in either spelling; what is none stays as it is.
func CategoryNamed(s string) Category { return Category(strings.ToLower(s)) }

// Graph returns the category as the Graph API writes it.
func (c Category) Graph() string { return strings.ToUpper(string(c)) }

// TemplateStatus says whether a template may be sent.
type TemplateStatus string

// The statuses of templates, as in the Graph API. Only an approved one can be sent.
const (
	TemplateApproved        TemplateStatus = "APPROVED"
	TemplatePending         TemplateStatus = "PENDING"
	TemplateRejected        TemplateStatus = "REJECTED"
	TemplatePaused          TemplateStatus = "PAUSED"
	TemplateDisabled        TemplateStatus = "DISABLED"
	TemplateInAppeal        TemplateStatus = "IN_APPEAL"
	TemplatePendingDeletion TemplateStatus = "PENDING_DELETION"
	TemplateDeleted         TemplateStatus = "DELETED" // its name is kept for a while
	TemplateLimitExceeded   TemplateStatus = "LIMIT_EXCEEDED"
	TemplateArchived        TemplateStatus = "ARCHIVED"
)

// TemplateStatuses returns all statuses.
func TemplateStatuses() []TemplateStatus {
	return []TemplateStatus{TemplateApproved, TemplatePending, TemplateRejected, TemplatePaused, TemplateDisabled, TemplateInAppeal,
		TemplatePendingDeletion, TemplateDeleted, TemplateLimitExceeded, TemplateArchived}
}

// TemplateID is what the APIs call a template by: a number of 15 or 16 digits that JSON carries exactly everywhere.
type TemplateID int64

// The formats of parameters.
const (
	Positional = "POSITIONAL" // {{1}}, {{2}}…; the default
	Named      = "NAMED"      // {{name}}
)

// TemplateDef is a template: text with placeholders that was reviewed and may be sent outside the window. Name and
// language together are unique in an account. Its components have the JSON form of the Graph API.
type TemplateDef struct {
	Account         AccountID           `json:"-"`
	ID              TemplateID          `json:"-"` // the store gives it
	Name            string              `json:"name"`
	Language        string              `json:"language"`
	Category        Category            `json:"category"`
	Status          TemplateStatus      `json:"status"`
	ParameterFormat string              `json:"parameter_format,omitempty"` // Positional or Named; the placeholders say the same
	SubCategory     string              `json:"sub_category,omitempty"`
	TTL             int                 `json:"message_send_ttl_seconds,omitzero"` // seconds; -1 is DefaultTTL, 0 the category's default
	Library         string              `json:"library_template_name,omitempty"`   // what it was made from
	Components      []TemplateComponent `json:"components"`
	Life            TemplateLife        `json:"-"` // what review and time have made of it
}

// codeLifetime is how long a one-time password is tried unless its template says otherwise.
const codeLifetime = 10 * time.Minute

// Lifetime returns how long a message of the template is tried when the request does not say.
func (d *TemplateDef) Lifetime() time.Duration {
	switch {
	case d.TTL > 0:
		return time.Duration(d.TTL) * time.Second
	case d.TTL == 0 && d.Category == CategoryAuthentication:
		return codeLifetime
	}
	return DefaultTTL
}

// The types of TemplateComponent.
const (
	TemplateHeader   = "HEADER"
	TemplateBody     = "BODY"
	TemplateFooter   = "FOOTER"
	TemplateButtons  = "BUTTONS"
	TemplateCarousel = "CAROUSEL"
	TemplateOffer    = "LIMITED_TIME_OFFER"
	TemplateCall     = "CALL_PERMISSION_REQUEST"
)

// The formats of a header. IMAGE, VIDEO and DOCUMENT are the media kinds in capitals.
const (
	FormatText     = "TEXT" // the default
	FormatLocation = "LOCATION"
	FormatImage    = "IMAGE"
	FormatVideo    = "VIDEO"
	FormatDocument = "DOCUMENT"
	FormatGIF      = "GIF"     // marketing only
	FormatProduct  = "PRODUCT" // of a catalog
)

// TemplateComponent is a part of a template.
type TemplateComponent struct {
	Type    string           `json:"type"`
	Format  string           `json:"format,omitempty"`  // TemplateHeader: TEXT, LOCATION, IMAGE, VIDEO or DOCUMENT
	Text    string           `json:"text,omitempty"`    // placeholders are {{1}}, {{2}}… or {{name}}; none in a footer
	Buttons []TemplateButton `json:"buttons,omitempty"` // TemplateButtons

	Cards []TemplateCard `json:"cards,omitempty"`              // TemplateCarousel
	Offer *TimedOffer    `json:"limited_time_offer,omitempty"` // TemplateOffer

	// What only review looks at.
	Example        rawJSON `json:"example,omitempty"`                    // a TemplateExample, as it came
	Recommendation bool    `json:"add_security_recommendation,omitzero"` // TemplateBody of a one-time password
	CodeMinutes    int     `json:"code_expiration_minutes,omitzero"`     // TemplateFooter of a one-time password
}

// TemplateCard is a card of a carousel.
type TemplateCard struct {
	Components []TemplateComponent `json:"components"`
}

// TimedOffer is an offer that ends at a time which each message names.
type TimedOffer struct {
	Text   string `json:"text"`
	Expiry bool   `json:"has_expiration,omitzero"` // the message shows when it ends
}

// TemplateButtonType says what a button of a template does.
type TemplateButtonType string

// ContactText is on a ButtonContact that has no text of its own.
const ContactText = "Share contact info"

// The types of buttons. TemplateButtonType.canSend says which can be sent.
const (
	ButtonQuickReply TemplateButtonType = "QUICK_REPLY" // sends a Button back
	ButtonURL        TemplateButtonType = "URL"
	ButtonPhone      TemplateButtonType = "PHONE_NUMBER"
	ButtonCopyCode   TemplateButtonType = "COPY_CODE" // copies a coupon
	ButtonOTP        TemplateButtonType = "OTP"       // copies a one-time password
	ButtonCatalog    TemplateButtonType = "CATALOG"
	ButtonFlow       TemplateButtonType = "FLOW"
	ButtonProducts   TemplateButtonType = "MPM" // several products
	ButtonProduct    TemplateButtonType = "SPM" // one product
	ButtonCall       TemplateButtonType = "VOICE_CALL"
	ButtonContact    TemplateButtonType = "REQUEST_CONTACT_INFO" // sends the customer's own contact back
	ButtonApp        TemplateButtonType = "APP"                  // opens an application of the business
	ButtonOrder      TemplateButtonType = "ORDER_DETAILS"
)

// TemplateButton is a button of a template.
type TemplateButton struct {
	Type  TemplateButtonType `json:"type"`
	Text  string             `json:"text,omitempty"`
	URL   string             `json:"url,omitempty"` // may have placeholders after the host name
	Phone string             `json:"phone_number,omitempty"`

	// ButtonOTP.
	OTPType   string         `json:"otp_type,omitempty"` // COPY_CODE, ONE_TAP or ZERO_TAP
	Autofill  string         `json:"autofill_text,omitempty"`
	ZeroTap   bool           `json:"zero_tap_terms_accepted,omitzero"`
	Apps      []SupportedApp `json:"supported_apps,omitempty"` // who takes the code by itself
	Package   string         `json:"package_name,omitempty"`   // the older form of one app
	Signature string         `json:"signature_hash,omitempty"`

	// ButtonFlow.
	FlowID         flexibleID `json:"flow_id,omitempty"`
	FlowJSON       string     `json:"flow_json,omitempty"`
	FlowName       string     `json:"flow_name,omitempty"` // in the place of FlowID
	FlowAction     string     `json:"flow_action,omitempty"`
	NavigateScreen string     `json:"navigate_screen,omitempty"`

	Example rawJSON `json:"example,omitempty"` // for review
}

// SupportedApp is an application on the customer's telephone that takes one-time passwords.
type SupportedApp struct {
	Package   string `json:"package_name"`
	Signature string `json:"signature_hash"`
}

// flexibleID is an id that is written as a string or as a number.
type flexibleID string

// UnmarshalJSON reads either form; a null leaves it unchanged.
func (id *flexibleID) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] != '"' && b[0] != 'n' {
		var n json.Number
		err := json.Unmarshal(b, &n)
		*id = flexibleID(n)
		return err
	}
	return json.Unmarshal(b, (*string)(id))
}

// takes returns the sub-type of the component that fills a button; empty when nothing does.
func (t TemplateButtonType) takes() string {
	switch t {
	case ButtonQuickReply:
		return SubTypeQuickReply
	case ButtonURL, ButtonOTP:
		return SubTypeURL
	case ButtonCopyCode:
		return SubTypeCopyCode
	case ButtonCatalog:
		return SubTypeCatalog
	case ButtonProducts:
		return SubTypeProducts
	case ButtonFlow:
		return SubTypeFlow
	case ButtonCall:
		return SubTypeCall
	case ButtonOrder:
		return SubTypeOrder
	default: // nothing
	}
	return ""
}

// canSend reports whether a template with such a button can be sent.
func (t TemplateButtonType) canSend() bool {
	return t.takes() != "" || t == ButtonPhone || t == ButtonProduct || t == ButtonContact || t == ButtonApp
}
