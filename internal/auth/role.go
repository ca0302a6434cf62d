package auth

import (
	"slices"
	"strings"

	"kabar"
)

// Role is a named set of scopes: what somebody in a team does. A key or a session of the console has one instead of scopes of
// its own, for one number, an account or the whole server, and may what the role may in the version that runs.
type Role struct {
	Name   string
	About  string // who that is, in half a sentence
	Scopes []string
}

// Roles returns all roles, those that may most first. docs/roles.md is held against them by a test.
func Roles() []Role {
	talk := []string{ScopeMessages, ScopeRead, ScopeMessaging, ScopeConsent}
	write := slices.Concat(talk, []string{ScopeTemplates, ScopeBroadcasts})
	build := slices.Concat(write, []string{ScopeManagement, ScopeWebhooks})
	run := slices.Concat(build, []string{ScopeAdmin, ScopeReview, ScopeKeys, ScopeAccounts, ScopePrivacy})
	return []Role{
		{"owner", "whom the business belongs to: everything, and sees what the others did", slices.Concat(run, []string{ScopeAudit})},
		{"admin", "runs it: numbers, users, settings, templates and keys", run},
		{"developer", "connects applications: messages, webhooks, templates, flows", build},
		{"agent", "answers customers", talk},
		{"marketer", "writes templates and sends them", write},
		{"reviewer", "judges templates, names and businesses", []string{ScopeRead, ScopeReview}},
		{"auditor", "sees what was done, and changes nothing", []string{ScopeRead, ScopeAudit}},
	}
}

// RoleNamed returns a role. One that there is not is refused with ReasonInvalid.
func RoleNamed(name string) (Role, error) {
	var names []string
	for _, r := range Roles() {
		if r.Name == name {
			return r, nil
		}
		names = append(names, r.Name)
	}
	return Role{}, kabar.Refuse(kabar.ReasonInvalid, "role", "%q is unknown; there are %s", name, strings.Join(names, ", "))
}

// includes says which scopes a scope brings along.
func includes(scope string) []string {
	switch scope {
	case ScopeAdmin:
		return []string{ScopeMessages}
	case ScopeManagement:
		return []string{ScopeTemplates}
	}
	return nil
}

// May reports whether w has a scope, by itself or in one that includes it.
func (w Who) May(scope string) bool {
	return slices.ContainsFunc(w.Scopes, func(s string) bool { return s == scope || slices.Contains(includes(s), scope) })
}

// scopes are what a grant allows: those of its role, or its own.
func (g *Grant) scopes() []string { return scopesOf(g.Role, g.Scopes) }

// scopesOf returns the scopes of a role, or own when there is none. A role that is unknown, because a later version has given
// the key, allows nothing.
func scopesOf(role string, own []string) []string {
	if role == "" {
		return own
	}
	r, err := RoleNamed(role)
	if err != nil {
		return nil
	}
	return r.Scopes
}

// Covers refuses, with ReasonDenied, a grant that reaches further than w does: another account or number, a scope that w has
// not, a longer life.
func (w Who) Covers(g Grant) error {
	refuse := func(why string) error {
		return kabar.Refuse(kabar.ReasonDenied, "", "nobody gives more than they have: %s", why)
	}
	switch {
	case w.Account != 0 && g.Account != w.Account:
		return refuse("your key is of another account")
	case w.Number != 0 && g.Number != w.Number:
		return refuse("your key is of one number")
	case !w.Ends.IsZero() && (g.Expires.IsZero() || g.Expires.After(w.Ends)):
		return refuse("your key ends before that one")
	}
	for _, s := range g.scopes() {
		if !w.May(s) {
			return refuse("your key has not the scope " + s)
		}
	}
	return nil
}
