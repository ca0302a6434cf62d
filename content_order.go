package kabar

// KindOrder is a customer's order from a catalog.
const KindOrder Kind = "order"

// Order is what a customer has put into the cart. Inbound only.
type Order struct {
	Catalog string      `json:"catalog_id"`
	Text    string      `json:"text,omitempty"` // what the customer wrote with it
	Items   []OrderItem `json:"product_items"`
}

// OrderItem is a product of an order, at the price that the customer saw.
type OrderItem struct {
	RetailerID string `json:"product_retailer_id"`
	Quantity   int    `json:"quantity"`   // 1 or more
	Price      int64  `json:"item_price"` // of one, in thousandths of the currency
	Currency   string `json:"currency"`
}

// Kind returns KindOrder.
func (o *Order) Kind() Kind { return KindOrder }

// Validate refuses: only customers order.
func (o *Order) Validate() error { return checkUnsent(KindOrder) }
