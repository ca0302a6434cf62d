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

		{"GET /console/review", Session(ScopeReview)},
		{"GET /console/review/stream", Session(ScopeReview)},
		{"POST /console/templates/{id}/review", Session(ScopeReview)},
	}
}
