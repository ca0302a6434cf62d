package phoneui

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"kabar/internal/phone"
	"kabar/internal/ui"
	"kabar/internal/web"
)

// answerTime is how long an answer may take; streams and downloads lift it.
const answerTime = time.Minute

// Handler serves the control API of p under /api/ and the page everywhere else; with a token, behind one gate.
// The names are those it answers under, beside localhost and addresses.
func Handler(p *phone.Phone, page *UI, token string, hosts []string, log *slog.Logger) (http.Handler, error) {
	mux := http.NewServeMux()
	mux.Handle("/api/", p.Handler())
	mux.Handle("/", page.Handler())
	var h http.Handler = mux
	if token != "" {
		var err error
		if h, err = newGate(token, mux, log); err != nil {
			return nil, err
		}
	}
	return web.Recover(log, web.CheckHost(web.AllowHosts(hosts...), nil, web.SameOrigin(nil, web.WriteDeadline(answerTime, h)))), nil
}

// gate lets nobody through who has not shown a token: programs send it with every call as a bearer token, people enter it
// once on a page and have a cookie from then on. The cookie is a time and its MAC under a key of this process, so nothing is
// kept, and a restart ends every session. Real time; safe for concurrent use.
type gate struct {
	token  [sha256.Size]byte // hashed, so that comparing takes the same time whatever is sent
	key    [sha256.Size]byte
	next   http.Handler
	assets *ui.Assets
	pages  *ui.Pages
	log    *slog.Logger
	now    func() time.Time
}

const (
	gateCookie = "kabar-phone"
	gateLife   = 12 * time.Hour // of a session
	gateBody   = 4 << 10        // bytes of the sign-in form
)

// newGate puts a gate around next.
func newGate(token string, next http.Handler, log *slog.Logger) (*gate, error) {
	assets := ui.NewAssets()
	pages, err := ui.NewPages(assets, templates, "html/signin.html")
	if err != nil {
		return nil, err
	}
	g := &gate{token: sha256.Sum256([]byte(token)), next: next, assets: assets, pages: pages, log: log, now: time.Now}
	_, err = rand.Read(g.key[:])
	return g, err
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	bearer, isProgram := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case isProgram && g.known(bearer), g.signedIn(r):
		g.next.ServeHTTP(w, r)
	case strings.HasPrefix(r.URL.Path, ui.AssetPrefix): // stylesheet and script: the same for everybody
		g.assets.ServeHTTP(w, r)
	case r.Method == http.MethodPost && r.URL.Path == "/signin":
		g.signIn(w, r)
	case isProgram || strings.HasPrefix(r.URL.Path, "/api/"):
		w.Header().Set("WWW-Authenticate", "Bearer")
		_ = web.WriteJSON(w, http.StatusUnauthorized, map[string]any{"error": map[string]any{"code": phone.CodeUnauthorized,
			"message": "The token is missing or wrong. Send the one of --token-file: Authorization: Bearer <token>."}}) // the client may have gone
	default:
		g.form(w, r, http.StatusUnauthorized, false)
	}
}

func (g *gate) known(token string) bool {
	got := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(got[:], g.token[:]) == 1
}

// signIn answers the form. The cookie is Secure when the browser came by https, through a proxy: the listener is plain HTTP.
func (g *gate) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, gateBody)
	if !g.known(strings.TrimSpace(r.PostFormValue("token"))) {
		g.form(w, r, http.StatusForbidden, true)
		return
	}
	//nolint:gosec // Secure wherever the browser came by https; a lab on plain http has no other way
	http.SetCookie(w, &http.Cookie{Name: gateCookie, Value: g.session(g.now().Add(gateLife)), Path: "/", HttpOnly: true,
		SameSite: http.SameSiteStrictMode, Secure: strings.HasPrefix(r.Header.Get("Origin"), "https://"), MaxAge: int(gateLife / time.Second)})
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// session is a cookie that is good until a time.
func (g *gate) session(until time.Time) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(until.Unix()))
	mac := hmac.New(sha256.New, g.key[:])
	mac.Write(b)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(b))
}

func (g *gate) signedIn(r *http.Request) bool {
	for _, k := range r.CookiesNamed(gateCookie) {
		b, err := base64.RawURLEncoding.DecodeString(k.Value)
		if err != nil || len(b) != 8+sha256.Size {
			continue
		}
		until := time.Unix(int64(binary.BigEndian.Uint64(b)), 0)
		if hmac.Equal([]byte(g.session(until)), []byte(k.Value)) && g.now().Before(until) {
			return true
		}
	}
	return false
}

// form shows the sign-in page. Its policy lets the browser name the page as the form's origin, which it does not do under
// "no-referrer", and which is how a form of another site is told from ours where there is no TLS.
func (g *gate) form(w http.ResponseWriter, r *http.Request, status int, wrong bool) {
	page := struct {
		Head  ui.Head
		Wrong bool
	}{ui.Head{Title: "Sign in · Kabar", Class: "plain"}, wrong}
	web.PageHeaders(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Referrer-Policy", "same-origin")
		if err := g.pages.Write(w, status, "signin", page); err != nil {
			g.log.ErrorContext(r.Context(), "draw the sign-in page", "error", err)
			http.Error(w, "the page cannot be drawn", http.StatusInternalServerError)
		}
	})).ServeHTTP(w, r)
}
