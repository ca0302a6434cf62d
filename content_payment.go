package kabar

import (
	"fmt"
	"slices"
	"strings"
)

// Limits of what is to be paid for. Lengths are in characters.
const (
	MaxReference    = 35
	MaxOrderItems   = 999
	MaxItemName     = 60
	MaxAmountText   = 60
	MaxOrderMessage = 120
	MaxPayment      = 60 // name of a way to pay
)

// Payment asks the customer to look at an order and to pay for it. How it is paid is between the customer and the business: no
// money moves here.
type Payment struct {
	Reference     string       `json:"reference"`               // of the business, unique
	Goods         string       `json:"goods"`                   // digital-goods or physical-goods
	Currency      string       `json:"currency"`                // ISO 4217, such as INR
	Configuration string       `json:"configuration,omitempty"` // of the business's ways to pay
	Total         int64        `json:"total"`                   // all amounts are in hundredths of the currency
	Status        string       `json:"status"`                  // of the order: pending
	Items         []PaidItem   `json:"items"`
	Subtotal      int64        `json:"subtotal"`
	Extras        []PaidAmount `json:"extras,omitempty"` // tax, shipping, and discount, which is subtracted
}

// PaidItem is so many of one thing.
type PaidItem struct {
	RetailerID string `json:"retailer_id,omitempty"`
	Name       string `json:"name"`
	Amount     int64  `json:"amount"`         // of one
	Sale       int64  `json:"sale,omitempty"` // in its place, when it is sold for less
	Quantity   int    `json:"quantity"`
}

// PaidAmount is what is added to the price, or subtracted from it.
type PaidAmount struct {
	Name   string `json:"name"` // PaidTax, PaidShipping or PaidDiscount
	Amount int64  `json:"amount"`
	Text   string `json:"text,omitempty"`
}

// The names of amounts beside the subtotal.
const (
	PaidTax      = "tax"
	PaidShipping = "shipping"
	PaidDiscount = "discount"
)

// OrderUpdate tells the customer how far an order has come.
type OrderUpdate struct {
	Reference string `json:"reference"` // of the Payment
	Status    string `json:"status"`
	Text      string `json:"text,omitempty"`
}

// OrderStatuses are the states that an OrderUpdate tells.
func OrderStatuses() []string {
	return []string{"pending", "processing", "partially_shipped", "shipped", "completed", "canceled"}
}

func (p *Payment) check(field string) error {
	if p == nil {
		return fault(ReasonMissing, field, "is required: reference_id, type, currency, total_amount and order")
	}
	err := first(
		checkReference(field+".reference_id", p.Reference),
		checkOneOf(field+".type", p.Goods, "digital-goods", "physical-goods"),
		checkCurrency(field+".currency", p.Currency),
		checkMax(field+".payment_configuration", p.Configuration, MaxPayment),
		checkOneOf(field+".order.status", p.Status, "pending"),
		checkCount(field+".order.items", p.Items, MaxOrderItems),
	)
	for n, i := range p.Items {
		at := fmt.Sprintf("%s.order.items[%d]", field, n)
		err = first(err, checkText(at+".name", i.Name, MaxItemName), checkMax(at+".retailer_id", i.RetailerID, MaxProductID), checkAmount(at+".amount", i.Amount),
			checkAmount(at+".sale_amount", i.Sale))
		if err == nil && i.Quantity < 1 {
			err = fault(ReasonInvalid, at+".quantity", "is %d, the least is 1", i.Quantity)
		}
	}
	return first(err, p.checkTotal(field))
}

// checkTotal adds up: a customer is not shown a sum that is wrong.
func (p *Payment) checkTotal(field string) error {
	sum := p.Subtotal
	err := first(checkAmount(field+".order.subtotal", p.Subtotal), checkAmount(field+".total_amount", p.Total))
	for _, x := range p.Extras {
		at := field + ".order." + x.Name
		err = first(err, checkAmount(at, x.Amount), checkMax(at+".description", x.Text, MaxAmountText))
		if x.Name == PaidDiscount {
			sum -= x.Amount
		} else {
			sum += x.Amount
		}
	}
	if err == nil && sum != p.Total {
		err = fault(ReasonInvalid, field+".total_amount.value", "is %d, but subtotal, tax and shipping without the discount are %d", p.Total, sum)
	}
	return err
}

func (u *OrderUpdate) check(field string) error {
	if u == nil {
		return fault(ReasonMissing, field, "is required: reference_id and order")
	}
	return first(
		checkReference(field+".reference_id", u.Reference),
		checkOneOf(field+".order.status", u.Status, OrderStatuses()...),
		checkMax(field+".order.description", u.Text, MaxOrderMessage),
	)
}

func checkReference(field, s string) error {
	foreign := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_-.", r)
	}
	if strings.ContainsFunc(s, foreign) {
		return fault(ReasonInvalid, field, "may have letters, digits, _, - and . only")
	}
	return checkText(field, s, MaxReference)
}

func checkOneOf(field, s string, allowed ...string) error {
	switch {
	case s == "":
		return fault(ReasonMissing, field, "is required: one of %s", WordsOf(allowed))
	case !slices.Contains(allowed, s):
		return fault(ReasonInvalid, field, "is %.40q, allowed are %s", s, WordsOf(allowed))
	}
	return nil
}

func checkCurrency(field, s string) error {
	if s == "" {
		return fault(ReasonMissing, field, "is required: three letters, such as INR")
	}
	if len(s) != 3 || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return fault(ReasonInvalid, field, "is %.40q, want three capital letters, such as INR", s)
	}
	return nil
}

// maxAmount keeps sums of amounts from overflowing.
const maxAmount = 1e15

func checkAmount(field string, n int64) error {
	if n < 0 || n > maxAmount {
		return fault(ReasonInvalid, field+".value", "is %d, which is no price", n)
	}
	return nil
}
