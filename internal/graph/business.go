package graph

import (
	"kabar"
	"kabar/internal/auth"
	"kabar/internal/store"
)

// business is the one that runs this server: the owner of its accounts and its app.
type business struct{ app *store.App }

// user is the one whom access tokens stand for.
type user struct{ app *store.App }

func (a *API) businessKind() *kind {
	return kindOf(spec[business]{name: "Business", defaults: []string{"name"},
		find: func(x *exchange, key int64) (business, error) {
			app, err := a.app(x)
			if err != nil {
				return business{}, err
			}
			if key != app.Business {
				return business{}, errNone()
			}
			return business{app}, nil
		},
		fields: map[string]func(*exchange, business, Field) (any, error){
			"id":   plain(func(b business) any { return a.nodeID(b.app.Business) }),
			"name": plain(func(business) any { return a.name }),
			"owned_whatsapp_business_accounts": func(x *exchange, b business, f Field) (any, error) {
				return a.accountPage(x, f, a.nodeID(b.app.Business)+"/owned_whatsapp_business_accounts", ours)
			},
			"client_whatsapp_business_accounts": func(x *exchange, b business, f Field) (any, error) {
				return a.accountPage(x, f, a.nodeID(b.app.Business)+"/client_whatsapp_business_accounts", clients)
			},
		}})
}

func (a *API) userKind() *kind {
	return kindOf(spec[user]{name: "User", defaults: []string{"name"},
		find: func(x *exchange, key int64) (user, error) {
			app, err := a.app(x)
			if err != nil {
				return user{}, err
			}
			if key != app.User {
				return user{}, errNone()
			}
			return user{app}, nil
		},
		fields: map[string]func(*exchange, user, Field) (any, error){
			"id":   plain(func(u user) any { return a.nodeID(u.app.User) }),
			"name": plain(func(user) any { return a.name }),
			"assigned_whatsapp_business_accounts": func(x *exchange, u user, f Field) (any, error) {
				return a.accountPage(x, f, a.nodeID(u.app.User)+"/assigned_whatsapp_business_accounts", anybodys)
			},
		}})
}

// me: GET /me is the user of the token, and the app for the app's own.
func (a *API) me(x *exchange) error {
	app, err := a.app(x)
	if err != nil {
		return err
	}
	fields, err := ParseFields(x.r.URL.Query().Get("fields"))
	if err != nil {
		return err
	}
	k, node := a.userKind(), any(user{app})
	if x.who.App {
		k, node = a.appKind(), any(app)
	}
	shown, err := k.show(x, node, fields)
	if err != nil {
		return err
	}
	return x.reply(shown)
}

// owned: GET /{business}/owned_whatsapp_business_accounts.
func (a *API) owned(x *exchange, b business) error {
	return a.listAccounts(x, a.nodeID(b.app.Business)+"/owned_whatsapp_business_accounts", ours)
}

// assigned: GET /{user}/assigned_whatsapp_business_accounts.
func (a *API) assigned(x *exchange, u user) error {
	return a.listAccounts(x, a.nodeID(u.app.User)+"/assigned_whatsapp_business_accounts", anybodys)
}

// listClients: GET /{business}/client_whatsapp_business_accounts: those that were added for clients (kabar provider onboard).
func (a *API) listClients(x *exchange, b business) error {
	return a.listAccounts(x, a.nodeID(b.app.Business)+"/client_whatsapp_business_accounts", clients)
}

// mine reports whether whoever asks may see what belongs to an account.
func mine(who auth.Who, id kabar.AccountID) bool {
	return who.App || who.Account == 0 || who.Account == id
}
