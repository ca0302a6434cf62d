package auth

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// TokenLife is how long a token is valid.
const TokenLife = 7 * 24 * time.Hour

// claims are what a token says (On-Premises contract, section 0).
type claims struct {
	User    string           `json:"user"`
	Issued  *jwt.NumericDate `json:"iat"`
	Expires *jwt.NumericDate `json:"exp"`
	Session string           `json:"wa:rand"`
}

// The methods that jwt.Claims asks for.
func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return c.Expires, nil }
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error)       { return c.Issued, nil }
func (c *claims) GetNotBefore() (*jwt.NumericDate, error)      { return nil, nil }
func (c *claims) GetIssuer() (string, error)                   { return "", nil }
func (c *claims) GetSubject() (string, error)                  { return c.User, nil }
func (c *claims) GetAudience() (jwt.ClaimStrings, error)       { return nil, nil }

// newSession returns a random session id: 32 hexadecimal digits.
func newSession() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand
	return hex.EncodeToString(b[:])
}

// sign makes the token of a session.
func (a *Auth) sign(user, session string, issued, expires time.Time) (string, error) {
	c := &claims{User: user, Issued: jwt.NewNumericDate(issued), Expires: jwt.NewNumericDate(expires), Session: session}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(a.signing)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return token, nil
}

// keptTokens bounds how many tokens are remembered; about 500 bytes each.
const keptTokens = 10_000

// tokens remembers the claims of tokens whose signature has been found right: checking it again would find the same. Whether
// they are still in time, and whether their session still exists, is asked at each request.
type tokens struct {
	mu     sync.Mutex
	claims map[string]*claims
}

func (t *tokens) get(token string) *claims {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.claims[token]
}

func (t *tokens) put(token string, c *claims) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.claims) >= keptTokens {
		for old := range t.claims { // any: it is checked again when it is needed
			delete(t.claims, old)
			break
		}
	}
	t.claims[token] = c
}

// parse checks signature and time of a token. HS256 is the only method that is accepted. The claims are shared: nobody
// changes them.
func (a *Auth) parse(token string) (*claims, error) {
	if c := a.tokens.get(token); c != nil && a.now().Before(c.Expires.Time) {
		return c, nil
	}
	c := new(claims)
	_, err := jwt.ParseWithClaims(token, c, func(*jwt.Token) (any, error) { return a.signing, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithExpirationRequired(), jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(a.now))
	if err == nil {
		a.tokens.put(token, c)
	}
	return c, err
}
