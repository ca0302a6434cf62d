package auth

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // a header that the contract has, beside the one with SHA-256
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"kabar"
	"kabar/internal/store"
)

// The access tokens of the Graph API are API keys with the scopes of that API. They come as "Authorization: Bearer", as
// "Authorization: OAuth" or as the query parameter access_token (contract Cloud API, section 0). The app has a token of its
// own, which is its id and its secret.

// The scopes of access tokens, in the words of the Graph API.
const (
	ScopeMessaging  = "whatsapp_business_messaging"  // messages and media of the account's numbers
	ScopeManagement = "whatsapp_business_management" // numbers, templates, profile and subscriptions
)

// GraphScopes returns the scopes of access tokens.
func GraphScopes() []string { return []string{ScopeManagement, ScopeMessaging} }

// The kinds of access of the Graph API.
var (
	// AnyToken routes take every access token, the app's own too. What it may see of a node is for the handler.
	AnyToken = Access{level: token}
	// AppToken routes take the app's own token.
	AppToken = Access{level: appToken}
)

// TokenScope routes take access tokens that have the scope.
func TokenScope(name string) Access { return Access{level: token, scope: name} }

// graph says who brings an access token, if that one may.
func (a *Auth) graph(r *http.Request, access Access) (Who, error) {
	secret, err := accessToken(r)
	if err != nil {
		return Who{}, err
	}
	who, err := a.Inspect(r, secret)
	if err != nil {
		return Who{}, err
	}
	if proof := r.URL.Query().Get("appsecret_proof"); proof != "" && !a.proves(secret, proof) {
		return Who{}, kabar.Refuse(kabar.ReasonInvalid, "appsecret_proof", "Invalid appsecret_proof provided in the API argument")
	}
	switch {
	case access.level == appToken && !who.App:
		return Who{}, kabar.Refuse(kabar.ReasonDenied, "", "this needs the access token of the app: APP_ID|APP_SECRET")
	case access.level == token && access.scope != "" && !who.May(access.scope):
		return Who{}, kabar.Refuse(kabar.ReasonDenied, "", "this needs an access token with the permission %s", permission(access.scope))
	}
	return who, nil
}

// permission is what the contract calls a scope: of ours it knows nothing.
func permission(scope string) string {
	if scope == ScopeTemplates {
		return ScopeManagement
	}
	return scope
}

// Inspect says whose an access token is. One that is none is ReasonUnauthorized, one that has ended ReasonTokenExpired.
func (a *Auth) Inspect(r *http.Request, secret string) (Who, error) {
	if id, appSecret, ok := strings.Cut(secret, "|"); ok {
		if id != a.AppID() || subtle.ConstantTimeCompare([]byte(appSecret), []byte(a.app.Secret)) != 1 {
			return Who{}, errUnauthorized()
		}
		return Who{App: true}, nil
	}
	who, err := a.key(r.Context(), secret)
	if expired, ok := errors.AsType[*expiredError](err); ok {
		err = kabar.Refuse(kabar.ReasonTokenExpired, "", "Error validating access token: Session has expired on %s.", expired.at.UTC().Format(time.RFC1123))
	}
	if err == nil && !slices.ContainsFunc(who.Scopes, func(s string) bool { return slices.Contains(GraphScopes(), s) }) {
		err = errUnauthorized()
	}
	return who, err
}

// AppID returns the public id of the app.
func (a *Auth) AppID() string { return strconv.FormatUint(a.db.Node(a.app.ID), 10) }

// CheckAppSecret reports whether that is the app's secret.
func (a *Auth) CheckAppSecret(secret string) bool {
	return subtle.ConstantTimeCompare([]byte(secret), []byte(a.app.Secret)) == 1
}

// Sign returns the HMAC-SHA256 of a webhook's body under the app's secret, in hexadecimal digits.
func (a *Auth) Sign(body []byte) string { return a.mac(body) }

// proves checks an appsecret_proof, the token under the app's secret.
func (a *Auth) proves(secret, proof string) bool {
	return hmac.Equal([]byte(a.mac([]byte(secret))), []byte(strings.ToLower(proof)))
}

func (a *Auth) mac(text []byte) string {
	h := hmac.New(sha256.New, []byte(a.app.Secret))
	h.Write(text)
	return hex.EncodeToString(h.Sum(nil))
}

// accessToken finds the token of a request. Two that differ are refused: which of them counts would be a guess.
func accessToken(r *http.Request) (string, error) {
	var all []string
	for _, c := range credentials(r) {
		if c.kind == "bearer" || c.kind == "oauth" {
			all = append(all, c.secret)
		}
	}
	all = append(all, r.URL.Query()["access_token"]...)
	all = slices.Compact(slices.DeleteFunc(all, func(s string) bool { return s == "" }))
	switch len(all) {
	case 0:
		return "", kabar.Refuse(kabar.ReasonNoToken, "", "An access token is required to request this resource.")
	case 1:
		return all[0], nil
	}
	return "", unauthorized("Invalid credentials: the request brings more than one access token, and they differ. Send Authorization: Bearer alone.")
}

// App is what the Graph API's surface has to know of the server as an app.
func (a *Auth) App() store.App { return *a.app }

// SignSHA1 is Sign with SHA-1, for the header that older applications look at.
func (a *Auth) SignSHA1(body []byte) string {
	h := hmac.New(sha1.New, []byte(a.app.Secret))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}
