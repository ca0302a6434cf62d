package graph

import (
	"encoding/json"
	"slices"
	"strings"

	"kabar"
)

// accountMode is that of every number: none is for trials only.
const accountMode = "LIVE"

// filter is a condition of a list.
type filter struct {
	Field    string `json:"field"`
	Operator string `json:"operator"`
	Value    any    `json:"value"`
}

// chosen returns the numbers of an account that the request's filtering lets through, in the order that its sort wants.
func (a *API) chosen(x *exchange, w *kabar.Account) ([]*kabar.Number, error) {
	all, err := a.filtered(x, w)
	if err != nil {
		return nil, err
	}
	switch sort := x.r.URL.Query().Get("sort"); sort {
	case "", "creation_time", "creation_time.asc", "last_onboarded_time", "last_onboarded_time.asc": // the same: none is onboarded twice
	case "creation_time.desc", "last_onboarded_time.desc":
		slices.Reverse(all)
	default:
		return nil, kabar.Refuse(kabar.ReasonInvalid, "sort", "is %q, allowed are creation_time and last_onboarded_time, with .asc or .desc", clip(sort))
	}
	return all, nil
}

func (a *API) filtered(x *exchange, w *kabar.Account) ([]*kabar.Number, error) {
	all := a.numbersIn(x, w)
	text := x.r.URL.Query().Get("filtering")
	if text == "" {
		return all, nil
	}
	var filters []filter
	if json.Unmarshal([]byte(text), &filters) != nil {
		return nil, kabar.Refuse(kabar.ReasonInvalid, "filtering", `is no list such as [{"field":"account_mode","operator":"EQUAL","value":"LIVE"}]`)
	}
	for _, f := range filters {
		if f.Field != "account_mode" || !strings.EqualFold(f.Operator, "EQUAL") {
			return nil, kabar.Refuse(kabar.ReasonInvalid, "filtering", "%q by %q: allowed is account_mode by EQUAL", clip(f.Field), clip(f.Operator))
		}
		if f.Value != accountMode {
			all = nil
		}
	}
	return all, nil
}
