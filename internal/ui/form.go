package ui

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kabar"
)

// Form is a button below a bubble that opens something to fill in: an order, a flow, an address, a location.
type Form struct {
	ID     string // of the dialog
	Icon   string
	Button string
	Call   string // method and address; empty: nobody to tell it
	Fields []Field

	// Of a flow that is gone through screen by screen.
	Steps   bool   // the button calls, too, to open it, and the dialog stays open until the flow has ended
	Screen  string // the present one; empty: there is none to fill in
	Send    string // what leads on; empty: "Send"
	Back    bool   // there is a screen before this one
	Decides bool   // what is filled in decides what else is asked, so it is told when it changes
	Stuck   bool   // what leads on cannot be used yet
	Waiting bool   // for an answer
	Told    string // what is wrong
	Empty   bool   // there is nothing to send
}

// Field is an entry of a form.
type Field struct {
	Name  string // path in the request
	Item  string // of an order: the product whose quantity it is
	Label string
	Value string
	// Type is "text", "number", "degrees", or "json" for a text of several lines; of a flow also "area", "date", "email", "tel",
	// "password", "check", "select", "radio", "many", and for what asks nothing "title" and "note".
	Type     string
	Fault    string // what was wrong with an earlier answer, or why it cannot be had
	Note     string // a word of help
	Required bool
	Off      bool // it cannot be filled in
	Begun    bool // there was something in it to begin with, so it says that it was emptied
	Options  []Option
	Checked  bool     // of "check"
	Chosen   []string // of "many"
}

// Good is a product with its price, or one that was ordered with its quantity.
type Good struct {
	Name, Note string
}

// Person is a contact card.
type Person struct {
	Name  string
	Lines []string // numbers, addresses, where the person works
}

// Ad is where the customer came from.
type Ad struct {
	Headline, Body string
	URL            string // of the ad; empty: it is no link
	Picture        string // address of its picture
	Video          bool   // the picture is one
}

func (b Bubble) form(icon, button, call string, fields []Field) *Form {
	if b.Action == "" {
		return &Form{ID: "form-" + b.ID, Icon: icon, Button: button, Fields: fields}
	}
	return &Form{ID: "form-" + b.ID, Icon: icon, Button: button, Call: "POST " + b.Action + call, Fields: fields}
}

// toFill returns what a message asks to be filled in; nil when it asks for nothing.
func (b Bubble) toFill(i *kabar.Interactive) *Form {
	a := &i.Action
	switch i.Type {
	case kabar.InteractiveFlow:
		if a.Flow != nil {
			return b.flow(a.Flow)
		}
	case kabar.InteractiveAddress:
		if a.Address != nil {
			return b.form("pin", "Provide address", "/answer", addressFields(a.Address))
		}
	case kabar.InteractivePlace:
		return b.form("pin", "Send location", "/answer", []Field{{Name: "location.latitude", Label: "Latitude", Type: "degrees", Value: "41.40338"},
			{Name: "location.longitude", Label: "Longitude", Type: "degrees", Value: "2.17403"}, {Name: "location.name", Label: "Name", Type: "text"}})
	case kabar.InteractiveProduct, kabar.InteractiveProducts, kabar.InteractiveCatalog:
		return b.form("list", "Order", "/order", orderFields(a.Products))
	case kabar.InteractiveCarousel:
		if i.ShowsProducts() {
			return b.form("list", "Order", "/order", orderFields(a.Products))
		}
	case kabar.InteractiveButton, kabar.InteractiveList, kabar.InteractiveLink, kabar.InteractivePermission, kabar.InteractiveCall,
		kabar.InteractivePayment, kabar.InteractiveUpdate:
	}
	return nil
}

// sells reports whether a button leads to products that can be ordered.
func sells(button kabar.RenderedButton) bool {
	return button.Type == kabar.ButtonCatalog || button.Type == kabar.ButtonProducts || button.Type == kabar.ButtonProduct
}

// toOrder returns what the buttons of a template offer, those of its cards together; nil when they offer nothing.
func (b Bubble) toOrder(t *kabar.Template) *Form {
	shown := kabar.ShownProducts(t)
	buttons := t.Rendered.Buttons
	for _, card := range t.Rendered.Cards {
		buttons = append(slices.Clip(buttons), card.Buttons...)
	}
	at := slices.IndexFunc(buttons, sells)
	if at < 0 || len(shown) == 0 {
		return nil
	}
	return b.form("list", cmp.Or(buttons[at].Text, "Order"), "/order", orderFields(shown))
}

func addressFields(a *kabar.AddressForm) []Field {
	var fields []Field
	for _, name := range kabar.AddressFields(a.Country) {
		label := strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(name, "in_"), "sg_"), "_", " ")
		fields = append(fields, Field{Name: "response." + name, Label: strings.ToUpper(label[:1]) + label[1:], Type: "text", Value: a.Values[name], Fault: a.Errors[name]})
	}
	return fields
}

func orderFields(products []kabar.Product) []Field {
	fields := make([]Field, 0, len(products)+1)
	for n := range products {
		p := &products[n]
		f := Field{Item: p.RetailerID, Label: cmp.Or(p.Name, p.RetailerID) + " · " + price(p.Price, p.Currency), Type: "number"}
		if !p.CanBeOrdered() {
			f.Fault = cmp.Or(string(p.Availability), "not available")
		}
		fields = append(fields, f)
	}
	return append(fields, Field{Name: "text", Label: "Message", Type: "text"})
}

func goods(products []kabar.Product) []Good {
	out := make([]Good, 0, len(products))
	for _, p := range products {
		out = append(out, Good{cmp.Or(p.Name, p.RetailerID), price(p.Price, p.Currency)})
	}
	return out
}

func orderParts(o *kabar.Order) Parts {
	p := Parts{Text: Spans(o.Text)}
	count, total := 0, int64(0)
	for _, i := range o.Items {
		p.Goods = append(p.Goods, Good{fmt.Sprintf("%d × %s", i.Quantity, i.RetailerID), price(i.Price*int64(i.Quantity), i.Currency)})
		count, total = count+i.Quantity, total+i.Price*int64(i.Quantity)
	}
	p.Title = Spans(fmt.Sprintf("Order of %d", count))
	if len(o.Items) > 0 {
		p.Footer = "Total " + price(total, o.Items[0].Currency)
	}
	return p
}

func formParts(f *kabar.Form) Parts {
	p := Parts{Text: Spans(f.Body)}
	var answers map[string]any
	if json.Unmarshal([]byte(f.Response), &answers) == nil {
		if values, ok := answers["values"].(map[string]any); ok {
			answers = values
		}
		delete(answers, "flow_token")
		for _, name := range slices.Sorted(maps.Keys(answers)) {
			p.Goods = append(p.Goods, Good{name, kabar.ShowFlowValue(answers[name])})
		}
	}
	return p
}

func people(cards []kabar.Card) []Person {
	out := make([]Person, 0, len(cards))
	for _, c := range cards {
		p := Person{Name: c.Name.Formatted}
		for _, n := range c.Phones {
			p.Lines = append(p.Lines, cmp.Or(n.Phone, n.WaID))
		}
		for _, e := range c.Emails {
			p.Lines = append(p.Lines, e.Email)
		}
		if c.Org != nil && c.Org.Company != "" {
			p.Lines = append(p.Lines, c.Org.Company)
		}
		out = append(out, p)
	}
	return out
}

// price writes thousandths as people do, with two decimals, or three where they are needed.
func price(thousandths int64, currency string) string {
	digits := 2
	if thousandths%10 != 0 {
		digits = 3
	}
	return strings.TrimSpace(fmt.Sprintf("%.*f %s", digits, float64(thousandths)/1000, currency))
}
