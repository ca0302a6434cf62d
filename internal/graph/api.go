package graph

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/engine"
	"kabar/internal/store"
)

// Version is the version of the Graph API that is spoken, and that a path without one means.
const Version = "v23.0"

// Store is what the dialect needs of the store beside the engine; *store.DB has it.
type Store interface {
	// Node and NodeKey map keys to public ids and back.
	Node(key int64) uint64
	NodeKey(id uint64) (key int64, ok bool)
	// App returns the server as an app.
	App(context.Context) (*store.App, error)
	// Accounts returns every account of the server, oldest first.
	Accounts(context.Context) ([]*kabar.Account, error)
	// AccountHearing returns how an account is heard of.
	AccountHearing(context.Context, kabar.AccountID) (store.Hearing, error)
	// Medium returns a medium of the number, or a *store.NotFoundError.
	Medium(context.Context, kabar.NumberID, kabar.MediaID) (*store.Medium, error)
	// Conversation returns a conversation of the number, or a *store.NotFoundError.
	Conversation(context.Context, kabar.NumberID, kabar.ConversationID) (*kabar.Conversation, error)
	// Secret returns the server's secret of that name, and makes it when there is none.
	Secret(ctx context.Context, name string, made func() []byte) ([]byte, error)
}

// Options are what an API works with.
type Options struct {
	Engine *engine.Engine
	Auth   *auth.Auth
	Store  Store
	Name   string // of the server as an app, for whoever asks
	// CheckURL tells whether a webhook may go to a URL; its error is shown to whoever set it.
	CheckURL func(url string) error
	// Web asks a callback whether it wants webhooks; an *egress.Client.
	Web interface {
		Do(req *http.Request, maxBytes int64) (*http.Response, error)
	}
	// AddNumber adds a number to an account and connects it; ReasonExists when the server has it. Nil refuses new numbers.
	AddNumber func(ctx context.Context, to kabar.AccountID, digits, name string) (*kabar.Number, error)
	Log       *slog.Logger
	Now       func() time.Time // real time, for signed links and deadlines of connections; default time.Now
}

// API serves the Graph API of all numbers of a server.
type API struct {
	engine   *engine.Engine
	auth     *auth.Auth
	store    Store
	name     string
	checkURL func(string) error
	web      interface {
		Do(req *http.Request, maxBytes int64) (*http.Response, error)
	}
	addNumber func(ctx context.Context, to kabar.AccountID, digits, name string) (*kabar.Number, error)
	log       *slog.Logger
	now       func() time.Time
	used      usage

	secret []byte // makes what cannot be guessed: conversation ids, signed links
	kinds  []*kind

	adding sync.Mutex // held while the numbers are counted and one is added
}

// New returns an API over an open store.
func New(ctx context.Context, o Options) (*API, error) {
	a := &API{engine: o.Engine, auth: o.Auth, store: o.Store, name: o.Name, checkURL: o.CheckURL, web: o.Web, addNumber: o.AddNumber,
		log: o.Log, now: o.Now}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.name == "" {
		a.name = "Kabar"
	}
	var err error
	a.secret, err = o.Store.Secret(ctx, "graph/ids", func() []byte {
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails: crypto/rand
		return key
	})
	if err != nil {
		return nil, fmt.Errorf("read the key of links: %w", err)
	}
	a.kinds = a.allKinds()
	return a, nil
}

// Prefix is where the routes of this API stand: the prefix of its auth.Surface, whose Enter and whose refusals are those of
// this package.
const Prefix = "/graph/"

// Handlers returns the handlers by the patterns of the authorisation table.
func (a *API) Handlers() map[string]http.Handler {
	all := map[string]http.Handler{
		"GET /graph/{$}":     a.handle(a.root),
		"POST /graph/{$}":    a.handle(a.root),
		"GET /graph/{id}":    a.handle(a.showNode),
		"POST /graph/{id}":   a.handle(a.updateNode),
		"DELETE /graph/{id}": a.handle(a.removeNode),

		"GET /graph/me":                  a.handle(a.me),
		"GET /graph/debug_token":         a.handle(a.debugToken),
		"GET /graph/oauth/access_token":  a.handle(a.issueToken),
		"POST /graph/oauth/access_token": a.handle(a.issueToken),

		"POST /graph/{id}/messages":           a.handle(a.ofNumber(a.send)),
		"POST /graph/{id}/marketing_messages": a.handle(a.ofNumber(a.sendMarketing)),

		"POST /graph/{id}/media":                   a.handle(a.ofNumber(a.upload)),
		"GET /graph/whatsapp_business/attachments": a.handle(a.download),

		"POST /graph/{id}/uploads": a.handle(a.ofApp(a.beginUpload)),

		"GET /graph/{id}/subscribed_apps":    a.handle(a.ofAccount(a.subscribers)),
		"POST /graph/{id}/subscribed_apps":   a.handle(a.ofAccount(a.subscribe)),
		"DELETE /graph/{id}/subscribed_apps": a.handle(a.ofAccount(a.unsubscribe)),
		"GET /graph/{id}/subscriptions":      a.handle(a.ofApp(a.callback)),
		"POST /graph/{id}/subscriptions":     a.handle(a.ofApp(a.setCallback)),
		"DELETE /graph/{id}/subscriptions":   a.handle(a.ofApp(a.removeCallback)),

		"POST /graph/{id}/migrate_message_templates": a.handle(a.ofAccount(without[*kabar.Account](a, "migrate_message_templates"))),
		"GET /graph/{id}/assigned_users":             a.handle(a.ofAccount(a.assignedUsers)),
		"POST /graph/{id}/assigned_users":            a.handle(a.ofAccount(a.assignUser)),
		"DELETE /graph/{id}/assigned_users":          a.handle(a.ofAccount(a.unassignUser)),
		"GET /graph/{id}/extendedcredits":            a.handle(a.ofBusiness(a.credits)),

		"GET /graph/{id}/message_templates":         a.handle(a.ofAccount(a.listTemplates)),
		"POST /graph/{id}/message_templates":        a.handle(a.ofAccount(a.createTemplate)),
		"DELETE /graph/{id}/message_templates":      a.handle(a.ofAccount(a.deleteTemplates)),
		"POST /graph/{id}/upsert_message_templates": a.handle(a.ofAccount(a.upsertTemplates)),
		"GET /graph/{id}/message_template_previews": a.handle(a.ofAccount(a.previewTemplates)),
		"POST /graph/{id}/unpause":                  a.handle(a.ofTemplate(a.unpauseTemplate)),
		"GET /graph/{id}/template_analytics":        a.handle(a.ofAccount(a.templateAnalytics)),
		"GET /graph/{id}/compare":                   a.handle(a.ofTemplate(a.compareTemplates)),
		"GET /graph/message_template_library":       a.handle(a.listLibrary),

		"GET /graph/{id}/owned_whatsapp_business_accounts":    a.handle(a.ofBusiness(a.owned)),
		"GET /graph/{id}/client_whatsapp_business_accounts":   a.handle(a.ofBusiness(a.listClients)),
		"GET /graph/{id}/assigned_whatsapp_business_accounts": a.handle(a.ofUser(a.assigned)),
	}
	maps.Copy(all, a.numberHandlers())
	maps.Copy(all, a.flowHandlers())
	return all
}

// flowHandlers are those of flows, and of the key that customers' answers to them are encrypted for.
func (a *API) flowHandlers() map[string]http.Handler {
	return map[string]http.Handler{
		"GET /graph/{id}/flows":                         a.handle(a.ofAccount(a.listFlows)),
		"POST /graph/{id}/flows":                        a.handle(a.ofAccount(a.createFlow)),
		"POST /graph/{id}/migrate_flows":                a.handle(a.ofAccount(a.migrateFlows)),
		"GET /graph/{id}/assets":                        a.handle(a.ofFlow(a.listAssets)),
		"POST /graph/{id}/assets":                       a.handle(a.ofFlow(a.setAsset)),
		"POST /graph/{id}/publish":                      a.handle(a.ofFlow(a.publishFlow)),
		"POST /graph/{id}/deprecate":                    a.handle(a.ofFlow(a.deprecateFlow)),
		"GET /graph/whatsapp_business/flow_assets":      a.handle(a.downloadFlow),
		"GET /graph/{id}/whatsapp_business_encryption":  a.handle(a.ofNumber(a.showEncryption)),
		"POST /graph/{id}/whatsapp_business_encryption": a.handle(a.ofNumber(a.setEncryption)),
	}
}

// numberHandlers are those of the edges of numbers.
func (a *API) numberHandlers() map[string]http.Handler {
	return map[string]http.Handler{
		"POST /graph/{id}/register":                   a.handle(a.ofNumber(a.register)),
		"POST /graph/{id}/deregister":                 a.handle(a.ofNumber(a.deregister)),
		"POST /graph/{id}/request_code":               a.handle(a.ofNumber(a.requestCode)),
		"POST /graph/{id}/verify_code":                a.handle(a.ofNumber(a.verifyCode)),
		"GET /graph/{id}/whatsapp_business_profile":   a.handle(a.ofNumber(a.profile)),
		"POST /graph/{id}/whatsapp_business_profile":  a.handle(a.ofNumber(a.changeProfile)),
		"GET /graph/whatsapp_business/photos":         a.handle(a.photo),
		"GET /graph/{id}/block_users":                 a.handle(a.ofNumber(a.listBlocked)),
		"POST /graph/{id}/block_users":                a.handle(a.ofNumber(a.block)),
		"DELETE /graph/{id}/block_users":              a.handle(a.ofNumber(a.unblock)),
		"GET /graph/{id}/message_qrdls":               a.handle(a.ofNumber(a.listQR)),
		"POST /graph/{id}/message_qrdls":              a.handle(a.ofNumber(a.saveQR)),
		"GET /graph/{id}/message_qrdls/{code}":        a.handle(a.ofNumber(a.oneQR)),
		"DELETE /graph/{id}/message_qrdls/{code}":     a.handle(a.ofNumber(a.removeQR)),
		"GET /graph/whatsapp_business/qr_codes":       a.handle(a.drawQR),
		"GET /graph/{id}/settings":                    a.handle(a.ofNumber(a.showSettings)),
		"POST /graph/{id}/settings":                   a.handle(a.ofNumber(a.changeSettings)),
		"GET /graph/{id}/whatsapp_commerce_settings":  a.handle(a.ofNumber(a.commerce)),
		"POST /graph/{id}/whatsapp_commerce_settings": a.handle(a.ofNumber(a.changeCommerce)),
		"POST /graph/{id}/conversational_automation":  a.handle(a.ofNumber(a.changeAutomation)),
		"GET /graph/{id}/username":                    a.handle(a.ofNumber(a.username)),
		"POST /graph/{id}/username":                   a.handle(a.ofNumber(a.setUsername)),
		"DELETE /graph/{id}/username":                 a.handle(a.ofNumber(a.removeUsername)),
		"GET /graph/{id}/business_compliance_info":    a.handle(a.ofNumber(a.compliance)),
		"POST /graph/{id}/business_compliance_info":   a.handle(a.ofNumber(a.setCompliance)),
		"GET /graph/{id}/official_business_account":   a.handle(a.ofNumber(a.official)),
		"POST /graph/{id}/official_business_account":  a.handle(a.ofNumber(a.askOfficial)),
		"POST /graph/{id}/calls":                      a.handle(a.ofNumber(a.noCalls)),
		"GET /graph/{id}/call_permissions":            a.handle(a.ofNumber(a.noCalls)),
		"GET /graph/{id}/groups":                      a.handle(a.ofNumber(without[*kabar.Number](a, "groups"))),
		"POST /graph/{id}/groups":                     a.handle(a.ofNumber(without[*kabar.Number](a, "groups"))),
		"GET /graph/{id}/message_history":             a.handle(a.ofNumber(without[*kabar.Number](a, "message_history"))),
		"POST /graph/{id}/messages_encrypted":         a.handle(a.ofNumber(without[*kabar.Number](a, "messages_encrypted"))),
		"GET /graph/{id}/phone_numbers":               a.handle(a.ofAccount(a.listNumbers)),
		"POST /graph/{id}/phone_numbers":              a.handle(a.ofAccount(a.createNumber)),
	}
}

// handle makes a handler that answers what f refuses.
func (a *API) handle(f func(*exchange) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := newExchange(w, r)
		if err := f(x); err != nil {
			a.fail(x, err)
		}
	})
}

// Refuse answers a request that has not reached a handler: for auth.Surface.
func (a *API) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	x := newExchange(w, r)
	refused, ok := errors.AsType[*kabar.Error](err)
	if !ok || refused.Reason != kabar.ReasonNotFound {
		a.fail(x, err)
		return
	}
	unknown := refusals[kabar.ReasonNotFound]
	if unknown.status = http.StatusNotFound; w.Header().Get("Allow") != "" {
		unknown.status = http.StatusMethodNotAllowed
	}
	a.refuse(x, unknown, &kabar.Error{Reason: refused.Reason, Detail: "Unknown path components: " + clip(strings.TrimPrefix(r.URL.Path, strings.TrimSuffix(Prefix, "/"))) + ": " + refused.Detail})
}

// root answers the version alone. Batches are not served, and one client posts its PIN here, without an id.
func (a *API) root(*exchange) error {
	return kabar.Refuse(kabar.ReasonInvalid, "", "Unsupported request - the path must name an object, such as /%s/PHONE_NUMBER_ID/messages; "+
		"batches are not served", Version)
}
