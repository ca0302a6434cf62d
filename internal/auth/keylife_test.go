package auth

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

func (e *env) grant(t testing.TB, g Grant) string {
	t.Helper()
	key := NewKey()
	if err := e.AddKey(t.Context(), key, g); err != nil {
		t.Fatal(err)
	}
	return key
}

func (e *env) reason(key string) kabar.Reason {
	_, err := e.Check(bearer(key))
	return reasonOf(err)
}

// offered makes a request with the headers as they are: names and values in turn.
func offered(headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/v1/health", nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// A request says once who makes it.
func TestTwoCredentials(t *testing.T) {
	e := newEnv(t)
	e.user(t, e.a, "ops", RoleUser, false)
	token, key, other := e.token(t, "ops"), e.apiKey(t, e.a, ScopeMessages), e.apiKey(t, e.b, ScopeMessages)
	const auth, d360 = "Authorization", "D360-API-KEY"
	for name, tt := range map[string]struct {
		headers []string
		number  *kabar.Number // nil: refused
	}{
		"the same key twice":       {[]string{auth, "Bearer " + key, d360, key}, e.a},
		"the same header twice":    {[]string{d360, key, d360, key}, e.a},
		"other spelling":           {[]string{auth, "bearer  " + key, "d360-api-key", key}, e.a},
		"an empty header":          {[]string{auth, "Bearer " + token, d360, ""}, e.a},
		"another empty header":     {[]string{auth, "", d360, key}, e.a},
		"two keys":                 {[]string{auth, "Bearer " + key, d360, other}, nil},
		"two keys, one header":     {[]string{d360, key, d360, other}, nil},
		"two tokens, one header":   {[]string{auth, "Bearer " + token, auth, "Bearer " + key}, nil},
		"a token and its key":      {[]string{auth, "Bearer " + token, d360, key}, nil},
		"a good and a bad one":     {[]string{auth, "Bearer " + key, d360, "nonsense"}, nil},
		"a bad and a good one":     {[]string{auth, "Bearer nonsense", d360, key}, nil},
		"a password and a key":     {[]string{auth, "Basic YTpi", d360, key}, nil},
		"nothing after the scheme": {[]string{auth, "Bearer", d360, key}, nil},
	} {
		w, err := e.Check(offered(tt.headers...))
		if tt.number != nil {
			if err != nil || w.Number != tt.number.ID {
				t.Errorf("%s: %+v, %v", name, w, err)
			}
			continue
		}
		wantReason(t, err, kabar.ReasonUnauthorized)
		if err != nil && !strings.Contains(err.Error(), "more than one") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A login takes a name and a password, and says so to a client that brings a key.
func TestLoginTakesNoKey(t *testing.T) {
	e := newEnv(t)
	key := e.apiKey(t, e.a, ScopeAdmin)
	for want, headers := range map[string][]string{
		"needs no login":      {"D360-API-KEY", key},
		"goes with every":     {"Authorization", "Bearer " + key},
		"more than one":       {"Authorization", "Basic YTpi", "D360-API-KEY", key},
		"Invalid credentials": {"Authorization", "Bearer nonsense"},
		"":                    {"Authorization", "Basic YTpi"},
	} {
		_, err := e.admit(offered(headers...), Basic)
		if want == "" && err != nil || want != "" && (reasonOf(err) != kabar.ReasonUnauthorized || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v: %v, want %q", headers, err, want)
		}
	}
	w, err := e.Check(bearer(key))
	if err != nil {
		t.Fatal(err)
	}
	err = e.Logout(t.Context(), w)
	wantReason(t, err, kabar.ReasonDenied)
	if !strings.Contains(err.Error(), "kabar key revoke") {
		t.Errorf("%v", err)
	}
}

// A key ends at its time to the moment, remembered or not.
func TestKeyExpires(t *testing.T) {
	e := newEnv(t)
	end := e.clock.now().Add(90 * time.Minute)
	key := e.grant(t, Grant{Account: e.a.Account, Number: e.a.ID, Scopes: []string{ScopeMessages}, Expires: end})
	past := e.grant(t, Grant{Account: e.a.Account, Number: e.a.ID, Scopes: []string{ScopeMessages}, Expires: e.clock.now()})
	if got := e.reason(past); got != kabar.ReasonUnauthorized {
		t.Errorf("a key that was born dead: %q", got)
	}
	e.clock.advance(90*time.Minute - time.Millisecond)
	for range 2 { // read, then remembered
		if got := e.reason(key); got != "" {
			t.Fatalf("a moment before its end: %q", got)
		}
	}
	e.clock.advance(time.Millisecond)
	for range 2 {
		if got := e.reason(key); got != kabar.ReasonUnauthorized {
			t.Errorf("at its end: %q", got)
		}
	}
	// A new term for the same key counts at once.
	if err := e.AddKey(t.Context(), key, Grant{Account: e.a.Account, Number: e.a.ID, Scopes: []string{ScopeMessages}}); err != nil {
		t.Fatal(err)
	}
	e.clock.advance(10 * 365 * 24 * time.Hour)
	if got := e.reason(key); got != "" {
		t.Errorf("without an end: %q", got)
	}
}

// A key that is revoked is none at once; one that another process has revoked, after the cache's life.
func TestKeyRevoked(t *testing.T) {
	e := newEnv(t)
	one, two, other := e.apiKey(t, e.a, ScopeMessages), e.apiKey(t, e.a, ScopeMessages), e.apiKey(t, e.b, ScopeMessages)
	for _, k := range []string{one, two, other} {
		if got := e.reason(k); got != "" {
			t.Fatalf("before: %q", got)
		}
	}
	for range 2 { // the second time it is revoked already
		if err := e.RevokeKey(t.Context(), KeyID(one)); err != nil {
			t.Fatal(err)
		}
		if got := e.reason(one); got != kabar.ReasonUnauthorized {
			t.Errorf("revoked: %q", got)
		}
	}
	elsewhere := func(tx *store.Tx) error { return tx.RevokeKey(KeyID(two), e.clock.now()) }
	if err := e.db.Write(t.Context(), nil, elsewhere); err != nil {
		t.Fatal(err)
	}
	e.clock.advance(cacheLife)
	if got := e.reason(two); got != kabar.ReasonUnauthorized {
		t.Errorf("revoked elsewhere: %q", got)
	}
	if got := e.reason(other); got != "" {
		t.Errorf("the other number's key: %q", got)
	}
	wantReason(t, e.RevokeKey(t.Context(), KeyID(NewKey())), kabar.ReasonNotFound)
}

func TestGrantIsChecked(t *testing.T) {
	e := newEnv(t)
	for name, tt := range map[string]struct {
		g    Grant
		want string
	}{
		"unknown scope":     {Grant{Scopes: []string{ScopeMessages, "root"}}, `"root" is unknown; there are messages, admin, read, lab`},
		"empty scope":       {Grant{Scopes: []string{""}}, `"" is unknown`},
		"long label":        {Grant{Label: strings.Repeat("x", maxLabel+1)}, "at most 128 bytes"},
		"label of controls": {Grant{Label: "a\x1b[2Jb"}, "control"},
	} {
		err := e.AddKey(t.Context(), NewKey(), tt.g)
		wantReason(t, err, kabar.ReasonInvalid)
		if err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// lastUsed is what the store says of a key.
func (e *env) lastUsed(t *testing.T, key string) time.Time {
	t.Helper()
	k, err := e.db.Key(t.Context(), KeyID(key))
	if err != nil {
		t.Fatal(err)
	}
	if want := key[:len(keyPrefix)+4]; k.Hint != want {
		t.Errorf("hint %q, want %q", k.Hint, want)
	}
	return k.LastUsed
}

// The use of a key is noted beside the requests, at most once a minute.
func TestLastUsed(t *testing.T) {
	e := newEnv(t)
	key, gone := e.apiKey(t, e.a, ScopeMessages), e.apiKey(t, e.a, ScopeMessages)
	use := func(wantPending int) {
		t.Helper()
		if got := e.reason(key); got != "" {
			t.Fatal(got)
		}
		if n := len(e.uses.keys); n != wantPending {
			t.Errorf("%d keys to be noted, want %d", n, wantPending)
		}
	}
	note := func() {
		t.Helper()
		if err := e.NoteUses(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	use(1)
	if at := e.lastUsed(t, key); !at.IsZero() {
		t.Errorf("a request has written %v", at)
	}
	first := e.clock.now()
	note()
	if at := e.lastUsed(t, key); !at.Equal(first) {
		t.Errorf("last used %v, want %v", at, first)
	}
	for range 58 { // within the minute nothing is noted
		e.clock.advance(cacheLife)
		use(0)
	}
	e.clock.advance(2 * time.Second)
	use(1)
	note()
	if at := e.lastUsed(t, key); !at.Equal(first.Add(time.Minute)) {
		t.Errorf("last used %v, want a minute after %v", at, first)
	}
	// One that is revoked before it is written does not spoil the others' times; a wrong key is never noted.
	e.clock.advance(time.Hour)
	if got := e.reason(gone); got != "" {
		t.Fatal(got)
	}
	if err := e.RevokeKey(t.Context(), KeyID(gone)); err != nil {
		t.Fatal(err)
	}
	e.uses.note(&store.Key{ID: "no such key"}, e.clock.now())
	e.reason(NewKey())
	use(3)
	note()
	if at := e.lastUsed(t, key); !at.Equal(e.clock.now()) {
		t.Errorf("last used %v, want now", at)
	}
}

// What cannot be written is forgotten, and noted again with the key's next use.
func TestUsesThatCannotBeWritten(t *testing.T) {
	e := newEnv(t)
	key := e.apiKey(t, e.a, ScopeMessages)
	e.reason(key)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.NoteUses(ctx); err == nil {
		t.Error("a write that was given up was none")
	}
	if n := len(e.uses.keys); n != 0 {
		t.Errorf("%d keys are kept", n)
	}
}

// Run writes every ten seconds, and once more at the end.
func TestRunNotesUses(t *testing.T) {
	path, master := filepath.Join(t.TempDir(), "kabar.db"), secrets.NewKey()
	synctest.Test(t, func(t *testing.T) {
		db, err := store.Open(t.Context(), store.Options{Path: path, Master: master})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		a, err := New(t.Context(), Options{Store: db})
		if err != nil {
			t.Fatal(err)
		}
		key, other := NewKey(), NewKey()
		for _, k := range []string{key, other} {
			if err := a.AddKey(t.Context(), k, Grant{Scopes: []string{ScopeLab}}); err != nil {
				t.Fatal(err)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- a.Run(ctx) }()
		used := func(k string) bool {
			row, err := db.Key(t.Context(), KeyID(k))
			if err != nil {
				t.Fatal(err)
			}
			return !row.LastUsed.IsZero()
		}
		ask := func(k string) {
			if _, err := a.Check(bearer(k)); err != nil {
				t.Fatal(err)
			}
		}
		ask(key)
		time.Sleep(writeEvery - time.Second)
		synctest.Wait()
		if used(key) {
			t.Error("a use was written at once")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !used(key) {
			t.Error("a use was not written")
		}
		ask(other)
		stop()
		if err := <-done; err != nil || !used(other) {
			t.Errorf("at the end: %v, written %v", err, used(other))
		}
	})
}
