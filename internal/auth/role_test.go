package auth

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"kabar"
)

// docs/roles.md has a row for each role, with what the table of the code says, and one for each scope.
func TestRolesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/roles.md")
	if err != nil {
		t.Fatal(err)
	}
	rows, count := map[string][]string{}, 0 // admin is a role and a scope
	for line := range strings.Lines(string(page)) {
		if name, rest, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "| `"), "` | "); ok && strings.HasPrefix(line, "| `") {
			rows[name] = append(rows[name], strings.TrimSuffix(rest, " |"))
			count++
		}
	}
	for _, r := range Roles() {
		if want := r.About + " | `" + strings.Join(r.Scopes, "` `") + "`"; !slices.Contains(rows[r.Name], want) {
			t.Errorf("docs/roles.md must have the row\n| `%s` | %s |", r.Name, want)
		}
	}
	for _, s := range AllScopes() {
		if len(rows[s]) == 0 {
			t.Errorf("docs/roles.md says nothing about the scope %s", s)
		}
	}
	if got, want := count, len(Roles())+len(AllScopes()); got != want {
		t.Errorf("%d rows in docs/roles.md, want %d", got, want)
	}
}

// The owner has all of the product's scopes, an auditor changes nothing, and no role has a scope that there is not.
func TestRolesHaveScopes(t *testing.T) {
	for _, r := range Roles() {
		for _, s := range r.Scopes {
			if !slices.Contains(AllScopes(), s) || s == ScopeLab {
				t.Errorf("%s has the scope %q", r.Name, s)
			}
		}
		if r.Name == "owner" && len(r.Scopes) != len(AllScopes())-1 {
			t.Errorf("the owner lacks a scope: %v", r.Scopes)
		}
		if changes := slices.ContainsFunc(r.Scopes, func(s string) bool { return s != ScopeRead && s != ScopeAudit }); r.Name == "auditor" && changes {
			t.Errorf("the auditor has %v", r.Scopes)
		}
	}
}

// A key of a role may what the role may, on its account, and opens /v1 when it is of a number.
func TestKeyOfARole(t *testing.T) {
	e := newEnv(t)
	account := e.grant(t, Grant{Account: e.a.Account, Role: "marketer"})
	number := e.grant(t, Grant{Account: e.a.Account, Number: e.a.ID, Role: "admin"})
	w, err := e.Check(bearer(account))
	if err != nil || w.Team != "marketer" || w.Role != "" || !w.May(ScopeTemplates) || w.May(ScopeManagement) || w.May(ScopeReview) {
		t.Errorf("%+v, %v", w, err)
	}
	if w, err = e.Check(bearer(number)); err != nil || w.Role != RoleAdmin || !w.May(ScopeTemplates) {
		t.Errorf("%+v, %v", w, err)
	}
	wantReason(t, e.AddKey(t.Context(), NewKey(), Grant{Role: "king"}), kabar.ReasonInvalid)
	wantReason(t, e.AddKey(t.Context(), NewKey(), Grant{Role: "owner", Scopes: []string{ScopeRead}}), kabar.ReasonInvalid)
}

// Nobody gives more than they have, nor takes what they could not give.
func TestGive(t *testing.T) {
	e := newEnv(t)
	now := e.clock.now()
	role := func(name string) []string { return scopesOf(name, nil) }
	for name, tt := range map[string]struct {
		who    Who
		wanted Wanted
		why    kabar.Reason // empty: given
	}{
		"the operator, all":        {Who{Scopes: AllScopes()}, Wanted{Role: "owner"}, ""},
		"the operator, an account": {Who{Scopes: AllScopes()}, Wanted{Account: e.b.Account, Role: "owner"}, ""},
		"the operator, a number":   {Who{Scopes: AllScopes()}, Wanted{Number: e.b.Digits, Scopes: []string{ScopeAdmin}}, ""},
		"an account there is not":  {Who{Scopes: AllScopes()}, Wanted{Account: 999, Role: "owner"}, kabar.ReasonInvalid},
		"a number there is not":    {Who{Scopes: AllScopes()}, Wanted{Number: "1", Role: "owner"}, kabar.ReasonInvalid},
		"nothing":                  {Who{Scopes: AllScopes()}, Wanted{}, kabar.ReasonMissing},
		"a scope there is not":     {Who{Scopes: AllScopes()}, Wanted{Scopes: []string{"root"}}, kabar.ReasonInvalid},
		"an owner, an owner":       {Who{Account: e.a.Account, Scopes: role("owner")}, Wanted{Role: "owner"}, ""},
		"an owner, the number":     {Who{Account: e.a.Account, Scopes: role("owner")}, Wanted{Number: e.a.Digits, Role: "admin"}, ""},
		"another's account":        {Who{Account: e.a.Account, Scopes: role("owner")}, Wanted{Account: e.b.Account, Role: "agent"}, kabar.ReasonDenied},
		"another's number":         {Who{Account: e.a.Account, Scopes: role("owner")}, Wanted{Number: e.b.Digits, Role: "agent"}, kabar.ReasonInvalid},
		"an admin, an owner":       {Who{Account: e.a.Account, Scopes: role("admin")}, Wanted{Role: "owner"}, kabar.ReasonDenied},
		"an admin, an auditor":     {Who{Account: e.a.Account, Scopes: role("admin")}, Wanted{Role: "auditor"}, kabar.ReasonDenied},
		"an admin, an admin":       {Who{Account: e.a.Account, Scopes: role("admin")}, Wanted{Role: "admin"}, ""},
		"included":                 {Who{Account: e.a.Account, Scopes: []string{ScopeManagement}}, Wanted{Scopes: []string{ScopeTemplates}}, ""},
		"not the other way":        {Who{Account: e.a.Account, Scopes: []string{ScopeTemplates}}, Wanted{Scopes: []string{ScopeManagement}}, kabar.ReasonDenied},
		"of a number, the number":  {Who{Account: e.a.Account, Number: e.a.ID, Scopes: role("admin")}, Wanted{Role: "agent"}, ""},
		"until its end":            {Who{Scopes: AllScopes(), Ends: now.Add(time.Hour)}, Wanted{Role: "agent"}, ""},
		"beyond its end":           {Who{Scopes: AllScopes(), Ends: now.Add(time.Hour)}, Wanted{Role: "agent", Expires: now.Add(2 * time.Hour)}, kabar.ReasonDenied},
		"in the past":              {Who{Scopes: AllScopes()}, Wanted{Role: "agent", Expires: now}, kabar.ReasonInvalid},
	} {
		key, k, err := e.Give(t.Context(), tt.who, tt.wanted)
		if reasonOf(err) != tt.why || (err == nil) != (tt.why == "") {
			t.Errorf("%s: %v, want %q", name, err, tt.why)
		}
		if err != nil {
			continue
		}
		w, err := e.Check(bearer(key))
		if err != nil || w.Key != k.ID || tt.who.Account != 0 && w.Account != tt.who.Account || tt.who.Number != 0 && w.Number != tt.who.Number ||
			!tt.who.Ends.IsZero() && !w.Ends.Equal(tt.who.Ends) {
			t.Errorf("%s: %+v, %v", name, w, err)
		}
	}
}

func TestTake(t *testing.T) {
	e := newEnv(t)
	owner := e.grant(t, Grant{Account: e.a.Account, Role: "owner"})
	admin := e.grant(t, Grant{Account: e.a.Account, Role: "admin", Expires: e.clock.now().Add(time.Hour)})
	agent := e.grant(t, Grant{Account: e.a.Account, Role: "agent"})
	other := e.grant(t, Grant{Account: e.b.Account, Role: "agent"})
	w, err := e.Check(bearer(admin))
	if err != nil {
		t.Fatal(err)
	}
	all, err := e.Given(t.Context(), w)
	if err != nil || len(all) != 3 {
		t.Errorf("an admin sees %d keys of the account: %v", len(all), err)
	}
	wantReason(t, e.Take(t.Context(), w, KeyID(owner)), kabar.ReasonDenied)
	wantReason(t, e.Take(t.Context(), w, KeyID(other)), kabar.ReasonNotFound)
	if err := e.Take(t.Context(), w, KeyID(agent)); err != nil || e.reason(agent) != kabar.ReasonUnauthorized {
		t.Errorf("revoked: %v, %q", err, e.reason(agent))
	}
	if e.reason(owner) != "" || e.reason(other) != "" {
		t.Error("a key was revoked that must not be")
	}
}
