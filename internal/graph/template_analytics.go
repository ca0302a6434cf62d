package graph

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"kabar"
)

// templateLookBack is how far back the figures of templates go.
const templateLookBack = 90 * 24 * time.Hour

// maxAnalyzed is how many templates are asked for at once.
const maxAnalyzed = 10

// templateChoices is what the figures of templates may be asked for by (contract 1.8).
var templateChoices = choices{"metric_types": {"SENT", "DELIVERED", "READ", "CLICKED", "COST"}, "product_type": {"CLOUD_API"}}

// seesAll refuses whoever may see one of several numbers of an account: figures of templates are of all of them.
func (a *API) seesAll(x *exchange, account kabar.AccountID) error {
	others := func(n *kabar.Number) bool { return n.Account == account && n.ID != x.who.Number }
	if x.who.Number != 0 && slices.ContainsFunc(a.engine.Numbers(), others) {
		return kabar.Refuse(kabar.ReasonDenied, "", "the figures of templates are of all numbers of the account, this token is for one: ask with a token of the account")
	}
	return nil
}

// templateAnalytics: GET /{account}/template_analytics: what has become of templates' messages, by day.
func (a *API) templateAnalytics(x *exchange, w *kabar.Account) error {
	get := x.r.URL.Query().Get
	from, to, err := a.span("", get, templateLookBack)
	if err != nil {
		return err
	}
	if g := get("granularity"); !strings.EqualFold(g, "DAILY") {
		return kabar.Refuse(kabar.ReasonInvalid, "granularity", "is %q, allowed is DAILY", clip(g))
	}
	if err := errors.Join(templateChoices.check("", get), a.seesAll(x, w.ID)); err != nil {
		return err
	}
	ids := slices.Compact(slices.Sorted(slices.Values(itemsOf(get("template_ids")))))
	if len(ids) == 0 || len(ids) > maxAnalyzed {
		return kabar.Refuse(kabar.ReasonInvalid, "template_ids", "are %d, allowed are 1 to %d", len(ids), maxAnalyzed)
	}
	metrics, points := itemsOf(get("metric_types")), []any{}
	for _, id := range ids {
		d, err := a.templateNamed(x, w, "template_ids", id)
		if err != nil {
			return err
		}
		more, err := a.templateDays(x, d, from, to, metrics)
		if err != nil {
			return err
		}
		points = append(points, more...)
	}
	answer := &list{Data: []any{map[string]any{"granularity": "DAILY", "product_type": "cloud_api", "data_points": points}},
		Paging: &around{Cursors: &cursors{cursor("0"), cursor("0")}}}
	return x.reply(answer)
}

// templateNamed finds a template of the account by a parameter.
func (a *API) templateNamed(x *exchange, w *kabar.Account, field, text string) (*kabar.TemplateDef, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, kabar.Refuse(kabar.ReasonInvalid, field, "%q is no id of a template", clip(text))
	}
	d, err := a.engine.Templates().Get(x.r.Context(), w.ID, kabar.TemplateID(id))
	if isNone(err) {
		return nil, kabar.Refuse(kabar.ReasonInvalid, field, "the account has no template %s", clip(text))
	}
	return d, err
}

// templateDays are the points of one template, one for each day, those on which nothing happened, too.
func (a *API) templateDays(x *exchange, d *kabar.TemplateDef, from, to time.Time, metrics []string) ([]any, error) {
	first, last := kabar.DayOf(from), kabar.DayOf(to.Add(-time.Second))
	use, err := a.engine.Templates().Use(x.r.Context(), d.Account, d.ID, first, last)
	if err != nil {
		return nil, err
	}
	wanted := func(metric string) bool { return len(metrics) == 0 || slices.Contains(metrics, metric) }
	var points []any
	for day := first; day <= last; day++ {
		u, start := use[day], day*24*60*60
		p := map[string]any{"template_id": templateID(d), "start": start, "end": start + 24*60*60}
		for metric, n := range map[string]int{"SENT": u.Sent, "DELIVERED": u.Delivered, "READ": u.Read} {
			if wanted(metric) {
				p[strings.ToLower(metric)] = n
			}
		}
		if clicked := clicksOf(u); wanted("CLICKED") && len(clicked) > 0 {
			p["clicked"] = clicked
		}
		if slices.Contains(metrics, "COST") { // of nothing: nobody pays here
			p["cost"] = costsOf(u)
		}
		points = append(points, p)
	}
	return points, nil
}

// clicksOf lists the taps on quick replies and on links. One on a link is unique when it is the message's first on that button.
func clicksOf(u kabar.TemplateUse) (clicked []any) {
	for _, kind := range []struct {
		name string
		taps map[string]int
	}{{"quick_reply_button", u.Clicked}, {"url_button", u.Opened}, {"unique_url_button", u.FirstOpened}} {
		for _, text := range slices.Sorted(maps.Keys(kind.taps)) {
			clicked = append(clicked, map[string]any{"type": kind.name, "button_content": text, "count": kind.taps[text]})
		}
	}
	return clicked
}

// costsOf lists what the messages have cost; a tap on a link only where there was one.
func costsOf(u kabar.TemplateUse) (costs []any) {
	kinds := []string{"amount_spent", "cost_per_delivered"}
	if len(u.Opened) > 0 {
		kinds = append(kinds, "cost_per_url_button_click")
	}
	for _, kind := range kinds {
		costs = append(costs, map[string]any{"type": kind, "value": 0})
	}
	return costs
}

// compareTemplates: GET /{template}/compare with another one, over some days.
func (a *API) compareTemplates(x *exchange, d *kabar.TemplateDef) error {
	if err := a.seesAll(x, d.Account); err != nil {
		return err
	}
	get := x.r.URL.Query().Get
	from, to, err := a.span("", get, templateLookBack)
	if err != nil {
		return err
	}
	ids := itemsOf(get("template_ids"))
	if len(ids) != 1 {
		return kabar.Refuse(kabar.ReasonInvalid, "template_ids", "are %d, want one: the template to compare with", len(ids))
	}
	other, err := a.templateNamed(x, &kabar.Account{ID: d.Account}, "template_ids", ids[0])
	if err != nil {
		return err
	}
	if other.ID == d.ID {
		return kabar.Refuse(kabar.ReasonInvalid, "template_ids", "is the template itself")
	}
	var all []compared
	for _, d := range []*kabar.TemplateDef{d, other} {
		days, err := a.engine.Templates().Use(x.r.Context(), d.Account, d.ID, kabar.DayOf(from), kabar.DayOf(to.Add(-time.Second)))
		if err != nil {
			return err
		}
		c := compared{id: templateID(d)}
		for _, u := range days {
			c.sent, c.blocked = c.sent+u.Sent, c.blocked+u.Blocked
		}
		all = append(all, c)
	}
	return x.reply(&list{Data: comparison(all)})
}

// compared is what is known of one of the templates.
type compared struct {
	id            string
	sent, blocked int
}

func (c compared) rate() float64 { return float64(c.blocked) / float64(max(c.sent, 1)) }

// comparison says which template is blocked less, how often each was sent, and why it was blocked, which nobody says here.
func comparison(all []compared) []any {
	order := slices.Clone(all)
	slices.SortStableFunc(order, func(a, b compared) int { return cmp.Compare(a.rate(), b.rate()) })
	ids, sends, reasons := []string{}, []any{}, []any{}
	for _, c := range order {
		ids = append(ids, c.id)
	}
	for _, c := range all {
		sends = append(sends, map[string]any{"key": c.id, "value": c.sent})
		if c.blocked > 0 {
			reasons = append(reasons, map[string]any{"key": c.id, "value": "UNKNOWN_BLOCK_REASON"})
		}
	}
	return []any{
		map[string]any{"metric": "BLOCK_RATE", "type": "RELATIVE", "order_by_relative_metric": ids},
		map[string]any{"metric": "MESSAGE_SENDS", "type": "NUMBER_VALUES", "number_values": sends},
		map[string]any{"metric": "TOP_BLOCK_REASON", "type": "STRING_VALUES", "string_values": reasons},
	}
}
