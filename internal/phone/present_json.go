package phone

import "kabar"

// The shapes of the control API: as in the webhooks (contract On-Premises API, 2.1), and for kinds that only businesses
// send as in their requests (1.5).
type (
	messageJSON struct {
		ID        string `json:"id"`
		From      string `json:"from"`
		To        string `json:"to"`
		Timestamp string `json:"timestamp"` // seconds since 1970
		Type      string `json:"type"`

		Text        *textJSON        `json:"text,omitempty"`
		Image       *mediaJSON       `json:"image,omitempty"`
		Audio       *mediaJSON       `json:"audio,omitempty"`
		Voice       *mediaJSON       `json:"voice,omitempty"`
		Video       *mediaJSON       `json:"video,omitempty"`
		Document    *mediaJSON       `json:"document,omitempty"`
		Sticker     *stickerJSON     `json:"sticker,omitempty"`
		Location    *kabar.Location  `json:"location,omitempty"`
		Contacts    []kabar.Card     `json:"contacts,omitempty"`
		Order       *orderJSON       `json:"order,omitempty"`
		Reaction    *reactionJSON    `json:"reaction,omitempty"`
		Interactive *interactiveJSON `json:"interactive,omitempty"`
		Button      *kabar.Button    `json:"button,omitempty"`
		Template    *templateJSON    `json:"template,omitempty"`
		System      *textJSON        `json:"system,omitempty"`

		Context   *contextJSON  `json:"context,omitempty"`
		Referral  *referralJSON `json:"referral,omitempty"`
		Status    string        `json:"status"`
		Deleted   bool          `json:"deleted,omitempty"`
		Reactions []reactedJSON `json:"reactions,omitempty"`
		Errors    []errorJSON   `json:"errors,omitempty"`
		Flow      *FlowPage     `json:"flow,omitempty"`
	}
	textJSON struct {
		Body    string       `json:"body"`
		Preview *previewJSON `json:"preview,omitempty"` // its picture: GET …/messages/{id}/preview
	}
	previewJSON struct {
		URL         string `json:"url"`
		Title       string `json:"title,omitempty"`
		Description string `json:"description,omitempty"`
		Image       bool   `json:"image"`
	}
	mediaJSON struct {
		ID       string `json:"id,omitempty"`
		MIME     string `json:"mime_type,omitempty"`
		SHA256   string `json:"sha256,omitempty"`
		Caption  string `json:"caption,omitempty"`
		Filename string `json:"filename,omitempty"`
		GIF      bool   `json:"gif,omitempty"`
	}
	reactionJSON struct {
		MessageID string `json:"message_id"`
		Emoji     string `json:"emoji,omitempty"`
	}
	contextJSON struct {
		ID       string            `json:"id,omitempty"`
		From     string            `json:"from,omitempty"`
		Forward  bool              `json:"forwarded,omitempty"`
		Frequent bool              `json:"frequently_forwarded,omitempty"`
		Product  *kabar.ProductRef `json:"referred_product,omitempty"`
	}
	reactedJSON struct {
		From  string `json:"from"`
		Emoji string `json:"emoji"`
	}
	errorJSON struct {
		Title string `json:"title"`
	}
	titledJSON struct {
		ID          string `json:"id"`
		Title       string `json:"title"`
		Description string `json:"description,omitempty"`
	}
	interactiveJSON struct {
		Type        string      `json:"type"`
		ButtonReply *titledJSON `json:"button_reply,omitempty"`
		ListReply   *titledJSON `json:"list_reply,omitempty"`
		FormReply   *formJSON   `json:"nfm_reply,omitempty"`
		CallReply   *callJSON   `json:"call_permission_reply,omitempty"`
		Header      *headerJSON `json:"header,omitempty"`
		Body        *lineJSON   `json:"body,omitempty"`
		Footer      *lineJSON   `json:"footer,omitempty"`
		Action      *actionJSON `json:"action,omitempty"`
	}
	lineJSON struct {
		Text string `json:"text"`
	}
	headerJSON struct {
		Type     string            `json:"type"`
		Text     string            `json:"text,omitempty"`
		Image    *mediaJSON        `json:"image,omitempty"`
		Video    *mediaJSON        `json:"video,omitempty"`
		Document *mediaJSON        `json:"document,omitempty"`
		Location *kabar.Location   `json:"location,omitempty"`
		Product  *kabar.ProductRef `json:"product,omitempty"`
	}
	actionJSON struct {
		Buttons    []buttonJSON    `json:"buttons,omitempty"`
		Button     string          `json:"button,omitempty"`
		Sections   []kabar.Section `json:"sections,omitempty"`
		Catalog    string          `json:"catalog_id,omitempty"`
		Product    string          `json:"product_retailer_id,omitempty"`
		Products   []productJSON   `json:"products,omitempty"`
		Cards      []cardJSON      `json:"cards,omitempty"`
		Parameters map[string]any  `json:"parameters,omitempty"`
	}
	buttonJSON struct {
		Type  string     `json:"type"`
		Reply titledJSON `json:"reply"`
	}
	templateJSON struct {
		Name     string                 `json:"name"`
		Language kabar.Language         `json:"language"`
		Header   *headerJSON            `json:"header,omitempty"`
		Body     string                 `json:"body,omitempty"`
		Footer   string                 `json:"footer,omitempty"`
		Buttons  []kabar.RenderedButton `json:"buttons,omitempty"`
		Cards    []templateCardJSON     `json:"cards,omitempty"`
		Offer    *kabar.RenderedOffer   `json:"limited_time_offer,omitempty"`
		Products []productJSON          `json:"products,omitempty"`

		Permission bool `json:"call_permission_request,omitempty"`
	}
	templateCardJSON struct {
		Header   *headerJSON            `json:"header,omitempty"`
		Body     string                 `json:"body,omitempty"`
		Buttons  []kabar.RenderedButton `json:"buttons,omitempty"`
		Products []productJSON          `json:"products,omitempty"`
	}
)
