package kabar

import (
	"cmp"
	"encoding/json"
	"net/url"
	"strings"
)

// render fills a button that is supported.
func (b TemplateButton) render(f filling) (RenderedButton, error) {
	r := RenderedButton{Type: b.Type, Text: b.Text}
	var err error
	switch b.Type {
	case ButtonQuickReply:
		r.Payload, err = b.payload(f)
	case ButtonURL:
		r.URL, err = b.link(f)
	case ButtonPhone:
		r.Phone, err = b.Phone, b.checkPhone()
	case ButtonOTP, ButtonCopyCode:
		r.Code, err = b.code(f)
	case ButtonCatalog:
		var a ButtonAction
		a, err = f.action()
		r.Product = a.Thumbnail
	case ButtonProducts:
		r.Product, r.Sections, err = f.products()
	case ButtonProduct: // the header names the product
	case ButtonFlow:
		var a ButtonAction
		a, err = f.action()
		r.Flow = &RenderedFlow{ID: string(b.FlowID), Name: b.FlowName, Action: b.FlowAction, Screen: b.NavigateScreen, Token: a.FlowToken, Data: a.FlowData,
			Form: b.FlowJSON}
	case ButtonCall:
		r.Minutes, err = f.minutes()
	case ButtonOrder:
		r.Payment, err = f.payment()
	case ButtonContact:
		r.Text = cmp.Or(b.Text, ContactText)
	case ButtonApp: // which one is not in the contract, so nobody says it
	}
	return r, err
}

// minutes returns how long a button that calls works, which need not be given.
func (f filling) minutes() (int, error) {
	if len(f.parameters) == 0 {
		return 0, nil
	}
	p, err := f.only(ParameterMinutes)
	if err != nil {
		return 0, err
	}
	return p.Minutes, nil
}

// payment returns the order that a button shows.
func (f filling) payment() (*Payment, error) {
	p, err := f.only(ParameterAction)
	if err != nil {
		return nil, err
	}
	if p.Action == nil || p.Action.Payment == nil {
		return nil, fault(ReasonMissing, f.field+".parameters[0].action.order_details", "is required: the order that the button shows")
	}
	return p.Action.Payment, nil
}

// SetLink gives a button the address base, with its variable at the end when example shows one that is filled in.
func (b *TemplateButton) SetLink(base, example string) {
	b.URL, b.Example = base, nil
	if example != "" {
		b.Example, _ = json.Marshal([]string{example}) // a list of texts can be written
	}
}

// only returns the one parameter of a button, which is of type p.
func (f filling) only(p ParameterType) (*Parameter, error) {
	if err := f.checkCount(1); err != nil {
		return nil, err
	}
	if got := f.parameters[0].Type; got != p {
		return nil, fault(ReasonTemplateFormat, f.field+".parameters[0].type", "is %q, the button takes %q", got, p)
	}
	return &f.parameters[0], nil
}

// payload returns what a tap on a quick reply reports: the text of the button unless the request says otherwise.
func (b TemplateButton) payload(f filling) (string, error) {
	if len(f.parameters) == 0 {
		return b.Text, nil
	}
	p, err := f.only(ParameterPayload)
	if err != nil {
		return "", err
	}
	return p.Payload, nil
}

// code returns what a tap copies. The code of a one-time password comes as the text of a URL's parameter.
func (b TemplateButton) code(f filling) (string, error) {
	if b.Type == ButtonCopyCode {
		p, err := f.only(ParameterCoupon)
		if err != nil {
			return "", err
		}
		return p.Coupon, nil
	}
	p, err := f.only(ParameterText)
	if err != nil {
		return "", err
	}
	if n := len([]rune(p.Text)); n > MaxCoupon {
		return "", fault(ReasonTemplateParamLong, f.field+".parameters[0].text", "has %d characters, the limit of a code is %d", n, MaxCoupon)
	}
	return p.Text, nil
}

// action returns what a catalog or a flow is opened with, which need not be given.
func (f filling) action() (ButtonAction, error) {
	if len(f.parameters) == 0 {
		return ButtonAction{}, nil
	}
	p, err := f.only(ParameterAction)
	if err != nil || p.Action == nil {
		return ButtonAction{}, err
	}
	return *p.Action, nil
}

// link fills the URL of a button. Only the reviewed template chooses the host: a value that changes it is refused.
func (b TemplateButton) link(f filling) (string, error) {
	link, err := f.text(b.URL)
	if err != nil || link == b.URL {
		return link, err
	}
	bare, err := url.Parse(substitute(b.URL, func(string) string { return "" }))
	filled, err2 := url.Parse(link)
	if err != nil || err2 != nil || filled.Host == "" || filled.Host != bare.Host || filled.Scheme != bare.Scheme {
		return "", fault(ReasonTemplateURL, f.field+".parameters[0].text", "does not make a valid URL on the host of the template")
	}
	return link, nil
}

// checkPhone checks that a telephone can dial the number.
func (b TemplateButton) checkPhone() error {
	digits := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(strings.TrimPrefix(b.Phone, "+"))
	if len(digits) < 3 || len(digits) > 15 || strings.Trim(digits, "0123456789") != "" {
		return fault(ReasonTemplatePhone, "template.name", "the template's button %q calls %q, which is no phone number", b.Text, b.Phone)
	}
	return nil
}
