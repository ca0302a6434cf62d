// Package auth says who makes a request and what that one may do.
//
// Users of the /v1 API log in with a password and get a token: a JWT that names a session row in the store, so that a
// logout ends it at once. Programs have API keys, of one number (the /v1 API) or of the management API. Every route of the
// server stands in one table (table.go), and Mux makes the server's handler from it: a route without a row, or a row
// without a route, does not start.
//
// What this package does not do: it knows no dialect (how a refusal looks is for the surface, mux.go), keeps no sessions of
// the console, and does not know which number owns which message or medium: that is checked where those are read.
//
// Limits: at most four passwords are hashed at a time (19 MiB each); sessions and keys are remembered for a second, 10,000
// of each; failed logins are counted for 10,000 names and as many addresses (limiter.go), in memory and in the store,
// so that a restart forgives none (throttle.go). All times are real time, never the shifted clock. An Auth is safe for concurrent use; Run
// notes in the store when keys were used, and nothing else needs it.
//
// Sources: On-Premises contract, sections 0 and 1.1; OWASP Password Storage Cheat Sheet; RFC 7519, RFC 9106.
package auth

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"sync"
	"time"

	"kabar"
	"kabar/internal/store"
)

// The roles of /v1 users, as the API writes them.
const (
	RoleAdmin = "ROLE_ADMIN"
	RoleUser  = "ROLE_USER"
)

// The scopes of API keys.
const (
	ScopeMessages = "messages" // what a user of the /v1 API may do; needs a key of one number
	ScopeAdmin    = "admin"    // what an administrator of the /v1 API may do; includes ScopeMessages
	ScopeRead     = "read"     // to see what became of messages, in /kabar/v1
	ScopeReview   = "review"   // to judge templates, in /kabar/v1
	ScopeAccounts = "accounts" // to add and change accounts, in /kabar/v1; with a key of the whole server, also their lines of credit
	ScopeConsent  = "consent"  // to record what customers have agreed to, in /kabar/v1
	// ScopeBroadcasts is to send one template to many, in /kabar/v1: more than answering a customer.
	ScopeBroadcasts = "broadcasts"
	ScopeWebhooks   = "webhooks" // to say where events go, and have them sent again, in /kabar/v1
	ScopeLab        = "lab"      // the tools of kabar dev: the clock

	// In a team some do only a part of what whatsapp_business_management allows, and few see what the others do.
	ScopeTemplates = "templates" // to write templates; included in ScopeManagement
	ScopeKeys      = "keys"      // to give and revoke keys, in /kabar/v1
	ScopeAudit     = "audit"     // to see what was done, in /kabar/v1
	ScopePrivacy   = "privacy"   // to export and erase what is held of a customer, and say for how long things are kept, in /kabar/v1
)

// AllScopes returns every scope there is.
func AllScopes() []string {
	return []string{ScopeMessages, ScopeAdmin, ScopeRead, ScopeLab, ScopeManagement, ScopeMessaging, ScopeReview, ScopeTemplates, ScopeKeys,
		ScopeAudit, ScopeConsent, ScopeAccounts, ScopeBroadcasts, ScopePrivacy, ScopeWebhooks}
}

// Who is the one behind a request.
type Who struct {
	Account kabar.AccountID // 0: all accounts (a key of the operator)
	Number  kabar.NumberID  // 0: not of one number
	User    string          // name of a /v1 user; empty for a key
	Role    string          // RoleAdmin or RoleUser; empty for a key without access to /v1
	Scopes  []string        // of a key, or of its role
	Team    string          // the role that a key or a session was given (role.go); empty: scopes of its own
	App     bool            // the app itself, by its own token

	Key   string    // id of the key; empty for all others
	Since time.Time // when the key was made
	Ends  time.Time // of the key; zero: never

	user    int64  // key of the user's row; 0 for a key
	session string // that the token names; empty for a key
}

type whoKey struct{}

// From returns who makes the request. The zero Who stands for nobody: on public routes and for a login.
func From(r *http.Request) Who {
	w, _ := r.Context().Value(whoKey{}).(Who)
	return w
}

func withWho(r *http.Request, w Who) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), whoKey{}, w))
}

// Options are what an Auth works with.
type Options struct {
	Store      *store.DB
	MonitorKey string           // opens health, stats and metrics; see CheckMonitorKey. Empty: none does
	Now        func() time.Time // real time; default time.Now
}

// Auth checks passwords, tokens and keys.
type Auth struct {
	db       *store.DB
	now      func() time.Time
	signing  []byte
	unknown  string // hash that the password of an unknown user is compared with, so that it takes as long
	hashing  chan struct{}
	tokens   *tokens
	sessions *cache
	keys     *cache
	monitor  monitor
	uses     *uses
	limiter  *limiter
	app      *store.App
	change   sync.Mutex // held while a password is replaced, or a user added or removed
}

// signingKey is the name of the secret that signs tokens.
const signingKey = "auth/jwt"

// New returns an Auth over an open store. The key that signs tokens is made with the store and kept sealed in it.
func New(ctx context.Context, o Options) (*Auth, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	signing, err := o.Store.Secret(ctx, signingKey, func() []byte {
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails: crypto/rand
		return key
	})
	if err != nil {
		return nil, fmt.Errorf("read the key of tokens: %w", err)
	}
	app, err := o.Store.App(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the app: %w", err)
	}
	a := &Auth{
		db: o.Store, app: app, now: o.Now, signing: signing, unknown: hash(rand.Text()), hashing: make(chan struct{}, maxHashes),
		tokens:   &tokens{claims: map[string]*claims{}},
		sessions: newCache(o.Now), keys: newCache(o.Now), monitor: newMonitor(o.MonitorKey), uses: newUses(), limiter: newLimiter(o.Now),
	}
	if err := a.recall(ctx); err != nil {
		return nil, fmt.Errorf("read the failed logins: %w", err)
	}
	return a, nil
}

// errUnauthorized answers every request whose credentials are missing or wrong: it does not say which.
func errUnauthorized() error { return unauthorized("Invalid credentials.") }

// errDiffer answers a request that brings several credentials, before any of them is looked at.
func errDiffer() error {
	return unauthorized("Invalid credentials: the request brings more than one, and they differ. Send Authorization or D360-API-KEY.")
}

func unauthorized(detail string) error {
	return &kabar.Error{Reason: kabar.ReasonUnauthorized, Detail: detail}
}
