package onprem

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kabar"
	"kabar/internal/web"
)

type templateObject struct {
	Namespace  string            `json:"namespace"`
	Name       string            `json:"name"`
	Language   languageObject    `json:"language"`
	Components []componentObject `json:"components"`
}

type languageObject struct {
	Policy string `json:"policy"`
	Code   string `json:"code"`
}

type componentObject struct {
	Type       string            `json:"type"`
	SubType    string            `json:"sub_type"`
	Index      *web.StringOrInt  `json:"index"`
	Parameters []parameterObject `json:"parameters"`
}

type parameterObject struct {
	Type     string          `json:"type"`
	Name     string          `json:"parameter_name"`
	Text     string          `json:"text"`
	Payload  string          `json:"payload"`
	Currency *currencyObject `json:"currency"`
	DateTime *dateTimeObject `json:"date_time"`
	Image    *mediaObject    `json:"image"`
	Document *mediaObject    `json:"document"`
	Video    *mediaObject    `json:"video"`
}

type currencyObject struct {
	Fallback   string `json:"fallback_value"`
	Code       string `json:"code"`
	Amount1000 whole  `json:"amount_1000"`
}

type dateTimeObject struct {
	Fallback   string          `json:"fallback_value"`
	Timestamp  whole           `json:"timestamp"`
	DayOfWeek  web.StringOrInt `json:"day_of_week"`
	Year       whole           `json:"year"`
	Month      whole           `json:"month"`
	DayOfMonth whole           `json:"day_of_month"`
	Hour       *whole          `json:"hour"`
	Minute     *whole          `json:"minute"`
	Calendar   string          `json:"calendar"`
}

// template reads a template message. A component without parameters is as good as none; the namespace has no effect.
func (d decoder) template(o *templateObject) (kabar.Content, error) {
	t := &kabar.Template{Name: o.Name, Namespace: o.Namespace, Language: kabar.Language{Policy: o.Language.Policy, Code: o.Language.Code}}
	for i := range o.Components {
		c, err := d.component(fmt.Sprintf("template.components[%d]", i), &o.Components[i])
		if err != nil {
			return nil, err
		}
		t.Components = append(t.Components, c)
	}
	return t, nil
}

func (d decoder) component(field string, o *componentObject) (kabar.Component, error) {
	c := kabar.Component{Type: kabar.ComponentType(o.Type), SubType: o.SubType}
	if c.Type == kabar.ComponentButton {
		var err error
		if c.Index, err = index(field+".index", o.Index); err != nil {
			return c, err
		}
	}
	for i := range o.Parameters {
		p, err := d.parameter(fmt.Sprintf("%s.parameters[%d]", field, i), &o.Parameters[i])
		if err != nil {
			return c, err
		}
		c.Parameters = append(c.Parameters, p)
	}
	return c, nil
}

func index(field string, s *web.StringOrInt) (int, error) {
	if s == nil {
		return 0, kabar.Refuse(kabar.ReasonMissing, field, "is required in a button: its position, from 0")
	}
	n, err := strconv.ParseUint(string(*s), 10, 16)
	if err != nil {
		return 0, kabar.Refuse(kabar.ReasonInvalid, field, "is %q, it must be the position of the button, from 0", string(*s))
	}
	return int(n), nil
}

func (d decoder) parameter(field string, o *parameterObject) (kabar.Parameter, error) {
	p := kabar.Parameter{Type: kabar.ParameterType(o.Type), Name: o.Name, Text: o.Text, Payload: o.Payload}
	if c := o.Currency; c != nil {
		p.Currency = &kabar.Currency{Fallback: c.Fallback, Code: c.Code, Amount1000: int64(c.Amount1000)}
	}
	var err error
	if o.DateTime != nil {
		if p.DateTime, err = dateTime(field+".date_time", o.DateTime); err != nil {
			return p, err
		}
	}
	object := map[kabar.ParameterType]*mediaObject{kabar.ParameterImage: o.Image, kabar.ParameterDocument: o.Document,
		kabar.ParameterVideo: o.Video}[p.Type]
	if object != nil {
		p.Media, err = d.media(kabar.Kind(o.Type), field+"."+o.Type, object)
	}
	return p, err
}

func dateTime(field string, o *dateTimeObject) (*kabar.DateTime, error) {
	day, ok := weekday(string(o.DayOfWeek))
	if !ok {
		return nil, kabar.Refuse(kabar.ReasonInvalid, field+".day_of_week", "is %q, allowed are 1 (Monday) to 7 and the English names",
			string(o.DayOfWeek))
	}
	return &kabar.DateTime{Fallback: o.Fallback, Timestamp: int64(o.Timestamp), DayOfWeek: day, Calendar: o.Calendar,
		Year: small(o.Year), Month: small(o.Month), DayOfMonth: small(o.DayOfMonth),
		Hour: clockPart(o.Hour), Minute: clockPart(o.Minute)}, nil
}

// small keeps a number that int may not hold out of every limit.
func small(n whole) int { return int(max(-1, min(n, 1<<30))) }

func clockPart(n *whole) *int {
	if n == nil {
		return nil
	}
	v := small(*n)
	return &v
}

var weekdays = []string{"", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"}

// weekday reads a day as a number or by its name; 0 is none. Numbers out of range are the vocabulary's to refuse.
func weekday(s string) (int, bool) {
	if n, err := strconv.ParseUint(s, 10, 16); err == nil {
		return int(n), true
	}
	n := slices.Index(weekdays, strings.ToUpper(s))
	return n, n >= 0
}
