package kabar

// Product is an entry of a catalog: what product messages show, and what customers order. Account, Catalog and RetailerID
// together are unique.
type Product struct {
	Account      AccountID    `json:"-"`
	Catalog      string       `json:"catalog_id"`
	RetailerID   string       `json:"product_retailer_id"` // as the business calls it
	Name         string       `json:"name"`
	Price        int64        `json:"price,omitempty"`    // in thousandths of the currency: 12500 EUR are 12.50 euros
	Currency     string       `json:"currency,omitempty"` // ISO 4217, such as EUR
	Image        string       `json:"image,omitempty"`    // URL of its picture; may be empty
	Availability Availability `json:"availability,omitempty"`
}

// Availability says whether a product can be had. The values are those of catalog files.
type Availability string

// The availabilities. Customers can order what is InStock or AvailableForOrder.
const (
	InStock           Availability = "in stock"
	OutOfStock        Availability = "out of stock"
	AvailableForOrder Availability = "available for order"
	Discontinued      Availability = "discontinued"
)

// CanBeOrdered reports whether customers can order the product.
func (p *Product) CanBeOrdered() bool {
	return p.Availability == InStock || p.Availability == AvailableForOrder
}
