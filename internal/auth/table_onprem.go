package auth

// The routes of the On-Premises API, in the order of its contract.

// administering are users, registration, settings and certificates.
func administering() []Route {
	return []Route{
		{"POST /v1/users/login", Basic},
		{"POST /v1/users/logout", User},
		{"POST /v1/users", Admin},
		{"GET /v1/users/{username}", User},
		{"PUT /v1/users/{username}", User},
		{"DELETE /v1/users/{username}", Admin},
		{"POST /v1/account", Admin},
		{"POST /v1/account/verify", Admin},
		{"GET /v1/account/shards", Admin},
		{"POST /v1/account/shards", Admin},
		{"POST /v1/settings/account/two-step", Admin},
		{"DELETE /v1/settings/account/two-step", Admin},
		{"GET /v1/settings/application", Admin},
		{"PATCH /v1/settings/application", Admin},
		{"GET /v1/settings/application/media/providers", Admin},
		{"POST /v1/settings/application/media/providers", Admin},
		{"DELETE /v1/settings/application/media/providers/{name}", Admin},
		{"DELETE /v1/settings/application", Admin},
		{"GET /v1/settings/business/profile", Admin},
		{"POST /v1/settings/business/profile", Admin},
		{"GET /v1/settings/profile/about", Admin},
		{"PATCH /v1/settings/profile/about", Admin},
		{"GET /v1/settings/profile/photo", Admin},
		{"POST /v1/settings/profile/photo", Admin},
		{"DELETE /v1/settings/profile/photo", Admin},
		{"POST /v1/settings/backup", Admin},
		{"POST /v1/settings/restore", Admin},
		{"POST /v1/certificates/external", Admin},
		{"GET /v1/certificates/external/ca", User},
		{"POST /v1/certificates/webhooks/ca", Admin},
		{"GET /v1/certificates/webhooks/ca", Admin},
		{"DELETE /v1/certificates/webhooks/ca", Admin},
	}
}

// talking are the routes by which a number talks with customers: contacts, messages, media, sticker packs, groups.
func talking() []Route {
	return []Route{
		{"POST /v1/contacts", User},
		{"GET /v1/contacts/{wa_id}/identity", User},
		{"PUT /v1/contacts/{wa_id}/identity", User},
		{"POST /v1/messages", User},
		{"PUT /v1/messages/{id}", User},
		{"POST /v1/media", User},
		{"GET /v1/media/{id}", User},
		{"DELETE /v1/media/{id}", User},
		{"GET /v1/stickerpacks", User},
		{"POST /v1/stickerpacks", User},
		{"GET /v1/stickerpacks/{id}", User},
		{"PATCH /v1/stickerpacks/{id}", User},
		{"DELETE /v1/stickerpacks/{id}", User},
		{"GET /v1/stickerpacks/{id}/stickers", User},
		{"POST /v1/stickerpacks/{id}/stickers", User},
		{"GET /v1/stickerpacks/{id}/stickers/{index}", User},
		{"PATCH /v1/stickerpacks/{id}/stickers/{index}", User},
		{"DELETE /v1/stickerpacks/{id}/stickers/{index}", User},
		{"GET /v1/groups", User},
		{"POST /v1/groups", User},
		{"GET /v1/groups/{id}", User},
		{"PUT /v1/groups/{id}", User},
		{"GET /v1/groups/{id}/invite", User},
		{"DELETE /v1/groups/{id}/invite", User},
		{"DELETE /v1/groups/{id}/participants", User},
		{"PATCH /v1/groups/{id}/admins", User},
		{"DELETE /v1/groups/{id}/admins", User},
		{"POST /v1/groups/{id}/leave", User},
		{"GET /v1/groups/{id}/icon", User},
		{"POST /v1/groups/{id}/icon", User},
		{"DELETE /v1/groups/{id}/icon", User},
	}
}

// operating are health, figures, maintenance and the description of the API.
func operating() []Route {
	return []Route{
		{"PUT /v1/services/message/gc", User},
		{"PUT /v1/services/media/gc", User},
		{"GET /v1/health", Monitor},
		{"GET /v1/stats/app", Monitor},
		{"GET /v1/stats/app/internal", Monitor},
		{"GET /v1/stats/db", Monitor},
		{"GET /v1/stats/db/internal", Monitor},
		{"GET /v1/metrics", Monitor},
		{"GET /metrics", Monitor}, // the same: the original's documentation writes it without /v1
		{"GET /v1/support", User},
		{"GET /v1/openapi.json", Public},
		{"GET /v1/docs", Public},
	}
}
