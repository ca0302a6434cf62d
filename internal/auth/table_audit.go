package auth

import "strings"

// What stands in the audit log: every route that changes something, under its own pattern unless actions has a name for it.

// actions are the names of what matters most, as the log and docs/roles.md have them. Among them are routes that change
// something although they are asked for with GET.
func actions() map[string]string {
	return map[string]string{
		"POST /v1/users/login":                          "user.login",
		"POST /v1/users/logout":                         "user.logout",
		"POST /v1/users":                                "user.added",
		"PUT /v1/users/{username}":                      "user.password",
		"DELETE /v1/users/{username}":                   "user.removed",
		"GET /login":                                    "console.login",
		"POST /logout":                                  "console.logout",
		"POST /kabar/v1/keys":                           "key.added",
		"DELETE /kabar/v1/keys/{id}":                    "key.revoked",
		"PATCH /v1/settings/application":                "settings.changed",
		"DELETE /v1/settings/application":               "settings.reset",
		"POST /v1/settings/backup":                      "settings.exported",
		"POST /v1/settings/restore":                     "settings.restored",
		"POST /graph/{id}/subscriptions":                "webhook.changed",
		"DELETE /graph/{id}/subscriptions":              "webhook.removed",
		"POST /graph/{id}/subscribed_apps":              "webhook.changed",
		"DELETE /graph/{id}/subscribed_apps":            "webhook.removed",
		"POST /graph/{id}/phone_numbers":                "number.added",
		"POST /graph/{id}/register":                     "number.registered",
		"POST /graph/{id}/deregister":                   "number.deregistered",
		"POST /v1/account":                              "number.registered",
		"POST /v1/account/verify":                       "number.verified",
		"POST /v1/settings/account/two-step":            "number.pin",
		"DELETE /v1/settings/account/two-step":          "number.pin",
		"POST /kabar/v1/lab/clock":                      "clock.advanced",
		"GET /kabar/v1/customers/{wa_id}/export":        "customer.exported",
		"DELETE /kabar/v1/customers/{wa_id}":            "customer.erased",
		"PUT /kabar/v1/consent/{wa_id}":                 "consent.recorded",
		"PATCH /kabar/v1/accounts/{waba_id}/retention":  "retention.changed",
		"POST /kabar/v1/templates/{id}/review":          "template.reviewed",
		"POST /kabar/v1/accounts/{waba_id}/review":      "account.reviewed",
		"PUT /kabar/v1/numbers/{number}/name":           "name.submitted",
		"POST /kabar/v1/numbers/{number}/name/review":   "name.reviewed",
		"POST /kabar/v1/endpoints":                      "endpoint.added",
		"PATCH /kabar/v1/endpoints/{id}":                "endpoint.changed",
		"DELETE /kabar/v1/endpoints/{id}":               "endpoint.removed",
		"POST /kabar/v1/endpoints/{id}/secret":          "endpoint.secret_replaced",
		"POST /kabar/v1/endpoints/{id}/replay":          "endpoint.replayed",
		"PATCH /kabar/v1/replays/{id}":                  "replay.changed",
		"POST /kabar/v1/deliveries/{id}/replay":         "delivery.replayed",
		"POST /kabar/v1/broadcasts":                     "broadcast.made",
		"POST /kabar/v1/broadcasts/{id}/pause":          "broadcast.paused",
		"POST /kabar/v1/broadcasts/{id}/resume":         "broadcast.resumed",
		"POST /kabar/v1/broadcasts/{id}/cancel":         "broadcast.cancelled",
		"POST /kabar/v1/broadcasts/{id}/retry_failed":   "broadcast.retried",
		"POST /console/templates/{id}/review":           "template.reviewed",
		"POST /console/endpoints":                       "endpoint.added",
		"POST /console/endpoints/{id}":                  "endpoint.changed",
		"POST /console/endpoints/{id}/state":            "endpoint.changed",
		"POST /console/endpoints/{id}/secret":           "endpoint.secret_replaced",
		"POST /console/endpoints/{id}/remove":           "endpoint.removed",
		"POST /console/endpoints/{id}/retry":            "endpoint.retried",
		"POST /console/endpoints/{id}/replays":          "endpoint.replayed",
		"POST /console/endpoints/{id}/replays/{replay}": "replay.changed",
		"POST /console/deliveries/{id}/replay":          "delivery.replayed",
		"POST /graph/{id}/message_templates":            "template.submitted",
		"DELETE /graph/{id}/message_templates":          "template.deleted",
		"POST /graph/{id}/whatsapp_business_encryption": "flow.key",
	}
}

// unaudited are the routes that leave no entry although they are no GET, with the reason.
func unaudited() map[string]string {
	const (
		talk    = "what is said to customers: the message itself says when, and an entry for each would double the work of a send"
		nothing = "changes nothing"
	)
	return map[string]string{
		"POST /v1/messages":                               talk,
		"PUT /v1/messages/{id}":                           talk,
		"POST /v1/contacts":                               talk,
		"PUT /v1/contacts/{wa_id}/identity":               talk,
		"POST /v1/media":                                  talk,
		"DELETE /v1/media/{id}":                           talk,
		"POST /graph/{id}/messages":                       talk,
		"POST /graph/{id}/marketing_messages":             talk,
		"POST /graph/{id}/media":                          talk,
		"POST /graph/{id}/calls":                          nothing,
		"POST /graph/{id}/groups":                         nothing,
		"POST /graph/{id}/messages_encrypted":             nothing,
		"POST /graph/{$}":                                 nothing,
		"POST /graph/oauth/access_token":                  nothing,
		"POST /console/templates/preview":                 nothing,
		"POST /console/endpoints/{id}/test":               nothing, // it goes beside the log
		"POST /kabar/v1/accounts/{waba_id}/cost_estimate": nothing,
		"POST /kabar/v1/broadcasts/estimate":              nothing,
		"POST /kabar/v1/endpoints/{id}/test":              nothing, // it goes beside the log
	}
}

// audited says whether calls of a route stand in the audit log, and as what.
func audited(pattern string) (action string, ok bool) {
	if name := actions()[pattern]; name != "" {
		return name, true
	}
	if _, out := unaudited()[pattern]; out || strings.HasPrefix(pattern, "GET ") {
		return "", false
	}
	return pattern, true
}
