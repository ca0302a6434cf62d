package kabar

import (
	"encoding/json"
	"slices"
)

// KindInteractive is a message that the customer can answer by a tap: with buttons, a list, products, a form or a link.
const KindInteractive Kind = "interactive"

// InteractiveType says what the customer can do with an interactive message.
type InteractiveType string

// The types of interactive messages.
const (
	InteractiveButton   InteractiveType = "button"                   // up to three reply buttons
	InteractiveList     InteractiveType = "list"                     // a button that opens a list of rows
	InteractiveProduct  InteractiveType = "product"                  // one product of a catalog
	InteractiveProducts InteractiveType = "product_list"             // products of a catalog, in sections
	InteractiveCatalog  InteractiveType = "catalog_message"          // a button that opens the catalog
	InteractiveLink     InteractiveType = "cta_url"                  // a button that opens a website
	InteractiveFlow     InteractiveType = "flow"                     // a button that opens a form of several screens
	InteractiveAddress  InteractiveType = "address_message"          // a form for a postal address
	InteractivePlace    InteractiveType = "location_request_message" // a button that sends the customer's location

	// Types that only the Cloud API has.
	InteractiveCarousel   InteractiveType = "carousel"                // cards beside each other
	InteractivePermission InteractiveType = "call_permission_request" // asks whether the business may call
	InteractiveCall       InteractiveType = "voice_call"              // a button that calls the business
	InteractivePayment    InteractiveType = "order_details"           // an order to look at and to pay for
	InteractiveUpdate     InteractiveType = "order_status"            // how far such an order has come
)

// InteractiveTypes returns the types that an API can send: all for the Cloud API, those that it shares with the other one else.
func InteractiveTypes(cloud bool) []InteractiveType {
	both := []InteractiveType{InteractiveButton, InteractiveList, InteractiveProduct, InteractiveProducts, InteractiveCatalog,
		InteractiveLink, InteractiveFlow, InteractiveAddress, InteractivePlace}
	if !cloud {
		return both
	}
	return append(both, InteractiveCarousel, InteractivePermission, InteractiveCall, InteractivePayment, InteractiveUpdate)
}

// Limits of interactive messages. Lengths are in characters.
const (
	MaxInteractiveBody   = 1024
	MaxListBody          = 4096 // which only the Cloud API allows; the other one has MaxInteractiveBody for lists, too
	MaxInteractiveFooter = 60
	MaxInteractiveHeader = 60
)

// Interactive is a message that can be answered by a tap. The answer comes back as a Reply, as an Order to products, and
// as a Location to a request for one.
type Interactive struct {
	Type   InteractiveType `json:"type"`
	Header *Header         `json:"header,omitempty"`
	Body   string          `json:"body"` // optional with one product
	Footer string          `json:"footer,omitempty"`
	Action Action          `json:"action"`
}

// Header stands above the body: a line of text (KindText) or an image, a video or a document; above that of a template a
// place (KindLocation) or a product (HeaderProduct), too.
type Header struct {
	Type     Kind        `json:"type"`
	Text     string      `json:"text,omitempty"`
	Media    *Media      `json:"media,omitempty"`
	Location *Location   `json:"location,omitempty"`
	Product  *ProductRef `json:"product,omitempty"`
}

// HeaderProduct is the type of a header with a product of a catalog, which is no kind of content.
const HeaderProduct = Kind("product")

// UnmarshalJSON also gives the medium its kind, which the header's type says.
func (h *Header) UnmarshalJSON(b []byte) error {
	type plain Header
	if err := json.Unmarshal(b, (*plain)(h)); err != nil {
		return err
	}
	if h.Media != nil {
		h.Media.kind = h.Type
	}
	return nil
}

// Action is what there is to do: the fields of the message's type are set.
type Action struct {
	Buttons  []ReplyButton  `json:"buttons,omitempty"`  // InteractiveButton
	Button   string         `json:"button,omitempty"`   // InteractiveList: the text of the button that opens the list
	Sections []Section      `json:"sections,omitempty"` // InteractiveList, InteractiveProducts
	Catalog  string         `json:"catalog,omitempty"`  // InteractiveProduct, InteractiveProducts; the engine names it for InteractiveCatalog
	Product  string         `json:"product,omitempty"`  // InteractiveProduct: as its retailer calls it; InteractiveCatalog: the one to show, optional
	Link     *Link          `json:"link,omitempty"`     // InteractiveLink
	Flow     *Flow          `json:"flow,omitempty"`     // InteractiveFlow
	Address  *AddressForm   `json:"address,omitempty"`  // InteractiveAddress
	Cards    []CarouselCard `json:"cards,omitempty"`    // InteractiveCarousel
	Call     *CallButton    `json:"call,omitempty"`     // InteractiveCall
	Payment  *Payment       `json:"payment,omitempty"`  // InteractivePayment
	Update   *OrderUpdate   `json:"update,omitempty"`   // InteractiveUpdate
	// Products are what the customer sees of the catalog. The engine sets them before the message is stored, so that a
	// later change of the catalog does not change the message.
	Products []Product `json:"products,omitempty"`
}

// Kind returns KindInteractive.
func (i *Interactive) Kind() Kind { return KindInteractive }

// Validate checks the message by its type. A list that is nil was not given and is ReasonMissing, so decoders keep nil and
// empty apart.
func (i *Interactive) Validate() error {
	return first(
		i.checkType(),
		i.checkHeader(),
		i.checkBody(),
		checkMax("interactive.footer.text", i.Footer, MaxInteractiveFooter),
		i.Action.checkStrange(i.Type),
		i.checkAction(),
	)
}

func (i *Interactive) checkType() error {
	const field = "interactive.type"
	allowed := InteractiveTypes(true)
	switch {
	case i.Type == "":
		return fault(ReasonMissing, field, "is required: one of %s", WordsOf(allowed))
	case !slices.Contains(allowed, i.Type):
		return fault(ReasonInvalid, field, "is %q, allowed are %s", i.Type, WordsOf(allowed))
	}
	return nil
}

func (i *Interactive) checkBody() error {
	const field = "interactive.body.text"
	switch i.Type {
	case InteractiveProduct:
		return checkMax(field, i.Body, MaxInteractiveBody)
	case InteractiveList:
		return checkText(field, i.Body, MaxListBody)
	default:
	}
	return checkText(field, i.Body, MaxInteractiveBody)
}

// headers returns the types of header that the message can have.
func (i *Interactive) headers() []Kind {
	switch i.Type {
	case InteractiveButton, InteractiveLink, InteractiveFlow:
		return []Kind{KindText, KindImage, KindVideo, KindDocument}
	case InteractiveList, InteractiveProducts:
		return []Kind{KindText}
	case InteractivePayment, InteractiveUpdate:
		return []Kind{KindImage}
	case InteractiveProduct, InteractiveCatalog, InteractiveAddress, InteractivePlace, InteractiveCarousel, InteractivePermission, InteractiveCall:
	}
	return nil
}

func (i *Interactive) checkHeader() error {
	const field = "interactive.header"
	h, allowed := i.Header, i.headers()
	switch {
	case h == nil && i.Type == InteractiveProducts:
		return fault(ReasonMissing, field, "is required in a list of products, with text")
	case h == nil:
		return nil
	case allowed == nil:
		return fault(ReasonHeader, field, "a message of type %q has no header", i.Type)
	case h.Type == "":
		return fault(ReasonMissing, field+".type", "is required")
	case h.Type != KindText && h.Type != KindImage && h.Type != KindVideo && h.Type != KindDocument:
		return fault(ReasonInvalid, field+".type", "is %q, allowed are text, image, video and document", h.Type)
	case !slices.Contains(allowed, h.Type):
		return fault(ReasonHeader, field+".type", "is %q, a message of type %q allows only %q", h.Type, i.Type, allowed)
	case h.Type == KindText:
		return first(
			checkAbsent(field, h.Media == nil, "a text header has no medium"),
			checkText(field+".text", h.Text, MaxInteractiveHeader),
		)
	}
	return h.checkMedia(field)
}

func (h *Header) checkMedia(field string) error {
	medium := field + "." + string(h.Type)
	switch {
	case h.Text != "":
		return fault(ReasonNotRequired, field+".text", "a header of type %q has no text", h.Type)
	case h.Media == nil:
		return fault(ReasonMissing, medium, "is required in a header of type %q", h.Type)
	case h.Media.kind != h.Type:
		return fault(ReasonInvalid, medium, "is of kind %q, the header's type is %q", h.Media.kind, h.Type)
	}
	return h.Media.validate(medium)
}

const actionField = "interactive.action"

// checkStrange refuses what belongs to another type of message.
func (a *Action) checkStrange(t InteractiveType) error {
	for _, part := range []struct {
		name  string
		given bool
		of    []InteractiveType
	}{
		{"buttons", len(a.Buttons) > 0, []InteractiveType{InteractiveButton}},
		{"button", a.Button != "", []InteractiveType{InteractiveList}},
		{"sections", len(a.Sections) > 0, []InteractiveType{InteractiveList, InteractiveProducts}},
		{"catalog_id", a.Catalog != "", []InteractiveType{InteractiveProduct, InteractiveProducts}},
		{"product_retailer_id", a.Product != "", []InteractiveType{InteractiveProduct, InteractiveCatalog}},
		{"parameters", a.Link != nil, []InteractiveType{InteractiveLink}},
		{"parameters", a.Flow != nil, []InteractiveType{InteractiveFlow}},
		{"parameters", a.Address != nil, []InteractiveType{InteractiveAddress}},
		{"cards", len(a.Cards) > 0, []InteractiveType{InteractiveCarousel}},
	} {
		if part.given && !slices.Contains(part.of, t) {
			return fault(ReasonNotRequired, actionField+"."+part.name, "belongs to a message of type %q", part.of)
		}
	}
	return nil
}

func (i *Interactive) checkAction() error {
	const field = actionField
	a := &i.Action
	switch i.Type {
	case InteractiveButton:
		return first(checkCount(field+".buttons", a.Buttons, MaxReplyButtons), checkButtons(field+".buttons", a.Buttons))
	case InteractiveList:
		return a.checkList()
	case InteractiveProduct:
		return first(checkID(field+".catalog_id", a.Catalog), checkID(field+".product_retailer_id", a.Product))
	case InteractiveProducts:
		return a.checkProducts()
	case InteractiveCatalog:
		return checkMax(field+".parameters.thumbnail_product_retailer_id", a.Product, MaxProductID)
	case InteractiveLink:
		return a.Link.check(field + ".parameters")
	case InteractiveFlow:
		return a.Flow.check(field + ".parameters")
	case InteractiveAddress:
		return a.Address.check(field + ".parameters")
	case InteractiveCarousel:
		return checkCards(field+".cards", a.Cards)
	case InteractiveCall:
		return a.Call.check(field + ".parameters")
	case InteractivePayment:
		return a.Payment.check(field + ".parameters")
	case InteractiveUpdate:
		return a.Update.check(field + ".parameters")
	case InteractivePlace, InteractivePermission:
	}
	return nil
}
