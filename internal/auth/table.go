package auth

// level is who may call a route.
type level int

const (
	public level = iota + 1
	basic
	user
	admin
	scope
)

// Access is who may call a route.
type Access struct {
	level level
	scope string
}

// The kinds of access.
var (
	// Public routes take everybody; what is behind them looks for itself.
	Public = Access{level: public}
	// Basic routes take a name and a password, which the handler gives to Login.
	Basic = Access{level: basic}
	// User routes take users and administrators of a number, by token or by a key of the number.
	User = Access{level: user}
	// Admin routes take administrators of a number.
	Admin = Access{level: admin}
)

// Scope routes take keys that have the scope.
func Scope(name string) Access { return Access{level: scope, scope: name} }

// String names the access as the table in the documentation does.
func (a Access) String() string {
	switch a.level {
	case public:
		return "public"
	case basic:
		return "basic"
	case user:
		return "user"
	case admin:
		return "admin"
	case scope:
		return "scope " + a.scope
	}
	return "nobody"
}

// Route is a row of the authorisation table.
type Route struct {
	Pattern string // as of http.ServeMux: "METHOD /path"
	Access  Access
}

// Table returns the authorisation table: every route of the server and who may call it. With lab it has the tools of kabar
// dev as well, which kabar serve does not have.
func Table(lab bool) []Route {
	routes := []Route{
		// Probes of whoever runs the server.
		{"GET /livez", Public},
		{"GET /readyz", Public},

		// The On-Premises API.
		{"POST /v1/users/login", Basic},
		{"POST /v1/users/logout", User},
		{"POST /v1/contacts", User},
		{"POST /v1/messages", User},
		{"PUT /v1/messages/{id}", User},
		{"POST /v1/media", User},
		{"GET /v1/media/{id}", User},
		{"DELETE /v1/media/{id}", User},
		{"GET /v1/settings/application", Admin},
		{"PATCH /v1/settings/application", Admin},
		{"GET /v1/health", User},

		// The console, which has sessions of its own and checks them itself.
		{"GET /{$}", Public},
		{"GET /login", Public},
		{"POST /logout", Public},
		{"GET /stream", Public},
		{"GET /assets/", Public},
	}
	if lab {
		routes = append(routes, Route{"POST /kabar/v1/lab/clock", Scope(ScopeLab)})
	}
	return routes
}
