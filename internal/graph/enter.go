package graph

import (
	"context"
	"net/http"
	"regexp"
	"strings"
)

// versionForm is a version as a path begins with.
var versionForm = regexp.MustCompile(`^v[0-9]{1,3}\.[0-9]{1,3}$`)

// versionKey is where Enter keeps the version that a path had.
type versionKey struct{}

// Enter finds the requests of this API, for auth.Surface: paths that begin with a version, with the id of a node, or with one
// of a few names. It returns the request as it is routed, below Prefix and without the version.
func Enter(r *http.Request) *http.Request {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	skip := len("/")
	switch {
	case versionForm.MatchString(first):
		skip = min(len("/"+first+"/"), len(r.URL.Path))
		r = r.WithContext(context.WithValue(r.Context(), versionKey{}, first))
	case isNode(first) || isRoot(first):
		r = r.WithContext(context.WithValue(r.Context(), versionKey{}, ""))
	default:
		return nil
	}
	u := *r.URL
	u.Path = Prefix + u.Path[skip:]
	if u.RawPath != "" { // a version and a slash are written in one way
		u.RawPath = Prefix + u.RawPath[min(skip, len(u.RawPath)):]
	}
	r.URL = &u
	return r
}

// isNode reports whether a part of a path is the id of a node, whatever its length: those of others are refused as nodes.
func isNode(s string) bool {
	return s != "" && (strings.Trim(s, "0123456789") == "" || strings.HasPrefix(s, "upload:"))
}

// isRoot reports whether a path without a version may begin with this name.
func isRoot(s string) bool {
	switch s {
	case "me", "debug_token", "oauth", "app", "message_template_library", "whatsapp_business":
		return true
	}
	return false
}

// versionOf returns the version that a path had; empty for none.
func versionOf(r *http.Request) string {
	v, _ := r.Context().Value(versionKey{}).(string)
	return v
}
