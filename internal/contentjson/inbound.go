package contentjson

import (
	"github.com/go-json-experiment/json/jsontext"

	"kabar"
)

// What a customer has sent, as the webhooks of both dialects tell it (On-Premises contract, section 2.1; Cloud API contract,
// section 2.1).

// Context is what a message refers to, and how it came.
type Context struct {
	From      string            `json:"from,omitzero"` // who wrote the message with the id
	ID        string            `json:"id,omitzero"`
	Forwarded bool              `json:"forwarded,omitzero"`
	Frequent  bool              `json:"frequently_forwarded,omitzero"`
	Product   *kabar.ProductRef `json:"referred_product,omitzero"` // its names are those of the API
}

// Reaction is what a customer feels about a message.
type Reaction struct {
	MessageID string `json:"message_id"`
	Emoji     string `json:"emoji,omitzero"` // none: the reaction is taken back
}

// Place is where a customer is, or what is there.
type Place struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name,omitzero"`
	Address   string  `json:"address,omitzero"`
	URL       string  `json:"url,omitzero"`
}

// NewPlace writes a location.
func NewPlace(l *kabar.Location) *Place {
	return &Place{l.Latitude, l.Longitude, l.Name, l.Address, l.URL}
}

// Tap is a quick reply button of a template.
type Tap struct {
	Text    string `json:"text"`
	Payload string `json:"payload"`
}

// NewTap writes a tap on a button.
func NewTap(b *kabar.Button) *Tap { return &Tap{b.Text, b.Payload} }

// Reply answers an interactive message. One of the objects after Type is set.
type Reply struct {
	Type   kabar.ReplyType `json:"type"`
	List   *choice         `json:"list_reply,omitzero"`
	Button *choice         `json:"button_reply,omitzero"`
	Form   *form           `json:"nfm_reply,omitzero"`
	Call   *callPermission `json:"call_permission_reply,omitzero"`
}

type choice struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description,omitzero"`
}

type form struct {
	Name     string `json:"name"`
	Body     string `json:"body"`
	Response string `json:"response_json"`
}

type callPermission struct {
	Response string `json:"response"`
	Expires  int64  `json:"expiration_timestamp,omitzero"`
	Source   string `json:"response_source"`
}

// NewReply writes an answer.
func NewReply(r *kabar.Reply) *Reply {
	o := &Reply{Type: r.Type}
	switch {
	case r.Form != nil:
		o.Form = &form{r.Form.Name, r.Form.Body, r.Form.Response}
	case r.Call != nil:
		o.Call = &callPermission{r.Call.Response, r.Call.Expires, r.Call.Source}
	case r.Type == kabar.ListReply:
		o.List = &choice{r.ID, r.Title, r.Description}
	default: // buttons have no description
		o.Button = &choice{ID: r.ID, Title: r.Title}
	}
	return o
}

// Order is what a customer wants from a catalog.
type Order struct {
	Catalog string `json:"catalog_id"`
	Text    string `json:"text,omitzero"`
	Items   []item `json:"product_items"`
}

type item struct {
	RetailerID string         `json:"product_retailer_id"`
	Quantity   int            `json:"quantity"`
	Price      jsontext.Value `json:"item_price"` // a number, with as many decimals as it needs
	Currency   string         `json:"currency"`
}

// NewOrder writes an order.
func NewOrder(o *kabar.Order) *Order {
	order := &Order{Catalog: o.Catalog, Text: o.Text, Items: make([]item, 0, len(o.Items))}
	for _, i := range o.Items {
		order.Items = append(order.Items, item{i.RetailerID, i.Quantity, Decimal(i.Price), i.Currency})
	}
	return order
}
