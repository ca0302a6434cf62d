package graph

import (
	"cmp"
	"fmt"

	"kabar"
)

// numberNews returns the field and the value of the webhook that tells of a change of a number (contract, section 2.3).
func (a *API) numberNews(ev *kabar.Event, n *kabar.Number) (field string, value map[string]any) {
	value = map[string]any{"display_phone_number": n.Digits}
	switch ev.Kind {
	case kabar.EventSecurity:
		value["event"], value["requester"] = "PIN_CHANGED", a.nodeID(a.auth.App().User)
		return "security", value
	case kabar.EventLimits:
		limit := ev.Limits.Now.Tier.Code()
		value["event"], value["current_limit"], value["max_daily_conversations_per_business"] = "ONBOARDING", limit, limit
		if ev.Limits.Upgraded() {
			value["event"] = "THROUGHPUT_UPGRADE"
		} else {
			value["old_limit"] = ev.Limits.Was.Tier.Code()
		}
		return "phone_number_quality_update", value
	default: // EventName
	}
	value["decision"], value["requested_verified_name"], value["rejection_reason"] = cmp.Or(ev.Outcome, kabar.OutcomeApproved), ev.Name, nil
	if ev.Declined != "" {
		value["rejection_reason"] = ev.Declined
	}
	return "phone_number_name_update", value
}

// creditNews is the value of the webhook that warns of a line of credit (contract, section 2.3; the types of alerts are ours).
func (a *API) creditNews(ev *kabar.Event) map[string]any {
	c := ev.Credit
	severity, kind, what := "WARNING", "CREDIT_LINE_LOW", fmt.Sprintf("%d %% of the line of credit is used", c.Percent)
	if c.Percent >= 100 {
		severity, kind, what = "CRITICAL", "CREDIT_LINE_EXHAUSTED", "the line of credit is used up: messages that cost are not sent"
	}
	return map[string]any{"entity_type": "WABA", "entity_id": a.nodeID(int64(ev.Account)), "alert_info": map[string]any{
		"alert_severity": severity, "alert_status": "ACTIVE", "alert_type": kind,
		"alert_description": fmt.Sprintf("%s; %s %s of %s are available", what, c.Available, c.Currency, c.Limit)}}
}
