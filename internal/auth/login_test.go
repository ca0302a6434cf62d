package auth

import (
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"kabar"
	"kabar/internal/store"
)

func bearer(token string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/v1/health", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

func TestLogin(t *testing.T) {
	e := newEnv(t)
	e.user(t, e.a, "admin", RoleAdmin, false)
	tok, err := e.Login(t.Context(), Credentials{User: "admin", Password: goodPassword})
	if err != nil {
		t.Fatal(err)
	}
	if want := e.clock.now().Add(7 * 24 * time.Hour); !tok.Expires.Equal(want) {
		t.Errorf("expires %v, want %v", tok.Expires, want)
	}
	w, err := e.Check(bearer(tok.Token))
	if err != nil {
		t.Fatal(err)
	}
	if w.User != "admin" || w.Role != RoleAdmin || w.Number != e.a.ID || w.Account != e.a.Account {
		t.Errorf("who = %+v", w)
	}
	wantReason(t, e.login("admin", "Secret-13", ""), kabar.ReasonUnauthorized)
	wantReason(t, e.login("nobody", goodPassword, ""), kabar.ReasonUnauthorized)
	wantReason(t, e.login("", "", ""), kabar.ReasonUnauthorized)
}

// The token has the header and the claims of the contract, and no others.
func TestTokenShape(t *testing.T) {
	e := newEnv(t)
	e.user(t, e.a, "ops", RoleUser, false)
	parts := strings.Split(e.token(t, "ops"), ".")
	if len(parts) != 3 {
		t.Fatalf("a token of %d parts", len(parts))
	}
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil || string(header) != `{"alg":"HS256","typ":"JWT"}` {
		t.Errorf("header %s, %v", header, err)
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(body, &c); err != nil {
		t.Fatal(err)
	}
	if len(c) != 4 || c["user"] != "ops" || c["exp"].(float64)-c["iat"].(float64) != 604_800 {
		t.Errorf("claims %s", body)
	}
	if id, _ := c["wa:rand"].(string); !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(id) {
		t.Errorf("wa:rand %q", id)
	}
}

func TestFirstLogin(t *testing.T) {
	e := newEnv(t)
	e.user(t, e.a, "admin", RoleAdmin, true)
	wantReason(t, e.login("admin", goodPassword, ""), kabar.ReasonPasswordChange)
	wantReason(t, e.login("admin", goodPassword, "weak"), kabar.ReasonInvalid)
	wantReason(t, e.login("admin", goodPassword, goodPassword), kabar.ReasonInvalid)
	wantReason(t, e.login("admin", "Wrong-123", "Another-34"), kabar.ReasonUnauthorized)
	wantReason(t, e.login("admin", goodPassword, "Another-34"), "")
	wantReason(t, e.login("admin", goodPassword, ""), kabar.ReasonUnauthorized)
	wantReason(t, e.login("admin", "Another-34", ""), "")
}

// Of many who know the first password only one can take the account over.
func TestFirstLoginRace(t *testing.T) {
	e := newEnv(t)
	e.user(t, e.a, "admin", RoleAdmin, true)
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() { errs[i] = e.login("admin", goodPassword, "Another-3"+string(rune('0'+i))) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		wantReason(t, err, kabar.ReasonUnauthorized)
	}
	if won != 1 {
		t.Errorf("%d logins changed the password, want 1", won)
	}
}

// A change of one's own password keeps the tokens, a logout ends one of them at once.
func TestSessionsEnd(t *testing.T) {
	e := newEnv(t)
	e.user(t, e.a, "ops", RoleUser, false)
	one, two := bearer(e.token(t, "ops")), bearer(e.token(t, "ops"))
	w, err := e.Check(one)
	if err != nil {
		t.Fatal(err)
	}
	wantReason(t, e.login("ops", goodPassword, "Another-34"), "")
	if _, err := e.Check(one); err != nil {
		t.Errorf("after a change of password: %v", err)
	}
	if err := e.Logout(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	_, err = e.Check(one)
	wantReason(t, err, kabar.ReasonUnauthorized)
	if _, err := e.Check(two); err != nil {
		t.Errorf("the other session: %v", err)
	}
	wantReason(t, e.Logout(t.Context(), Who{}), kabar.ReasonDenied)
}

// A token holds across a restart, and one that has been logged out stays so: all that is needed lies in the store.
func TestSessionsHoldAcrossARestart(t *testing.T) {
	e := newEnv(t)
	e.user(t, e.a, "ops", RoleUser, false)
	kept, ended := bearer(e.token(t, "ops")), bearer(e.token(t, "ops"))
	w, err := e.Check(ended)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Logout(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if e.Auth, err = New(t.Context(), Options{Store: e.db, MonitorKey: monitorKey, Now: e.clock.now}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Check(kept); err != nil {
		t.Errorf("after the restart: %v", err)
	}
	_, err = e.Check(ended)
	wantReason(t, err, kabar.ReasonUnauthorized)
}

// What another process removes from the store counts at once after Forget, and after the cache's life without it.
func TestForget(t *testing.T) {
	e := newEnv(t)
	e.user(t, e.a, "ops", RoleUser, false)
	r := bearer(e.token(t, "ops"))
	w, err := e.Check(r)
	if err != nil {
		t.Fatal(err)
	}
	remove := func() {
		if err := e.db.Write(t.Context(), nil, func(tx *store.Tx) error { return tx.RemoveLogin(w.session) }); err != nil {
			t.Fatal(err)
		}
	}
	remove()
	if _, err := e.Check(r); err != nil {
		t.Fatalf("within the cache's life: %v", err)
	}
	e.Forget(w.user)
	_, err = e.Check(r)
	wantReason(t, err, kabar.ReasonUnauthorized)

	r = bearer(e.token(t, "ops"))
	if w, err = e.Check(r); err != nil {
		t.Fatal(err)
	}
	remove()
	e.clock.advance(cacheLife)
	_, err = e.Check(r)
	wantReason(t, err, kabar.ReasonUnauthorized)
}

func TestTokensThatAreNone(t *testing.T) {
	e := newEnv(t)
	e.user(t, e.a, "ops", RoleUser, false)
	e.user(t, e.b, "other", RoleUser, false)
	good := e.token(t, "ops")
	c, err := e.parse(good)
	if err != nil {
		t.Fatal(err)
	}
	forge := func(method jwt.SigningMethod, key any, change func(*claims)) string {
		forged := *c
		change(&forged)
		s, err := jwt.NewWithClaims(method, &forged).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	keep := func(*claims) {}
	bad := map[string]string{
		"empty":             "",
		"no token":          "abc",
		"other key":         forge(jwt.SigningMethodHS256, []byte("another key of 32 bytes or so...."), keep),
		"no signature":      forge(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, keep),
		"other method":      forge(jwt.SigningMethodHS512, e.signing, keep),
		"user of another":   forge(jwt.SigningMethodHS256, e.signing, func(c *claims) { c.User = "other" }),
		"no such user":      forge(jwt.SigningMethodHS256, e.signing, func(c *claims) { c.User = "nobody" }),
		"no such session":   forge(jwt.SigningMethodHS256, e.signing, func(c *claims) { c.Session = newSession() }),
		"no session":        forge(jwt.SigningMethodHS256, e.signing, func(c *claims) { c.Session = "" }),
		"no end":            forge(jwt.SigningMethodHS256, e.signing, func(c *claims) { c.Expires = nil }),
		"ended":             forge(jwt.SigningMethodHS256, e.signing, func(c *claims) { c.Expires = c.Issued }),
		"longer than given": forge(jwt.SigningMethodHS256, e.signing, func(c *claims) { c.Expires = jwt.NewNumericDate(c.Expires.Add(time.Hour)) }),
		"cut":               good[:len(good)-1],
	}
	e.clock.advance(TokenLife) // the good token has ended now; the one that says it lives longer has not
	for name, token := range bad {
		t.Run(name, func(t *testing.T) {
			_, err := e.Check(bearer(token))
			wantReason(t, err, kabar.ReasonUnauthorized)
		})
	}
	_, err = e.Check(bearer(good))
	wantReason(t, err, kabar.ReasonUnauthorized)
}

// A login with an unknown name takes as long as one with a wrong password: both hash once.
func TestUnknownUserCostsAHash(t *testing.T) {
	e := newEnv(t)
	if err := e.AddUser(t.Context(), NewUser{Number: e.a, Name: "ops", Password: goodPassword, Role: RoleUser}); err != nil {
		t.Fatal(err)
	}
	places, end := make(chan struct{}), make(chan struct{})
	defer close(end)
	e.hashing = places // nobody hashes without being counted
	var hashes atomic.Int32
	go func() {
		for {
			select {
			case <-places:
				hashes.Add(1)
			case <-end:
				return
			}
			places <- struct{}{}
		}
	}()
	for i, name := range []string{"ops", "nobody"} {
		before := hashes.Load()
		_, err := e.Login(t.Context(), Credentials{User: name, Password: "Wrong-123", From: netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})})
		wantReason(t, err, kabar.ReasonUnauthorized)
		if n := hashes.Load() - before; n != 1 {
			t.Errorf("a login as %s hashes %d times, want once", name, n)
		}
	}
}

func TestUsers(t *testing.T) {
	e := newEnv(t)
	add := func(n NewUser) error { n.Number = e.a; return e.AddUser(t.Context(), n) }
	wantReason(t, add(NewUser{Name: "ops", Password: goodPassword, Role: RoleUser}), "")
	wantReason(t, add(NewUser{Name: "ops", Password: goodPassword, Role: RoleUser}), kabar.ReasonUserExists)
	wantReason(t, add(NewUser{Name: "ops2", Password: "weak", Role: RoleUser}), kabar.ReasonInvalid)
	wantReason(t, add(NewUser{Name: "", Password: goodPassword, Role: RoleUser}), kabar.ReasonInvalid)
	wantReason(t, add(NewUser{Name: "a:b", Password: goodPassword, Role: RoleUser}), kabar.ReasonInvalid)
	wantReason(t, add(NewUser{Name: strings.Repeat("x", 129), Password: goodPassword, Role: RoleUser}), kabar.ReasonInvalid)
	if err := add(NewUser{Name: "x", Password: goodPassword, Role: "root"}); err == nil {
		t.Error("an unknown role was accepted")
	}
	token := e.token(t, "ops")
	if _, err := e.session(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	before, err := e.db.User(t.Context(), "ops")
	if err != nil {
		t.Fatal(err)
	}
	wantReason(t, e.SetPassword(t.Context(), "ops", "Another-34", true), "")
	_, err = e.session(t.Context(), token)
	wantReason(t, err, kabar.ReasonUnauthorized)
	_, err = e.start(t.Context(), before, "") // a login that had checked the old password already
	wantReason(t, err, kabar.ReasonUnauthorized)
	wantReason(t, e.login("ops", "Another-34", ""), kabar.ReasonPasswordChange)
	wantReason(t, e.SetPassword(t.Context(), "nobody", "Another-34", true), kabar.ReasonNotFound)
	wantReason(t, e.SetPassword(t.Context(), "ops", "weak", true), kabar.ReasonInvalid)
}

// Of all who add a user of the same name at once, one does, and the others are refused as a later one is: no statement fails.
func TestANameIsOfOneUser(t *testing.T) {
	var logged syncBuffer
	e := newEnvLogging(t, slog.New(slog.NewTextHandler(&logged, nil)))
	const count = 8
	errs := make([]error, count)
	var all sync.WaitGroup
	for i := range count {
		all.Go(func() {
			errs[i] = e.AddUser(t.Context(), NewUser{Number: e.a, Name: "ops", Password: goodPassword, Role: RoleUser})
		})
	}
	all.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		wantReason(t, err, kabar.ReasonUserExists)
	}
	if won != 1 {
		t.Errorf("%d have the name", won)
	}
	if text := logged.String(); strings.Contains(text, "ERROR") {
		t.Errorf("the log says %s", text)
	}
}

// syncBuffer is a log that several write.
type syncBuffer struct {
	mu sync.Mutex
	strings.Builder
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Builder.Write(p)
}

// A hash made at another cost is made anew when its password is there.
func TestRehash(t *testing.T) {
	e := newEnv(t)
	e.user(t, e.a, "ops", RoleUser, false)
	wantReason(t, e.login("ops", goodPassword, ""), "")
	if u, err := e.db.User(t.Context(), "ops"); err != nil || !strings.HasPrefix(u.Hash, prefix()) {
		t.Errorf("hash %q, %v", u.Hash, err)
	}
	wantReason(t, e.login("ops", goodPassword, ""), "")
}

func FuzzToken(f *testing.F) {
	e := newEnv(f)
	e.user(f, e.a, "ops", RoleUser, false)
	good := e.token(f, "ops")
	f.Add(good)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := e.parse(token); err == nil && token != good {
			t.Errorf("%q was accepted", token)
		}
	})
}
