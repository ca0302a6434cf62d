package kabar

// Category says what a conversation is billed as. The names are those of webhooks; the Graph API writes them in capitals.
type Category string

// The categories. A template has one of the first three.
const (
	CategoryMarketing      Category = "marketing"
	CategoryUtility        Category = "utility"
	CategoryAuthentication Category = "authentication"
	CategoryService        Category = "service" // free-form messages
)

// TemplateStatus says whether a template may be sent.
type TemplateStatus string

// The statuses of templates. Only an approved one can be sent.
const (
	TemplateApproved TemplateStatus = "APPROVED"
	TemplatePending  TemplateStatus = "PENDING"
	TemplateRejected TemplateStatus = "REJECTED"
	TemplatePaused   TemplateStatus = "PAUSED"
	TemplateDisabled TemplateStatus = "DISABLED"
)

// TemplateDef is a template: text with placeholders that was reviewed and may be sent outside the window. Name and
// language together are unique in an account. Its components have the JSON form of the Graph API.
type TemplateDef struct {
	Account    AccountID           `json:"-"`
	Name       string              `json:"name"`
	Language   string              `json:"language"`
	Category   Category            `json:"category"`
	Status     TemplateStatus      `json:"status"`
	Components []TemplateComponent `json:"components"`
}

// The types of TemplateComponent.
const (
	TemplateHeader  = "HEADER"
	TemplateBody    = "BODY"
	TemplateFooter  = "FOOTER"
	TemplateButtons = "BUTTONS"
)

// FormatText is the Format of a header with text, and the default. The others are the media kinds in capitals.
const FormatText = "TEXT"

// TemplateComponent is a part of a template.
type TemplateComponent struct {
	Type    string           `json:"type"`
	Format  string           `json:"format,omitempty"`  // TemplateHeader: TEXT, IMAGE, VIDEO or DOCUMENT
	Text    string           `json:"text,omitempty"`    // placeholders are {{1}}, {{2}}… or {{name}}; none in a footer
	Buttons []TemplateButton `json:"buttons,omitempty"` // TemplateButtons
}

// TemplateButtonType says what a button of a template does.
type TemplateButtonType string

// The types of buttons.
const (
	ButtonQuickReply TemplateButtonType = "QUICK_REPLY" // sends a Button back
	ButtonURL        TemplateButtonType = "URL"
	ButtonPhone      TemplateButtonType = "PHONE_NUMBER"
)

// TemplateButton is a button of a template.
type TemplateButton struct {
	Type  TemplateButtonType `json:"type"`
	Text  string             `json:"text"`
	URL   string             `json:"url,omitempty"` // may have placeholders after the host name
	Phone string             `json:"phone_number,omitempty"`
}
