package contentjson

import (
	"fmt"

	"kabar"
)

// payment holds the parameters of review_and_pay and of review_order.
type payment struct {
	Reference     string  `json:"reference_id"`
	Type          string  `json:"type"`
	Currency      string  `json:"currency"`
	Total         *amount `json:"total_amount"`
	Configuration string  `json:"payment_configuration"`
	PaymentType   string  `json:"payment_type"` // named by some clients; the business's ways to pay say it
	Order         *paid   `json:"order"`
}

type paid struct {
	Status      string     `json:"status"`
	Description string     `json:"description"` // of an update
	Items       []paidItem `json:"items"`
	Subtotal    *amount    `json:"subtotal"`
	Tax         *amount    `json:"tax"`
	Shipping    *amount    `json:"shipping"`
	Discount    *amount    `json:"discount"`
}

type paidItem struct {
	RetailerID string  `json:"retailer_id"`
	Name       string  `json:"name"`
	Amount     *amount `json:"amount"`
	Sale       *amount `json:"sale_amount"`
	Quantity   int     `json:"quantity"`
}

type amount struct {
	Value       *int64 `json:"value"`
	Offset      *int64 `json:"offset"`
	Description string `json:"description"`
}

// offset is what all amounts are divided by.
const offset = 100

func (p *payment) read(field string) (*kabar.Payment, error) {
	if p.Order == nil {
		return nil, kabar.Refuse(kabar.ReasonMissing, field+".order", "is required")
	}
	out := &kabar.Payment{Reference: p.Reference, Goods: p.Type, Currency: p.Currency, Configuration: p.Configuration, Status: p.Order.Status}
	var err error
	if out.Total, err = p.Total.read(field + ".total_amount"); err != nil {
		return nil, err
	}
	if out.Subtotal, err = p.Order.Subtotal.read(field + ".order.subtotal"); err != nil {
		return nil, err
	}
	for n, i := range p.Order.Items {
		item, err := i.read(fmt.Sprintf("%s.order.items[%d]", field, n))
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, item)
	}
	for _, x := range []struct {
		name string
		of   *amount
	}{{kabar.PaidTax, p.Order.Tax}, {kabar.PaidShipping, p.Order.Shipping}, {kabar.PaidDiscount, p.Order.Discount}} {
		if x.of == nil {
			continue
		}
		of, err := x.of.read(field + ".order." + x.name)
		if err != nil {
			return nil, err
		}
		out.Extras = append(out.Extras, kabar.PaidAmount{Name: x.name, Amount: of, Text: x.of.Description})
	}
	return out, nil
}

func (i *paidItem) read(field string) (out kabar.PaidItem, err error) {
	out = kabar.PaidItem{RetailerID: i.RetailerID, Name: i.Name, Quantity: i.Quantity}
	if out.Amount, err = i.Amount.read(field + ".amount"); err == nil && i.Sale != nil {
		out.Sale, err = i.Sale.read(field + ".sale_amount")
	}
	return out, err
}

func (p *payment) update() *kabar.OrderUpdate {
	u := &kabar.OrderUpdate{Reference: p.Reference}
	if p.Order != nil {
		u.Status, u.Text = p.Order.Status, p.Order.Description
	}
	return u
}

// read returns the amount in hundredths.
func (a *amount) read(field string) (int64, error) {
	switch {
	case a == nil:
		return 0, kabar.Refuse(kabar.ReasonMissing, field, "is required: value and offset")
	case a.Value == nil:
		return 0, kabar.Refuse(kabar.ReasonMissing, field+".value", "is required: a whole number, the price times %d", offset)
	case a.Offset == nil || *a.Offset != offset:
		return 0, kabar.Refuse(kabar.ReasonInvalid, field+".offset", "must be %d", offset)
	}
	return *a.Value, nil
}
