package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/engine"
	"kabar/internal/onprem"
)

type templateSendCmd struct {
	storeFlags `embed:""`
	Name       string   `arg:"" help:"Name of the template."`
	Language   string   `arg:"" help:"Its language, such as es or es_ES."`
	To         string   `required:"" help:"The customer: a phone number with its country code." env:"-"`
	Number     string   `help:"The business number to send from; may be left out when there is one." env:"-"`
	Header     string   `help:"What the header takes: a text, or the link of a medium." env:"-"`
	Body       []string `help:"What the body takes, one flag a variable, in their order; or NAME=TEXT when they have names." sep:"none" env:"-"`
	Button     []string `help:"INDEX=TEXT for a button that takes something: the end of a link, a code, a payload." sep:"none" env:"-"`
}

// Help is shown by kabar template send --help.
func (*templateSendCmd) Help() string {
	return `Sends a template to one customer through the running server, as an application would: to try what it looks like.

  kabar template send parcel en --to +34600111222 --body Ana --body 1042 --button 0=1042 --data server
  kabar template send invoice id --to +34600111222 --header https://shop.example/invoice.pdf --body Ana --data server`
}

type (
	sendTemplate struct {
		Name     string   `json:"name"`
		Language string   `json:"language"`
		To       string   `json:"to"`
		Number   string   `json:"number"`
		Header   string   `json:"header"`
		Body     []string `json:"body"`
		Button   []string `json:"button"`
	}
	sentTemplate struct {
		ID string `json:"id"`
	}
)

// Run sends.
func (c *templateSendCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var out sentTemplate
		in := sendTemplate{c.Name, c.Language, c.To, c.Number, c.Header, c.Body, c.Button}
		if err := op.Call(ctx, "template.send", in, &out, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "Accepted as %s\nkabar message show %s --data %s tells what becomes of it.\n", out.ID, out.ID, c.Data)
		return err
	})
}

func (p *parts) sendTemplate(ctx context.Context, in sendTemplate, _ control.Report) (out sentTemplate, err error) {
	if p.engine == nil {
		return out, control.Refuse("the server does not run, and only a running one can send: kabar serve --data %s", p.dir)
	}
	n, err := p.sender(in.Number)
	if err != nil {
		return out, err
	}
	d, err := p.db.Template(ctx, n.Account, in.Name, in.Language)
	if err != nil {
		return out, control.Refuse("there is no template %q in %q: kabar template list", in.Name, in.Language)
	}
	content, err := in.content(d)
	if err != nil {
		return out, err
	}
	_, err = p.engine.Send(ctx, n.ID, engine.Request{To: in.To, Content: content,
		Answer: func(m *kabar.Message, to kabar.Customer) (int, []byte, error) {
			out.ID = onprem.MessageID(true, n, to, m.Ref)
			return 0, nil, nil
		}})
	return out, told(err)
}

// sender finds the number that a template is sent from.
func (p *parts) sender(digits string) (*kabar.Number, error) {
	all := p.engine.Numbers()
	for _, n := range all {
		if n.Digits == plainDigits(digits) || digits == "" && len(all) == 1 {
			return n, nil
		}
	}
	if digits == "" {
		return nil, control.Refuse("there are several numbers; say with --number which is to send")
	}
	return nil, control.Refuse("there is no number %q: kabar number list", digits)
}

// content makes the message of the flags.
func (in *sendTemplate) content(d *kabar.TemplateDef) (*kabar.Template, error) {
	t := &kabar.Template{Name: in.Name, Language: kabar.Language{Code: in.Language}}
	if in.Header != "" {
		t.Components = append(t.Components, kabar.Component{Type: kabar.ComponentHeader, Parameters: []kabar.Parameter{headerParameter(d, in.Header)}})
	}
	if len(in.Body) > 0 {
		c := kabar.Component{Type: kabar.ComponentBody}
		for _, text := range in.Body {
			p := kabar.Parameter{Type: kabar.ParameterText, Text: text}
			if d.ParameterFormat == kabar.Named {
				p.Name, p.Text, _ = strings.Cut(text, "=")
			}
			c.Parameters = append(c.Parameters, p)
		}
		t.Components = append(t.Components, c)
	}
	for _, b := range in.Button {
		c, err := buttonComponent(d, b)
		if err != nil {
			return nil, err
		}
		t.Components = append(t.Components, c)
	}
	return t, nil
}

func headerParameter(d *kabar.TemplateDef, value string) kabar.Parameter {
	for _, c := range d.Components {
		kind := kabar.Kind(strings.ToLower(c.Format))
		if c.Type == kabar.TemplateHeader && (kind == kabar.KindImage || kind == kabar.KindVideo || kind == kabar.KindDocument) {
			m := kabar.NewMedia(kind)
			m.Link = value
			return kabar.Parameter{Type: kabar.ParameterType(kind), Media: m}
		}
	}
	return kabar.Parameter{Type: kabar.ParameterText, Text: value}
}

// buttonComponent reads INDEX=TEXT.
func buttonComponent(d *kabar.TemplateDef, flag string) (c kabar.Component, err error) {
	at, text, ok := strings.Cut(flag, "=")
	index, err := strconv.Atoi(at)
	if err != nil || !ok {
		return c, control.Refuse("--button %s: write INDEX=TEXT, such as 0=1042", flag)
	}
	c = kabar.Component{Type: kabar.ComponentButton, SubType: kabar.SubTypeURL, Index: index, Parameters: []kabar.Parameter{{Type: kabar.ParameterText, Text: text}}}
	for _, part := range d.Components {
		if part.Type != kabar.TemplateButtons || index < 0 || index >= len(part.Buttons) {
			continue
		}
		switch part.Buttons[index].Type {
		case kabar.ButtonQuickReply:
			c.SubType, c.Parameters[0] = kabar.SubTypeQuickReply, kabar.Parameter{Type: kabar.ParameterPayload, Payload: text}
		case kabar.ButtonCopyCode:
			c.SubType, c.Parameters[0] = kabar.SubTypeCopyCode, kabar.Parameter{Type: kabar.ParameterCoupon, Coupon: text}
		default: // a link, or a one-time password, which is filled as one
		}
	}
	return c, nil
}
