package graph

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"kabar"
)

// lookBack is how far back the figures go.
const lookBack = 366 * 24 * time.Hour

// figures is what somebody asks of them.
type figures struct {
	from, to    time.Time // from is in it, to is not
	granularity string
	filters     map[string][]string // by dimension, in capitals; none: all
	dimensions  []string
}

// The names of filters, with the dimension that each is about.
var figureFilters = map[string]string{
	"phone_numbers": "PHONE", "country_codes": "COUNTRY",
	"conversation_categories": "CONVERSATION_CATEGORY", "conversation_types": "CONVERSATION_TYPE", "conversation_directions": "CONVERSATION_DIRECTION",
	"pricing_categories": "PRICING_CATEGORY", "pricing_types": "PRICING_TYPE",
}

// choices are the values that each modifier of a field, or parameter of an edge, may have.
type choices map[string][]string

// check refuses what is none of them: figures of something else than was asked for would be taken for it.
func (c choices) check(field string, get func(string) string) error {
	for _, name := range slices.Sorted(maps.Keys(c)) {
		for _, v := range itemsOf(get(name)) {
			if !slices.Contains(c[name], v) {
				return kabar.Refuse(kabar.ReasonInvalid, dotless(field)+name, "%q is unknown, allowed are %s", clip(v), kabar.WordsOf(c[name]))
			}
		}
	}
	return nil
}

// What figures may be asked for by (contract 1.8).
var (
	analyticsChoices    = choices{"granularity": {"HALF_HOUR", "DAY", "MONTH"}, "product_types": {productTemplate, productOther, productInbound}}
	conversationChoices = choices{"granularity": {"HALF_HOUR", "DAILY", "MONTHLY"}, "metric_types": {"COST", "CONVERSATION"},
		"conversation_categories": {"AUTHENTICATION", "AUTHENTICATION_INTERNATIONAL", "MARKETING", "MARKETING_LITE", "SERVICE", "UTILITY"},
		"conversation_types":      {"FREE_ENTRY", "FREE_TIER", "REGULAR"}, "conversation_directions": {"BUSINESS_INITIATED", "USER_INITIATED", "UNKNOWN"},
		"dimensions": {"CONVERSATION_CATEGORY", "CONVERSATION_DIRECTION", "CONVERSATION_TYPE", "COUNTRY", "PHONE"}}
	pricingChoices = choices{"granularity": {"HALF_HOUR", "DAILY", "MONTHLY"}, "metric_types": {"COST", "VOLUME"},
		"pricing_types":      {"REGULAR", "FREE_CUSTOMER_SERVICE", "FREE_ENTRY_POINT"},
		"pricing_categories": {"AUTHENTICATION", "AUTHENTICATION_INTERNATIONAL", "MARKETING", "MARKETING_LITE", "SERVICE", "UTILITY"},
		"dimensions":         {"COUNTRY", "PHONE", "PRICING_CATEGORY", "PRICING_TYPE", "TIER"}}
)

// figuresOf reads the modifiers of a field.
func (a *API) figuresOf(f Field, allowed choices) (q figures, err error) {
	get := func(name string) string { return f.Args[name] }
	if q.from, q.to, err = a.span(f.Name, get, lookBack); err != nil {
		return q, err
	}
	if err := allowed.check(f.Name, get); err != nil {
		return q, err
	}
	if q.granularity = strings.Join(itemsOf(get("granularity")), ","); !slices.Contains(allowed["granularity"], q.granularity) {
		return q, kabar.Refuse(kabar.ReasonMissing, f.Name+".granularity", "is required: one of %s", kabar.WordsOf(allowed["granularity"]))
	}
	q.filters = map[string][]string{}
	for name, dimension := range figureFilters {
		if wanted := itemsOf(f.Args[name]); len(wanted) > 0 {
			q.filters[dimension] = wanted
		}
	}
	q.dimensions = itemsOf(f.Args["dimensions"])
	return q, nil
}

// span reads start and end: seconds since 1970, or days.
func (a *API) span(field string, get func(string) string, back time.Duration) (from, to time.Time, err error) {
	for _, p := range []struct {
		name string
		into *time.Time
	}{{"start", &from}, {"end", &to}} {
		text := strings.Trim(get(p.name), `"`)
		at := dotless(field) + p.name
		if text == "" {
			return from, to, kabar.Refuse(kabar.ReasonMissing, at, "is required: seconds since 1970")
		}
		if *p.into, err = time.Parse(time.DateOnly, text); err == nil {
			continue
		}
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds < 0 || seconds > 1<<36 {
			return from, to, kabar.Refuse(kabar.ReasonInvalid, at, "is %q, want seconds since 1970", clip(text))
		}
		*p.into = time.Unix(seconds, 0).UTC()
	}
	now := a.engine.Now()
	if latest := now.Add(24 * time.Hour); to.After(latest) { // nothing is counted behind now, and every day would be a point
		to = latest
	}
	switch oldest := now.Add(-back); {
	case !from.Before(to):
		return from, to, kabar.Refuse(kabar.ReasonInvalid, dotless(field)+"end", "is not after start")
	case from.Before(oldest):
		return from, to, kabar.Refuse(kabar.ReasonInvalid, dotless(field)+"start", "is too long ago: the figures go back to %s", oldest.UTC().Format(time.DateOnly))
	}
	return from, to, nil
}

// dotless leaves out the dot of a field without a name.
func dotless(field string) string {
	if field == "" {
		return ""
	}
	return field + "."
}

// itemsOf reads a list such as [A,B] or ["a","b"], in capitals.
func itemsOf(text string) []string {
	return strings.FieldsFunc(strings.ToUpper(text), func(r rune) bool { return strings.ContainsRune("[]\"' ,", r) })
}

// bucket returns the period that a slot belongs to.
func (q *figures) bucket(slot int64) (start, end int64) {
	at := time.Unix(slot*int64(kabar.Slot/time.Second), 0).UTC()
	switch q.granularity {
	case "DAY", "DAILY":
		day := at.Truncate(24 * time.Hour)
		return day.Unix(), day.Add(24 * time.Hour).Unix()
	case "MONTH", "MONTHLY":
		month := time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
		return month.Unix(), month.AddDate(0, 1, 0).Unix()
	}
	return at.Unix(), at.Add(kabar.Slot).Unix()
}
