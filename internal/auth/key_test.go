package auth

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kabar"
)

func TestKeyForm(t *testing.T) {
	form := regexp.MustCompile(`^kbr_[A-Z2-7]{33}$`)
	seen := map[string]bool{}
	for range 100 {
		k := NewKey()
		if !form.MatchString(k) || !isKey(k) || seen[k] {
			t.Fatalf("key %q", k)
		}
		seen[k] = true
	}
	good := NewKey()
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, len(good)-1).Draw(t, "at")
		b := []byte(good)
		if b[at] = rapid.Byte().Draw(t, "byte"); isKey(string(b)) != (string(b) == good) {
			t.Errorf("isKey(%q) is wrong", b)
		}
	})
}

// Of a key only the hash is in the store.
func TestKeyIsNotStored(t *testing.T) {
	e := newEnv(t)
	key := e.apiKey(t, e.a, ScopeMessages)
	k, err := e.db.Key(t.Context(), KeyID(key))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(k.ID+k.Label, key[4:]) || len(k.ID) != 64 {
		t.Errorf("stored %+v", k)
	}
	if err := e.AddKey(t.Context(), "kbr_nonsense", Grant{}); err == nil {
		t.Error("a key that is none was added")
	}
}

func TestKeyAccess(t *testing.T) {
	e := newEnv(t)
	check := func(header, value string) (Who, error) {
		r := httptest.NewRequest("GET", "/v1/health", nil)
		r.Header.Set(header, value)
		return e.Check(r)
	}
	key := e.apiKey(t, e.a, ScopeMessages)
	for _, h := range [][2]string{{"D360-API-KEY", key}, {"Authorization", "Bearer " + key}, {"Authorization", "bearer  " + key}} {
		w, err := check(h[0], h[1])
		if err != nil || w.Number != e.a.ID || w.Role != RoleUser {
			t.Errorf("%s: %+v, %v", h, w, err)
		}
	}
	for _, h := range [][2]string{
		{"D360-API-KEY", NewKey()}, {"D360-API-KEY", "x"}, {"D360-API-KEY", e.tokenOf(t)}, {"Authorization", key},
		{"Authorization", "Basic " + key}, {"Authorization", "Bearer"}, {"Authorization", "Bearer kbr_"}, {"Authorization", "Bearer " + NewKey()},
		{"X-Api-Key", key},
	} {
		_, err := check(h[0], h[1])
		wantReason(t, err, kabar.ReasonUnauthorized)
	}
	// A new grant counts at once.
	if _, err := check("D360-API-KEY", key); err != nil {
		t.Fatal(err)
	}
	if err := e.AddKey(t.Context(), key, Grant{Account: e.a.Account, Number: e.a.ID, Scopes: []string{ScopeAdmin}}); err != nil {
		t.Fatal(err)
	}
	if w, err := check("D360-API-KEY", key); err != nil || w.Role != RoleAdmin {
		t.Errorf("%+v, %v", w, err)
	}
}

func (e *env) tokenOf(t *testing.T) string {
	t.Helper()
	e.user(t, e.a, "someone", RoleUser, false)
	return e.token(t, "someone")
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache((&clock{}).now)
	_, _, ticket := c.get("x")
	for i := range cacheSize + 100 {
		c.put(strings.Repeat("i", i%7)+string(rune(i)), Who{}, ticket, c.now().Add(TokenLife))
	}
	if len(c.entries) > cacheSize {
		t.Errorf("%d entries", len(c.entries))
	}
	// What was read before a drop is not kept after it.
	_, _, ticket = c.get("late")
	c.drop(func(string, Who) bool { return false })
	c.put("late", Who{}, ticket, c.now().Add(TokenLife))
	if _, ok, _ := c.get("late"); ok {
		t.Error("a session was kept that had been dropped while it was read")
	}
}

func FuzzIsKey(f *testing.F) {
	f.Add(NewKey())
	f.Add("kbr_")
	f.Fuzz(func(t *testing.T, s string) {
		if isKey(s) && (len(s) != keyLen || s[:4] != keyPrefix) {
			t.Errorf("%q", s)
		}
	})
}
