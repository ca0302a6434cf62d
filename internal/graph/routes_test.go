package graph

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kabar/internal/apidoc"
	"kabar/internal/auth"
)

// routes returns the routes of this API as paths of its document, with their access.
func routes() map[string]string {
	all := map[string]string{}
	for _, row := range auth.Table(false) {
		method, path, _ := strings.Cut(row.Pattern, " ")
		if inside, ok := strings.CutPrefix(path, Prefix); ok {
			all[method+" /"+strings.TrimSuffix(inside, "{$}")] = row.Access.String()
		} else if strings.HasPrefix(path, "/cloud/") {
			all[method+" "+path] = row.Access.String()
		}
	}
	return all
}

// Every route has an entry in the OpenAPI document with the same access, and every entry is a route.
func TestDescriptionOfEveryRoute(t *testing.T) {
	d, err := apidoc.Read(Description())
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(d.JSON(), &doc); err != nil {
		t.Fatal(err)
	}
	entries := map[string]string{}
	for path, item := range doc.Paths {
		for method, op := range item {
			var o struct {
				Security []map[string][]string `json:"security"`
			}
			if json.Unmarshal(op, &o) != nil { // parameters of the path
				continue
			}
			entries[strings.ToUpper(method)+" "+path] = needs(o.Security)
		}
	}
	all := routes()
	for _, r := range slices.Sorted(maps.Keys(all)) {
		if entries[r] != all[r] {
			t.Errorf("%s: the table says %q, the OpenAPI document %q", r, all[r], entries[r])
		}
	}
	for _, e := range slices.Sorted(maps.Keys(entries)) {
		if _, ok := all[e]; !ok {
			t.Errorf("%q of the OpenAPI document is no route", e)
		}
	}
}

func needs(security []map[string][]string) string {
	if len(security) == 0 {
		return "public"
	}
	scopes := security[0]["token"]
	if slices.Equal(scopes, []string{"app"}) {
		return "app token"
	}
	return strings.TrimSpace("token " + strings.Join(scopes, " "))
}

// docs/cloud-coverage.md has every route as served, and none that is not there.
func TestCoverageOfEveryRoute(t *testing.T) {
	text, err := os.ReadFile("../../docs/cloud-coverage.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Z]+) (/[^`]*)` \\| ([a-z]+)").FindAllStringSubmatch(string(text), -1) {
		listed[m[1]+" "+m[2]] = m[3]
	}
	all := routes()
	for _, r := range slices.Sorted(maps.Keys(all)) {
		if s := listed[r]; s != "served" && s != "partly" && !strings.Contains(r, "/cloud/") {
			t.Errorf("%s is a route, and docs/cloud-coverage.md says %q", r, s)
		}
	}
	for _, r := range slices.Sorted(maps.Keys(listed)) {
		if _, ok := all[r]; ok == (listed[r] == "refused") {
			t.Errorf("docs/cloud-coverage.md says %q of %s, and that is a route: %v", listed[r], r, ok)
		}
	}
}
