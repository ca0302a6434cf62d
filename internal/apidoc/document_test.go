package apidoc_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"kabar/internal/apidoc"
	"kabar/internal/onprem"
)

type object = map[string]any

// ours is the document of the On-Premises API, as its readers get it.
func ours(t *testing.T) object {
	t.Helper()
	d, err := apidoc.Read(onprem.Description())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(d.JSON()))
	if err != nil {
		t.Fatal(err)
	}
	return doc.(object)
}

// rules is testdata/openapi.yaml.
func rules(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile("testdata/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, err = yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("kabar:rules", schema); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile("kabar:rules")
}

// walk visits every value of a document with the place where it is.
func walk(v any, place []string, visit func(place []string, v any)) {
	visit(place, v)
	switch v := v.(type) {
	case object:
		for name, member := range v {
			walk(member, append(slices.Clone(place), name), visit)
		}
	case []any:
		for i, entry := range v {
			walk(entry, append(slices.Clone(place), fmt.Sprint(i)), visit)
		}
	}
}

// pointer writes a place as a reference does.
func pointer(place []string) string {
	out := "#"
	for _, name := range place {
		out += "/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	return out
}

// The document is built as OpenAPI 3.1 wants it.
func TestDocumentIsOpenAPI(t *testing.T) {
	doc, schema := ours(t), rules(t)
	if err := schema.Validate(doc); err != nil {
		t.Error(err)
	}
	operation := doc["paths"].(object)["/v1/messages"].(object)["post"].(object)
	for name, spoil := range map[string]func(){
		"a name that OpenAPI does not have": func() { operation["requestBdy"] = object{} },
		"a schema with a wrong type":        func() { doc["components"].(object)["schemas"].(object)["ID"].(object)["type"] = "text" },
		"an operation without answers":      func() { delete(operation, "responses") },
	} {
		spoil()
		if schema.Validate(doc) == nil {
			t.Errorf("%s is let pass", name)
		}
		doc = ours(t)
		operation = doc["paths"].(object)["/v1/messages"].(object)["post"].(object)
	}
}

// References lead to something, ids and tags are in order, and what stands in a path is explained.
func TestDocumentHoldsTogether(t *testing.T) {
	doc := ours(t)
	places, used := map[string]bool{}, map[string]bool{}
	walk(doc, nil, func(place []string, _ any) { places[pointer(place)] = true })
	walk(doc, nil, func(place []string, v any) {
		if o, ok := v.(object); ok && o["$ref"] != nil {
			used[o["$ref"].(string)] = true
			if !places[o["$ref"].(string)] {
				t.Errorf("%s refers to %s, which is not there", pointer(place), o["$ref"])
			}
		}
		if len(place) > 0 && strings.HasPrefix(place[len(place)-1], "x-") {
			t.Errorf("%s: a note of ours is left", pointer(place))
		}
	})
	for kind, members := range doc["components"].(object) {
		for name := range members.(object) {
			if kind != "securitySchemes" && !used["#/components/"+kind+"/"+name] {
				t.Errorf("nobody refers to the %s %s", kind, name)
			}
		}
	}
	checkOperations(t, doc)
}

func checkOperations(t *testing.T, doc object) {
	t.Helper()
	ids, tags := map[string]bool{}, map[string]bool{"Webhooks": true}
	for _, tag := range doc["tags"].([]any) {
		tags[tag.(object)["name"].(string)] = true
	}
	for path, item := range doc["paths"].(object) {
		for method, o := range item.(object) {
			op, ok := o.(object)
			if !ok {
				continue
			}
			at := method + " " + path
			if id := op["operationId"].(string); ids[id] {
				t.Errorf("%s: the id %s is used twice", at, id)
			} else {
				ids[id] = true
			}
			for _, tag := range op["tags"].([]any) {
				if !tags[tag.(string)] {
					t.Errorf("%s: there is no tag %q", at, tag)
				}
			}
			for _, need := range op["security"].([]any) {
				for scheme := range need.(object) {
					if doc["components"].(object)["securitySchemes"].(object)[scheme] == nil {
						t.Errorf("%s: there is no security scheme %q", at, scheme)
					}
				}
			}
			var explained []string
			for _, list := range []any{item.(object)["parameters"], op["parameters"]} {
				parameters, _ := list.([]any)
				for _, p := range parameters {
					if p.(object)["in"] == "path" {
						explained = append(explained, "{"+p.(object)["name"].(string)+"}")
					}
				}
			}
			if inPath := regexp.MustCompile(`\{[^}]*\}`).FindAllString(path, -1); !slices.Equal(inPath, explained) {
				t.Errorf("%s: the path has %q, the parameters are %q", at, inPath, explained)
			}
		}
	}
	if len(ids) < 60 {
		t.Errorf("only %d operations", len(ids))
	}
}

// Every example is as its schema says; every schema compiles.
func TestExamples(t *testing.T) {
	doc := ours(t)
	c := jsonschema.NewCompiler()
	if err := c.AddResource("kabar:doc", doc); err != nil {
		t.Fatal(err)
	}
	judged := 0
	judge := func(schema []string, value any) {
		s, err := c.Compile("kabar:doc" + pointer(schema))
		if err == nil && value != nil {
			judged++
			err = s.Validate(value)
		}
		if err != nil {
			t.Errorf("%s: %v", pointer(schema), err)
		}
	}
	walk(doc, nil, func(place []string, v any) {
		o, ok := v.(object)
		switch {
		case !ok:
		case len(place) >= 2 && place[len(place)-2] == "content" && o["schema"] != nil:
			schema := append(slices.Clone(place), "schema")
			judge(schema, o["example"])
			examples, _ := o["examples"].(object)
			for name := range maps.Keys(examples) {
				judge(schema, examples[name].(object)["value"])
			}
		case len(place) == 3 && place[1] == "schemas":
			judge(place, nil)
			examples, _ := o["examples"].([]any)
			for _, example := range examples {
				judge(place, example)
			}
		}
	})
	if judged < 80 {
		t.Errorf("only %d examples", judged)
	}
}

// A mistake in the files is told with the file's name, and never served.
func TestReadRefuses(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"nothing":              {},
		"broken YAML":          {"a.yaml": "openapi: [1"},
		"the same name twice":  {"a.yaml": "openapi: 3.1.1\nopenapi: 3.1.0"},
		"a name of two files":  {"a.yaml": "info: {title: a}", "b.yaml": "info: {title: b}"},
		"a path of two files":  {"a.yaml": "paths: {/a: {get: {responses: {}}}}", "b.yaml": "paths: {/a: {put: {responses: {}}}}"},
		"a code without title": {"a.yaml": "x-errors: {titles: {}}\npaths: {/a: {get: {responses: {}, x-errors: {'400': [1009]}}}}"},
		"no answers":           {"a.yaml": "paths: {/a: {get: {summary: x}}}"},
		"errors that stand in the answers as well": {"a.yaml": "x-errors: {titles: {1009: x}}\n" +
			"paths: {/a: {get: {responses: {'400': {description: x}}, x-errors: {'400': [1009]}}}}"},
	} {
		folder := fstest.MapFS{}
		for file, text := range files {
			folder[file] = &fstest.MapFile{Data: []byte(text)}
		}
		if _, err := apidoc.Read(folder); err == nil {
			t.Errorf("%s is let pass", name)
		}
	}
}

// The notes become answers: the codes of the operation, of all, and of those that ask who calls.
func TestReadExpands(t *testing.T) {
	d, err := apidoc.Read(fstest.MapFS{
		"a.yaml": {Data: []byte("x-errors:\n  titles: {1005: Access denied, 1009: Not valid, 1015: Too many}\n  always: {'429': [1015]}\n" +
			"  secured: {'401': [1005]}\n  roles: {'403': [1005]}\nx-headers: {'429': {Retry-After: {schema: {}}}}\n")},
		"b.yaml": {Data: []byte("paths:\n  /z: {get: {security: [{key: [admin]}], responses: {}, x-errors: {'400': [1009]}}}\n" +
			"  /a: {get: {security: [{key: []}], responses: {}}}\n  /m: {get: {security: [], responses: {}}}\n  /n: {get: {responses: {}, x-errors: none}}\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	doc, _ := jsonschema.UnmarshalJSON(bytes.NewReader(d.JSON()))
	for path, want := range map[string]string{"/z": "400 401 403 429", "/a": "401 429", "/m": "429", "/n": ""} {
		responses := doc.(object)["paths"].(object)[path].(object)["get"].(object)["responses"].(object)
		if got := strings.Join(slices.Sorted(maps.Keys(responses)), " "); got != want {
			t.Errorf("%s answers %q, want %q", path, got, want)
		}
		if r, ok := responses["429"].(object); ok && r["headers"].(object)["Retry-After"] == nil {
			t.Errorf("%s: 429 has no Retry-After", path)
		}
	}
	if text := string(d.JSON()); strings.Index(text, `"/z"`) > strings.Index(text, `"/a"`) || !strings.Contains(text, `"- 1009 Not valid"`) {
		t.Errorf("the order is not that of the file, or a title is missing: %s", text)
	}
}
