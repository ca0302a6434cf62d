package graph

import "kabar/internal/store"

// app returns the server as an app; an error of the store is a refusal.
func (a *API) app(x *exchange) (*store.App, error) {
	app, err := a.store.App(x.r.Context())
	return app, store.Refusal(err)
}

// appKind is the server as an app.
func (a *API) appKind() *kind {
	return kindOf(spec[*store.App]{name: "Application", defaults: []string{"name", "link"},
		find: func(x *exchange, key int64) (*store.App, error) {
			app, err := a.app(x)
			if err != nil {
				return nil, err
			}
			if key != app.ID {
				return nil, errNone()
			}
			return app, nil
		},
		fields: map[string]func(*exchange, *store.App, Field) (any, error){
			"id":       plain(func(app *store.App) any { return a.nodeID(app.ID) }),
			"name":     plain(func(*store.App) any { return a.name }),
			"link":     func(x *exchange, _ *store.App, _ Field) (any, error) { return x.origin() + "/", nil },
			"category": plain(func(*store.App) any { return "Business" }),
		}})
}
