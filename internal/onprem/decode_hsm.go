package onprem

import (
	"errors"
	"fmt"
	"strings"

	"kabar"
	"kabar/internal/contentjson"
	"kabar/internal/web"
)

// hsmObject is the older form of a template message: a body's parameters, by position.
type hsmObject struct {
	Namespace string               `json:"namespace"`
	Element   string               `json:"element_name"`
	Language  contentjson.Language `json:"language"`
	Params    []localizedParam     `json:"localizable_params"`
}

// localizedParam is a text, an amount or a date. Default is the text, and what is shown when the other cannot be.
type localizedParam struct {
	Default  string `json:"default"`
	Currency *struct {
		Code       string          `json:"currency_code"`
		Amount1000 web.IntOrString `json:"amount_1000"`
	} `json:"currency"`
	DateTime *struct {
		Component *contentjson.DateTime `json:"component"`
		UnixEpoch *struct {
			Timestamp web.IntOrString `json:"timestamp"`
		} `json:"unix_epoch"`
	} `json:"date_time"`
}

// hsm reads a message of the legacy type as the template message that it is.
func (d decoder) hsm(o *hsmObject) (kabar.Content, error) {
	t := &kabar.Template{Name: o.Element, Namespace: o.Namespace, Language: kabar.Language{Policy: o.Language.Policy, Code: o.Language.Code}}
	body := kabar.Component{Type: kabar.ComponentBody}
	for i := range o.Params {
		p, err := o.Params[i].parameter(fmt.Sprintf("hsm.localizable_params[%d]", i))
		if err != nil {
			return nil, err
		}
		body.Parameters = append(body.Parameters, p)
	}
	t.Components = []kabar.Component{body}
	return t, nil
}

func (o *localizedParam) parameter(field string) (kabar.Parameter, error) {
	switch {
	case o.Currency != nil && o.DateTime != nil:
		return kabar.Parameter{}, kabar.Refuse(kabar.ReasonInvalid, field, "is both a currency and a date_time")
	case o.Currency != nil:
		return kabar.Parameter{Type: kabar.ParameterCurrency,
			Currency: &kabar.Currency{Fallback: o.Default, Code: o.Currency.Code, Amount1000: int64(o.Currency.Amount1000)}}, nil
	case o.DateTime == nil:
		return kabar.Parameter{Type: kabar.ParameterText, Text: o.Default}, nil
	}
	at := &contentjson.DateTime{}
	switch {
	case (o.DateTime.Component == nil) == (o.DateTime.UnixEpoch == nil):
		return kabar.Parameter{}, kabar.Refuse(kabar.ReasonInvalid, field+".date_time", "must have one of component and unix_epoch")
	case o.DateTime.Component != nil:
		at = o.DateTime.Component
		at.Timestamp = 0
	default:
		at.Timestamp = o.DateTime.UnixEpoch.Timestamp
	}
	at.Fallback = o.Default
	date, err := at.Read(field + ".date_time.component")
	return kabar.Parameter{Type: kabar.ParameterDateTime, DateTime: date}, err
}

// hsmFields are the names of a template's fields in the legacy form; the first that fits counts.
var hsmFields = strings.NewReplacer(
	".currency.fallback_value", ".default", ".date_time.fallback_value", ".default", ".date_time.", ".date_time.component.", ".currency.code", ".currency.currency_code",
	"template.components[0].parameters", "hsm.localizable_params", "template.components[0]", "hsm.localizable_params",
	"template.components", "hsm.localizable_params", "template.name", "hsm.element_name", "template.", "hsm.")

// blameHSM gives a refusal of a legacy message the names that its sender knows: it was refused as the template that it is.
func blameHSM(body []byte, err error) error {
	var refused *kabar.Error
	var r struct {
		Type string `json:"type"`
	}
	if !errors.As(err, &refused) || !strings.HasPrefix(refused.Field, "template") ||
		web.Decode(body, &r, web.Options{Unknown: web.Ignore}) != nil || r.Type != "hsm" {
		return err
	}
	named := *refused
	named.Field = hsmFields.Replace(refused.Field)
	if parameter, ok := strings.CutSuffix(named.Field, "].text"); ok {
		named.Field = parameter + "].default"
	}
	return &named
}
