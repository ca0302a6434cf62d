package auth

// showing are the pages of the console. Whoever has no session is told how to sign in.
func showing() []Route {
	return []Route{
		// The first page looks for its session itself: without one it says how to sign in.
		{"GET /{$}", Public},
		{"GET /login", Public},
		{"POST /logout", Public},
		{"GET /stream", Public},
		{"GET /assets/", Public},

		{"GET /console/templates", Session(ScopeRead)},
		{"GET /console/templates/stream", Session(ScopeRead)},
		{"GET /console/templates/{id}", Session(ScopeRead)},
		{"GET /console/templates/{id}/stream", Session(ScopeRead)},
		{"GET /console/templates/new", Session(ScopeTemplates)},
		{"GET /console/templates/{id}/edit", Session(ScopeTemplates)},
		{"POST /console/templates", Session(ScopeTemplates)},
		{"POST /console/templates/preview", Session(ScopeTemplates)},
		{"POST /console/templates/{id}", Session(ScopeTemplates)},

		{"GET /console/endpoints", Session(ScopeRead)},
		{"GET /console/endpoints/stream", Session(ScopeRead)},
		{"GET /console/endpoints/{id}", Session(ScopeRead)},
		{"GET /console/endpoints/{id}/stream", Session(ScopeRead)},
		{"GET /console/endpoints/{id}/secret", Session(ScopeWebhooks)},
		{"GET /console/endpoints/new", Session(ScopeWebhooks)},
		{"POST /console/endpoints", Session(ScopeWebhooks)},
		{"POST /console/endpoints/{id}", Session(ScopeWebhooks)},
		{"POST /console/endpoints/{id}/state", Session(ScopeWebhooks)},
		{"POST /console/endpoints/{id}/secret", Session(ScopeWebhooks)},
		{"POST /console/endpoints/{id}/test", Session(ScopeWebhooks)},
		{"POST /console/endpoints/{id}/retry", Session(ScopeWebhooks)},
		{"POST /console/endpoints/{id}/replays", Session(ScopeWebhooks)},
		{"POST /console/endpoints/{id}/replays/{replay}", Session(ScopeWebhooks)},
		{"POST /console/endpoints/{id}/remove", Session(ScopeWebhooks)},
		{"GET /console/deliveries", Session(ScopeRead)},
		{"GET /console/deliveries/{id}", Session(ScopeRead)},
		{"POST /console/deliveries/{id}/replay", Session(ScopeWebhooks)},

		{"GET /console/review", Session(ScopeReview)},
		{"GET /console/review/stream", Session(ScopeReview)},
		{"POST /console/templates/{id}/review", Session(ScopeReview)},
	}
}
