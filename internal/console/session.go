package console

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"slices"
	"sync"
	"time"

	"kabar/internal/auth"
)

// Lives of links and sessions.
const (
	linkLife    = 10 * time.Minute
	idleLife    = 30 * time.Minute // since the page was last asked for
	sessionLife = 12 * time.Hour   // since the sign-in
)

// Bounds of what is kept; the oldest makes room.
const (
	maxLinks    = 16 // and as many other codes
	maxSessions = 64
)

// newSecret returns 256 random bits in 43 characters, and the hash under which they are kept: who reads the memory of
// the process, or a dump of it, finds nothing to sign in with.
func newSecret() (string, [sha256.Size]byte) {
	var b [32]byte
	rand.Read(b[:])
	s := base64.RawURLEncoding.EncodeToString(b[:])
	return s, sha256.Sum256([]byte(s))
}

// codes are secrets of which each is good once, within [linkLife], and stands for something; oldest first.
type codes[T any] struct {
	mu   sync.Mutex
	list []code[T]
}

type code[T any] struct {
	hash [sha256.Size]byte
	made time.Time
	what T
}

func (c *codes[T]) add(now time.Time, what T) string {
	secret, hash := newSecret()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, code[T]{hash, now, what})
	if len(c.list) > maxLinks {
		c.list = slices.Delete(c.list, 0, len(c.list)-maxLinks)
	}
	return secret
}

// use takes a code away and says what it stands for, if it was good. Every hash is compared, each in constant time.
func (c *codes[T]) use(secret string, now time.Time) (what T, ok bool) {
	hash := sha256.Sum256([]byte(secret))
	c.mu.Lock()
	defer c.mu.Unlock()
	found := -1
	for i := range c.list {
		if subtle.ConstantTimeCompare(hash[:], c.list[i].hash[:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return what, false
	}
	used := c.list[found]
	c.list = slices.Delete(c.list, found, found+1)
	if age := now.Sub(used.made); age < 0 || age >= linkLife {
		return what, false
	}
	return used.what, true
}

// sessions are the signed-in browsers, oldest first.
type sessions struct {
	mu   sync.Mutex
	list []session
}

type session struct {
	hash          [sha256.Size]byte
	opened, asked time.Time
	who           auth.Who
}

func (s session) over(now time.Time) bool {
	return now.Sub(s.opened) >= sessionLife || now.Sub(s.asked) >= idleLife
}

// open makes a session and returns its token. Those that are over are dropped on the way.
func (s *sessions) open(now time.Time, who auth.Who) string {
	token, hash := newSecret()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = slices.DeleteFunc(s.list, func(o session) bool { return o.over(now) })
	s.list = append(s.list, session{hash, now, now, who})
	if len(s.list) > maxSessions {
		s.list = slices.Delete(s.list, 0, len(s.list)-maxSessions)
	}
	return token
}

// find says who has the session of a token; asked says that its owner has come back, which keeps it awake.
func (s *sessions) find(token string, now time.Time, asked bool) (auth.Who, bool) {
	hash := sha256.Sum256([]byte(token))
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.list {
		o := &s.list[i]
		if subtle.ConstantTimeCompare(hash[:], o.hash[:]) == 1 && !o.over(now) {
			if asked {
				o.asked = now
			}
			return o.who, true
		}
	}
	return auth.Who{}, false
}

func (s *sessions) close(token string) {
	hash := sha256.Sum256([]byte(token))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = slices.DeleteFunc(s.list, func(o session) bool { return subtle.ConstantTimeCompare(hash[:], o.hash[:]) == 1 })
}

// cookieName is the name of the session's cookie. Browsers take a __Host- cookie only over https, only for this host and
// the whole of it; plain http is for loopback, and the name must then be another.
func cookieName(r *http.Request) string {
	if r.TLS != nil {
		return "__Host-kabar"
	}
	return "kabar"
}

// cookie carries a token. A negative age removes it; with 0 it lives as long as the browser, or until the session ends.
func cookie(r *http.Request, token string, age int) *http.Cookie {
	return &http.Cookie{
		Name: cookieName(r), Value: token, Path: "/", MaxAge: age,
		Secure: r.TLS != nil, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
}

// session says who is signed in with the browser that makes the request. asked is as for find.
func (c *Console) session(r *http.Request, asked bool) (auth.Who, bool) {
	for _, k := range r.CookiesNamed(cookieName(r)) {
		if who, ok := c.sessions.find(k.Value, c.now(), asked); ok {
			return who, true
		}
	}
	return auth.Who{}, false
}

// end closes the session that the request brings: a new one never takes over an old token.
func (c *Console) end(r *http.Request) {
	for _, k := range r.CookiesNamed(cookieName(r)) {
		c.sessions.close(k.Value)
	}
}
