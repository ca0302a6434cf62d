package phone

import (
	"context"
	"encoding/json"
	"errors"
	"maps"

	"kabar"
)

// Cart is what a customer orders from a message with products.
type Cart struct {
	Text  string     `json:"text"`
	Items []CartItem `json:"items"`
}

// CartItem is so many of a product.
type CartItem struct {
	RetailerID string `json:"product_retailer_id"`
	Quantity   int    `json:"quantity"`
}

// Order orders products that a message of the business shows, at the prices that it shows.
func (p *Phone) Order(ctx context.Context, handle, id string, cart Cart) (order string, err error) {
	err = p.onMessage(ctx, handle, id, func(t *tx, c *customer, m *message) error {
		shown := kabar.ShownProducts(m.content)
		if m.mine || len(shown) == 0 {
			return refuse(CodeConflict, "The message %s shows no products. Order from one that does.", id)
		}
		content, err := cart.order(shown)
		if err != nil {
			return err
		}
		order, err = t.write(ctx, c, m.business, Draft{Content: content, ReplyTo: id})
		return err
	})
	return order, err
}

// order makes an order of products, which are of one catalog.
func (cart Cart) order(products []kabar.Product) (*kabar.Order, error) {
	shown := make(map[string]kabar.Product, len(products))
	for _, p := range products {
		shown[p.RetailerID] = p
	}
	o := &kabar.Order{Catalog: products[0].Catalog, Text: cart.Text}
	for _, item := range cart.Items {
		p, ok := shown[item.RetailerID]
		switch {
		case !ok:
			return nil, refuse(CodeNotFound, "The message shows no product %.60q. Order one that it shows.", item.RetailerID)
		case !p.CanBeOrdered():
			return nil, refuse(CodeConflict, "The product %.60q is %s. Order another one.", item.RetailerID, p.Availability)
		case item.Quantity < 1 || item.Quantity > maxQuantity:
			return nil, refuse(CodeInvalid, "The quantity of %.60q is %d. Give 1 to %d.", item.RetailerID, item.Quantity, maxQuantity)
		}
		o.Items = append(o.Items, kabar.OrderItem{RetailerID: p.RetailerID, Quantity: item.Quantity, Price: p.Price, Currency: p.Currency})
	}
	if len(o.Items) == 0 {
		return nil, refuse(CodeInvalid, `The order has no "items". Give {"items": [{"product_retailer_id", "quantity"}]}.`)
	}
	return o, nil
}

// Answer fills in the flow or the address that a message of the business asks for. Response holds the answers: an object. An
// address is sent under "values", and what a flow was opened with comes back as "flow_token".
//
// A request for a location is answered with one.
func (p *Phone) Answer(ctx context.Context, handle, id string, response map[string]any, location *kabar.Location) (answer string, err error) {
	return p.answerWith(ctx, handle, id, response, location, nil)
}

// Fill fills in the screens of a flow that came with the message, and sends what the flow makes of it at its end.
func (p *Phone) Fill(ctx context.Context, handle, id string, screens kabar.FlowAnswers) (answer string, err error) {
	return p.answerWith(ctx, handle, id, nil, nil, screens)
}

func (p *Phone) answerWith(ctx context.Context, handle, id string, response map[string]any, location *kabar.Location, screens kabar.FlowAnswers) (answer string, err error) {
	err = p.onMessage(ctx, handle, id, func(t *tx, c *customer, m *message) error {
		if screens != nil {
			if response, err = m.filledIn(id, screens); err != nil {
				return err
			}
		}
		content, err := m.answered(id, response, location, screens != nil)
		if err != nil {
			return err
		}
		answer, err = t.write(ctx, c, m.business, Draft{Content: content, ReplyTo: id})
		return err
	})
	return answer, err
}

// filledIn follows the flow of a message to its end.
func (m *message) filledIn(id string, screens kabar.FlowAnswers) (map[string]any, error) {
	flow := kabar.FlowOf(m.content)
	if m.mine || flow == nil || flow.Form == "" {
		return nil, refuse(CodeConflict, `The message %s brought no flow that could be filled in here. Give {"response": {…}}.`, id)
	}
	form, faults := kabar.ParseFlow(flow.Form)
	if len(faults) > 0 {
		return nil, refuse(CodeConflict, `The flow of the message %s has faults. Give {"response": {…}}.`, id)
	}
	screen, data := flow.Opened()
	response, err := form.Complete(screen, data, screens)
	if fault, ok := errors.AsType[*kabar.Error](err); ok {
		return nil, refuse(CodeInvalid, "The flow cannot be ended: %s. Correct it.", fault.Explanation())
	}
	if err == nil && len(response) == 0 { // its end says nothing; the answer still has its token
		response = map[string]any{}
		for _, given := range screens {
			maps.Copy(response, given)
		}
	}
	return response, err
}

// answered is the answer to what a message asks for.
func (m *message) answered(id string, response map[string]any, location *kabar.Location, filled bool) (kabar.Content, error) {
	flow, place, address := kabar.FlowOf(m.content), false, false
	if i, ok := m.content.(*kabar.Interactive); ok {
		place, address = i.Type == kabar.InteractivePlace, i.Action.Address != nil
	}
	switch {
	case m.mine || flow == nil && !address && !place:
		return nil, refuse(CodeConflict, "The message %s asks for nothing to fill in. Answer one with a flow, an address form or a request for a location.", id)
	case place && location == nil:
		return nil, refuse(CodeInvalid, `The answer has no location. Give {"location": {"latitude", "longitude"}}.`)
	case place:
		return location, nil
	case len(response) == 0 && !filled:
		return nil, refuse(CodeInvalid, `The answer is empty. Give {"response": {…}}.`)
	}
	name, body := kabar.FormFlow, "Sent"
	if flow == nil {
		name, body, response = kabar.FormAddress, "Address sent", map[string]any{"values": response}
	} else if flow.Token != "" {
		response["flow_token"] = flow.Token
	}
	text, err := json.Marshal(response)
	if err != nil {
		return nil, err
	}
	return formReply(name, body, string(text))
}

// Forward sends a message that the handset has to a business (empty: the one of its chat) once more, marked as forwarded. What
// was forwarded many times stays so; frequent says that it now is.
func (p *Phone) Forward(ctx context.Context, handle, id, to string, frequent bool) (forwarded string, err error) {
	err = p.onMessage(ctx, handle, id, func(t *tx, c *customer, m *message) error {
		business := m.business
		if to != "" {
			if business, err = p.target(to); err != nil {
				return err
			}
		}
		content, err := m.copied()
		if err != nil {
			return err
		}
		forwarded, err = t.write(ctx, c, business, Draft{Content: content, Media: m.mediaID, Forwarded: true, Frequent: frequent || m.forwarded > 1})
		return err
	})
	return forwarded, err
}

// copied returns what is forwarded of a message: what a customer could have written. A message with buttons is its text.
func (m *message) copied() (kabar.Content, error) {
	switch c := m.content.(type) {
	case *kabar.Media:
		out := kabar.NewMedia(c.Kind())
		out.Caption, out.Filename, out.Voice, out.Pack = c.Caption, c.Filename, c.Voice, c.Pack
		return out, m.forwardable()
	case *kabar.Text, *kabar.Location, *kabar.Contacts:
		return c, m.forwardable()
	case *kabar.Interactive:
		if c.Body != "" {
			return &kabar.Text{Body: c.Body}, m.forwardable()
		}
	case *kabar.Template:
		if c.Rendered != nil && c.Rendered.Body != "" {
			return &kabar.Text{Body: c.Rendered.Body}, m.forwardable()
		}
	}
	return nil, refuse(CodeConflict, "A message of the kind %q cannot be forwarded. Forward a text, a medium, a location or contacts.", m.kind)
}

func (m *message) forwardable() error {
	if m.deleted || m.kind == KindRemark {
		return refuse(CodeConflict, "The message was deleted, or nobody has written it. Forward another one.")
	}
	return nil
}
