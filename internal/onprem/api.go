// Package onprem translates between the On-Premises API (/v1) and the engine: requests to messages, answers and errors to
// the API's envelope, events to webhook bodies.
//
// It decides nothing: rules, keys and limits of messages are the engine's and the vocabulary's. It does not authenticate
// (auth.Mux has done so before a handler runs), does not deliver webhooks (it renders them, Render), and does not know the
// other dialect. What is refused and how it is called stands in one table, errors.go.
//
// A request never sees what belongs to another number: every id is looked up under the number of whoever asks.
//
// The routes are those of the authorisation table; a wrong method on a known path is answered like an unknown path (404,
// 1006) with an Allow header. An API is safe for concurrent use and keeps nothing between requests. JSON bodies have up to
// 1 MiB, media up to 64 MB and are never in memory as a whole.
//
// Source: On-Premises contract, sections 0 to 3, 7 and 8; version 2.45.0.
package onprem

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/engine"
	"kabar/internal/web"
)

// Version is the version of the On-Premises API that answers name.
const Version = "2.45.0"

// Store is what the dialect needs of the store beside the engine; *store.DB has it.
type Store interface {
	// HideMedia and RevealMedia map the keys of media to public numbers and back.
	HideMedia(kabar.MediaID) uint64
	RevealMedia(uint64) kabar.MediaID
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
	// Certificates keep what is uploaded of certificates.
	Certificates Certificates
	// Stats are what is counted, and Operations what is asked for, for whoever watches the server.
	Stats      *Stats
	Operations Operations
	// CheckURL tells whether a webhook may go to a URL; its error is shown to whoever set it.
	CheckURL func(url string) error
	Log      *slog.Logger
	Now      func() time.Time // real time, for deadlines of connections; default time.Now
}

// API serves the On-Premises API of all numbers of a server.
type API struct {
	engine       *engine.Engine
	auth         *auth.Auth
	store        Store
	checkURL     func(string) error
	log          *slog.Logger
	now          func() time.Time
	certificates Certificates
	stats        *Stats
	operations   Operations
	deriving     chan struct{} // one for whoever derives a key from a password
	counting     chan struct{} // one for whoever counts rows
	secret       []byte        // makes ids that cannot be guessed
	kinds        []kind        // of messages

	photos  chan struct{} // one for each picture on its way in
	digests sync.Pool
}

// New returns an API over an open store.
func New(ctx context.Context, o Options) (*API, error) {
	a := &API{engine: o.Engine, auth: o.Auth, store: o.Store, checkURL: o.CheckURL, log: o.Log, now: o.Now,
		certificates: o.Certificates, stats: o.Stats, operations: o.Operations,
		kinds: kinds(), counting: make(chan struct{}, 1), deriving: make(chan struct{}, 1), photos: make(chan struct{}, maxPhotos)}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.now == nil {
		a.now = time.Now
	}
	var err error
	a.secret, err = o.Store.Secret(ctx, "onprem/ids", func() []byte {
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails: crypto/rand
		return key
	})
	if err != nil {
		return nil, fmt.Errorf("read the key of public ids: %w", err)
	}
	return a, nil
}

// Prefix is where the paths of this API begin: the prefix of its auth.Surface, whose trailing slashes are tolerated and
// whose refusals Refuse answers.
const Prefix = "/v1/"

// handle makes a handler that answers what f refuses.
func (a *API) handle(f func(*exchange) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := newExchange(w, r)
		err := checkEncoding(w, r)
		if err == nil {
			err = f(x)
		}
		if err != nil {
			a.fail(x, err)
		}
	})
}

// checkEncoding refuses a compressed body: a medium would be stored, and sent to customers, as it is.
func checkEncoding(w http.ResponseWriter, r *http.Request) error {
	encoding := r.Header.Get("Content-Encoding")
	if encoding == "" || strings.EqualFold(encoding, "identity") {
		return nil
	}
	web.Drain(w, r)
	return kabar.Refuse(kabar.ReasonInvalid, "Content-Encoding", "%q is not understood: send the body without it", encoding)
}

// Refuse answers a request that has not reached a handler: for auth.Surface.
func (a *API) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	a.fail(newExchange(w, r), err)
}

// exchange is one request and its answer.
type exchange struct {
	w   http.ResponseWriter
	r   *http.Request
	who auth.Who
	web bool // answered without the engine: the version has a leading v

	inside string // id of the request within the server
}

// ofUsers reports whether the path is of a user: those the original's web part answers by itself.
func ofUsers(path string) bool { return strings.HasPrefix(path+"/", Prefix+"users/") }

// newExchange begins the answer with the headers that all have.
func newExchange(w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{w: w, r: r, who: auth.From(r), web: ofUsers(r.URL.Path)}
	// The names are spelled as net/http keeps them, so nothing has to be looked at as Header.Set would.
	var outside string
	outside, x.inside = web.RequestIDs()
	h, values := w.Header(), []string{"Server", "no-cache, private", outside, x.inside}
	h["Server"], h["Cache-Control"], h[web.RequestIDHeader] = values[:1:1], values[1:2:2], values[2:3:3]
	if !x.web {
		h[insideHeader] = values[3:]
	}
	return x
}

// insideHeader carries the id of a request within the server, and the stanza of the message that it made.
const insideHeader = "X-Internal-Request-Ids"

// trace names the stanza of the message that the request made.
func (x *exchange) trace(stanza string) {
	if stanza != "" {
		x.w.Header()[insideHeader] = []string{x.inside + "|" + stanza}
	}
}

// number is the number of whoever asks.
func (x *exchange) number() kabar.NumberID { return x.who.Number }

// decode reads the JSON body: strictly, with unknown names refused at the top.
func (x *exchange) decode(into any) error {
	return web.DecodeRequest(x.w, x.r, into, web.Options{RefuseNUL: true})
}
