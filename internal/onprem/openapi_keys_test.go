package onprem

import (
	"bytes"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// jsonBody is a call with a JSON object, as the document has it.
type jsonBody struct {
	method, path string
	keys         []string
}

// jsonBodies are all calls whose body is an object.
func (d *described) jsonBodies() (all []jsonBody) {
	for path, item := range d.at(d.doc, "paths") {
		for method, op := range item.(map[string]any) {
			keys := d.keys(d.at(op, "requestBody", "content", "application/json", "schema"))
			if len(keys) > 0 {
				all = append(all, jsonBody{strings.ToUpper(method), path, keys})
			}
		}
	}
	return all
}

// keys are the names at the top of what a schema describes, whichever of its alternatives that is.
func (d *described) keys(schema map[string]any) []string {
	names := slices.Collect(maps.Keys(d.at(schema, "properties")))
	for _, word := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := schema[word].([]any)
		for _, part := range list {
			names = append(names, d.keys(d.at(part))...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// The keys of a body are those in the document: each of them is known to the server, and none of another call's that is not.
func TestDescriptionOfKeys(t *testing.T) {
	d, e := describe(t), newEnv(t)
	bodies := d.jsonBodies()
	if len(bodies) < 18 {
		t.Fatalf("only %d calls with a JSON object", len(bodies))
	}
	var every []string
	for _, b := range bodies {
		every = append(every, b.keys...)
	}
	slices.Sort(every)
	for _, b := range bodies {
		for _, key := range slices.Compact(slices.Clone(every)) {
			r := httptest.NewRequest(b.method, variable.ReplaceAllString(b.path, "x"), bytes.NewReader(fmt.Appendf(nil, `{%q:null}`, key)))
			r.Header.Set("Authorization", "Bearer "+e.tokens["admin"])
			if b.path == Prefix+"users/login" {
				r.SetBasicAuth("ops", "Secret-12")
			}
			w := httptest.NewRecorder()
			e.mux.ServeHTTP(w, r)
			if known := !strings.Contains(w.Body.String(), `"code":1010`); known != slices.Contains(b.keys, key) {
				t.Errorf("%s %s with %q: %d %s; the document has %v", b.method, b.path, key, w.Code, w.Body, b.keys)
			}
		}
	}
}
