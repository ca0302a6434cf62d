package manage_test

import (
	"encoding/json"
	"strings"
	"testing"

	"kabar/internal/apidoc"
	"kabar/internal/auth"
	"kabar/internal/manage"
)

// Every route of the API stands in its document, everything in the document is a route, and both ask for the same access.
func TestDescriptionOfEveryRoute(t *testing.T) {
	d, err := apidoc.Read(manage.Description())
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			Security []map[string][]string
		}
	}
	if err := json.Unmarshal(d.JSON(), &doc); err != nil {
		t.Fatal(err)
	}
	entries := map[string]string{}
	for path, item := range doc.Paths {
		for method, op := range item {
			access := auth.Public.String()
			if len(op.Security) == 1 && len(op.Security[0]["bearer"]) == 1 {
				access = "scope " + op.Security[0]["bearer"][0]
			}
			entries[strings.ToUpper(method)+" "+path] = access
		}
	}
	routes := map[string]string{}
	for _, row := range auth.Table(true) {
		if _, path, _ := strings.Cut(row.Pattern, " "); strings.HasPrefix(path, manage.Prefix) {
			routes[row.Pattern] = row.Access.String()
		}
	}
	for route, access := range routes {
		if entries[route] != access {
			t.Errorf("%s: the table says %q, the document %q", route, access, entries[route])
		}
	}
	for entry := range entries {
		if routes[entry] == "" {
			t.Errorf("%q of the document is no route", entry)
		}
	}
	if len(routes) < 8 {
		t.Errorf("only %d routes", len(routes))
	}
}
