package graph

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"kabar"
)

// The figures of an account are fields with modifiers: analytics.start(…).end(…).granularity(…) and so on (contract 1.8). They are
// counted in half hours as messages move. A cost is of what was delivered, in the currency of the account.

// point is a row of the figures: its period, its dimensions, and the sums of what is counted.
type point struct {
	start, end int64
	key        string // of period and dimensions, for the order
	of         map[string]string
	sums       []int64
}

// part is what a row of the traffic has to say about one set of dimensions.
type part struct {
	facts map[string]string
	sums  []int64
}

// points adds up what is counted of the numbers of whoever asks, by period and dimension. Of what nothing is counted has no point.
func (a *API) points(x *exchange, w *kabar.Account, q *figures, parts func(*kabar.Traffic) []part) ([]*point, error) {
	all, err := a.engine.Traffic(x.r.Context(), w.ID, q.from, q.to.Add(-time.Second))
	if err != nil {
		return nil, err
	}
	digits := map[kabar.NumberID]string{}
	for _, n := range a.numbersIn(x, w) {
		digits[n.ID] = n.Digits
	}
	byKey, points := map[string]*point{}, []*point{}
	for i := range all {
		t := &all[i]
		phone := digits[t.Number]
		if phone == "" {
			continue
		}
		for _, part := range parts(t) {
			part.facts["PHONE"], part.facts["COUNTRY"] = phone, t.Country // which all figures have
			if q.passes(part.facts) {
				q.add(byKey, t.Slot, part)
			}
		}
	}
	for _, p := range byKey {
		if slices.Max(p.sums) > 0 {
			points = append(points, p)
		}
	}
	slices.SortFunc(points, func(a, b *point) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.key, b.key)) })
	return points, nil
}

// add adds a part to the point that it belongs to.
func (q *figures) add(byKey map[string]*point, slot int64, of part) {
	p := &point{of: map[string]string{}, sums: make([]int64, len(of.sums))}
	p.start, p.end = q.bucket(slot)
	p.key = fmt.Sprint(p.start)
	for _, d := range q.dimensions {
		if v, ok := of.facts[d]; ok {
			p.of[d], p.key = v, p.key+"\x00"+v
		}
	}
	if byKey[p.key] == nil {
		byKey[p.key] = p
	}
	for i, n := range of.sums {
		byKey[p.key].sums[i] += n
	}
}

// passes reports whether the filters let a row through.
func (q *figures) passes(facts map[string]string) bool {
	for dimension, wanted := range q.filters {
		if v, known := facts[dimension]; known && !slices.Contains(wanted, strings.ToUpper(v)) {
			return false
		}
	}
	return true
}

// The kinds of messages in analytics.
const (
	productTemplate = "0"
	productOther    = "2"
	productInbound  = "100"
)

// analytics is the field of an account: how many messages were sent and delivered.
func (a *API) analytics(x *exchange, w *kabar.Account, f Field) (any, error) {
	q, err := a.figuresOf(f, analyticsChoices)
	if err != nil {
		return nil, err
	}
	products := itemsOf(f.Args["product_types"])
	if len(products) == 0 {
		products = []string{productTemplate, productOther}
	}
	parts := func(t *kabar.Traffic) []part {
		product := productTemplate
		switch t.Class {
		case string(kabar.CategoryService):
			product = productOther
		case kabar.ClassInbound:
			product = productInbound
		}
		if !slices.Contains(products, product) {
			return nil
		}
		return []part{{map[string]string{}, []int64{t.Sent + t.Received, t.Delivered + t.Received}}}
	}
	points, err := a.points(x, w, &q, parts)
	if err != nil {
		return nil, err
	}
	data := []any{}
	for _, p := range points {
		data = append(data, map[string]any{"start": p.start, "end": p.end, "sent": p.sums[0], "delivered": p.sums[1]})
	}
	return map[string]any{"phone_numbers": a.digitsOf(x, w, &q), "country_codes": orNone(q.filters["COUNTRY"]), "granularity": q.granularity, "data_points": data}, nil
}

// digitsOf lists the numbers of an account that the figures are of.
func (a *API) digitsOf(x *exchange, w *kabar.Account, q *figures) []string {
	all := []string{}
	for _, n := range a.numbersIn(x, w) {
		if q.passes(map[string]string{"PHONE": n.Digits}) {
			all = append(all, n.Digits)
		}
	}
	return all
}

// conversationAnalytics is the field of an account: how many conversations of 24 hours began.
func (a *API) conversationAnalytics(x *exchange, w *kabar.Account, f Field) (any, error) {
	q, err := a.figuresOf(f, conversationChoices)
	if err != nil {
		return nil, err
	}
	parts := func(t *kabar.Traffic) []part {
		facts := map[string]string{"CONVERSATION_CATEGORY": strings.ToUpper(t.Class), "CONVERSATION_TYPE": "REGULAR", "CONVERSATION_DIRECTION": "BUSINESS_INITIATED"}
		if t.Class == string(kabar.CategoryService) {
			facts["CONVERSATION_TYPE"], facts["CONVERSATION_DIRECTION"] = "FREE_TIER", "USER_INITIATED"
		}
		return []part{{facts, []int64{t.Opened, int64(t.Cost)}}}
	}
	points, err := a.points(x, w, &q, parts)
	return shownPoints(points, f, "CONVERSATION", "conversation"), err
}

// pricingAnalytics is the field of an account: how many messages were delivered, by what they are priced as.
func (a *API) pricingAnalytics(x *exchange, w *kabar.Account, f Field) (any, error) {
	q, err := a.figuresOf(f, pricingChoices)
	if err != nil {
		return nil, err
	}
	points, err := a.points(x, w, &q, func(t *kabar.Traffic) []part {
		as := func(pricing kabar.Pricing, volume int64, cost kabar.Money) part {
			facts := map[string]string{"PRICING_CATEGORY": strings.ToUpper(t.Class), "PRICING_TYPE": strings.ToUpper(string(pricing))}
			return part{facts, []int64{volume, int64(cost)}}
		}
		return []part{as(kabar.PricingRegular, t.Delivered-t.FreeWindow-t.FreeEntry, t.Cost),
			as(kabar.PricingFreeWindow, t.FreeWindow, 0), as(kabar.PricingFreeEntry, t.FreeEntry, 0)}
	})
	return shownPoints(points, f, "VOLUME", "volume"), err
}

// figureNames are the dimensions as points have them.
var figureNames = map[string]string{"PHONE": "phone_number"}

// shownPoints writes points of one figure, and of its cost, as far as metric_types asks for them.
func shownPoints(points []*point, f Field, metric, name string) any {
	metrics, data := itemsOf(f.Args["metric_types"]), []any{}
	for _, p := range points {
		shown := map[string]any{"start": p.start, "end": p.end}
		if len(metrics) == 0 || slices.Contains(metrics, metric) {
			shown[name] = p.sums[0]
		}
		if len(metrics) == 0 || slices.Contains(metrics, "COST") {
			shown["cost"] = kabar.Money(p.sums[1]).Units()
		}
		for d, v := range p.of {
			shown[cmp.Or(figureNames[d], strings.ToLower(d))] = v
		}
		data = append(data, shown)
	}
	return map[string]any{"data": []any{map[string]any{"data_points": data}}}
}

// updateAccount: POST /{account} answers that figures are counted, which cannot be switched off.
func (a *API) updateAccount(x *exchange, w *kabar.Account) error {
	var in struct {
		Insights *bool `json:"is_enabled_for_insights"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	switch {
	case in.Insights == nil:
		return kabar.Refuse(kabar.ReasonMissing, "is_enabled_for_insights", "nothing to change: only is_enabled_for_insights can be")
	case !*in.Insights:
		return kabar.Refuse(kabar.ReasonInsights, "is_enabled_for_insights", "cannot be switched off")
	}
	return x.reply(map[string]string{"id": a.nodeID(int64(w.ID))})
}
