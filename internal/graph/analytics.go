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
// counted in half hours as messages move. Money is not known here: a cost is 0.

// point is a row of the figures: its period, its dimensions, and the sums of what is counted.
type point struct {
	start, end int64
	key        string // of period and dimensions, for the order
	of         map[string]string
	sums       []int64
}

// points adds up what is counted of the numbers of whoever asks, by period and dimension. Of what nothing is counted has no point.
func (a *API) points(x *exchange, w *kabar.Account, q *figures, of func(*kabar.Traffic) map[string]string, values ...func(*kabar.Traffic) int64) ([]*point, error) {
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
		facts, phone := of(t), digits[t.Number]
		if facts == nil || phone == "" {
			continue
		}
		facts["PHONE"], facts["COUNTRY"] = phone, t.Country // which all figures have
		if !q.passes(facts) {
			continue
		}
		p := &point{of: map[string]string{}, sums: make([]int64, len(values))}
		p.start, p.end = q.bucket(t.Slot)
		p.key = fmt.Sprint(p.start)
		for _, d := range q.dimensions {
			if v, ok := facts[d]; ok {
				p.of[d], p.key = v, p.key+"\x00"+v
			}
		}
		if byKey[p.key] == nil {
			byKey[p.key] = p
		}
		for n, value := range values {
			byKey[p.key].sums[n] += value(t)
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
	of := func(t *kabar.Traffic) map[string]string {
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
		return map[string]string{}
	}
	points, err := a.points(x, w, &q, of, func(t *kabar.Traffic) int64 { return t.Sent + t.Received }, func(t *kabar.Traffic) int64 { return t.Delivered + t.Received })
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
	of := func(t *kabar.Traffic) map[string]string {
		facts := map[string]string{"CONVERSATION_CATEGORY": strings.ToUpper(t.Class), "CONVERSATION_TYPE": "REGULAR", "CONVERSATION_DIRECTION": "BUSINESS_INITIATED"}
		if t.Class == string(kabar.CategoryService) {
			facts["CONVERSATION_TYPE"], facts["CONVERSATION_DIRECTION"] = "FREE_TIER", "USER_INITIATED"
		}
		return facts
	}
	points, err := a.points(x, w, &q, of, func(t *kabar.Traffic) int64 { return t.Opened })
	return shownPoints(points, f, "CONVERSATION", "conversation"), err
}

// pricingAnalytics is the field of an account: how many messages were delivered, by what they are priced as.
func (a *API) pricingAnalytics(x *exchange, w *kabar.Account, f Field) (any, error) {
	q, err := a.figuresOf(f, pricingChoices)
	if err != nil {
		return nil, err
	}
	of := func(t *kabar.Traffic) map[string]string {
		facts := map[string]string{"PRICING_CATEGORY": strings.ToUpper(t.Class), "PRICING_TYPE": "REGULAR"}
		if t.Class == string(kabar.CategoryService) {
			facts["PRICING_TYPE"] = "FREE_CUSTOMER_SERVICE"
		}
		return facts
	}
	points, err := a.points(x, w, &q, of, func(t *kabar.Traffic) int64 { return t.Delivered })
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
			shown["cost"] = 0
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
