package graph

import (
	"bytes"
	"cmp"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// metaDescription is Meta's public OpenAPI description of the API, the outside judge: github.com/facebook/openapi, v23.0. It is no
// part of this product, so a test that asks it is skipped where it is not.
type metaDescription struct {
	t       testing.TB
	doc     map[string]any
	schemas *jsonschema.Compiler
	kept    map[string]*jsonschema.Schema
}

func readMeta(t testing.TB) *metaDescription {
	t.Helper()
	name := os.Getenv("KABAR_META_OPENAPI")
	if name == "" {
		t.Skip("!!! NOT CHECKED against Meta's description of the API: KABAR_META_OPENAPI does not name its file")
	}
	text, err := os.ReadFile(name)
	must(t, err)
	text, err = yaml.YAMLToJSON(text)
	must(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	must(t, err)
	c := jsonschema.NewCompiler()
	must(t, c.AddResource("meta:openapi.json", doc))
	return &metaDescription{t, doc.(map[string]any), c, map[string]*jsonschema.Schema{}}
}

// metaOperation is a method of a path.
type metaOperation struct {
	name string // "POST /{WABA-ID}/message_templates"
	node string // what the path begins with: "WABA-ID"
	ours string // the same path as docs/cloud-coverage.md has it: "POST /{id}/message_templates"
	at   []string
	op   map[string]any
}

var metaVariable = regexp.MustCompile(`\{[^}]*\}`)

// operations returns all of them, in a fixed order.
func (d *metaDescription) operations() (all []metaOperation) {
	paths := d.doc["paths"].(map[string]any)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		inside, ok := strings.CutPrefix(path, "/{Version}")
		if !ok {
			continue // the one that we call
		}
		first, rest, _ := strings.Cut(strings.TrimPrefix(inside, "/"), "/")
		ours := "/{id}"
		if rest != "" {
			ours += "/" + strings.ReplaceAll(metaVariable.ReplaceAllString(rest, "{}"), "{}", "{code}")
		}
		for _, method := range slices.Sorted(maps.Keys(paths[path].(map[string]any))) {
			if op, ok := paths[path].(map[string]any)[method].(map[string]any); ok && slices.Contains([]string{"get", "post", "delete", "put"}, method) {
				m := strings.ToUpper(method)
				all = append(all, metaOperation{m + " " + inside, strings.Trim(first, "{}"), m + " " + ours, []string{"paths", path, method}, op})
			}
		}
	}
	return all
}

// judge says what is wrong with a value by the schema at some place of the description.
func (d *metaDescription) judge(value any, place ...string) error {
	d.t.Helper()
	pointer := "meta:openapi.json#"
	for _, name := range place {
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1", "%", "%25", "{", "%7B", "}", "%7D", " ", "%20").Replace(name)
	}
	schema := d.kept[pointer]
	if schema == nil {
		var err error
		schema, err = d.schemas.Compile(pointer)
		must(d.t, err)
		d.kept[pointer] = schema
	}
	return schema.Validate(value)
}

// exceptions are what is known to differ, each with its reason: the lines of a file of testdata, of which the last field is the reason.
// What differs no more may not stay there.
type exceptions struct {
	t       testing.TB
	file    string
	reasons map[string]string
	used    map[string]bool
}

func readExceptions(t testing.TB, file string) *exceptions {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	must(t, err)
	e := &exceptions{t, file, map[string]string{}, map[string]bool{}}
	for line := range strings.Lines(string(text)) {
		at := strings.LastIndex(line, "\t")
		if at < 0 || strings.TrimSpace(line[at:]) == "" {
			t.Errorf("%s: no reason in %q", file, line)
			continue
		}
		e.reasons[line[:at]] = strings.TrimSpace(line[at:])
	}
	return e
}

// differs reports something that should not be so, unless it is excused.
func (e *exceptions) differs(what, how string) {
	e.t.Helper()
	if e.reasons[what] == "" {
		e.t.Errorf("%s\n%.1500s", what, how)
	}
	e.used[what] = true
}

// done looks for excuses that nothing needs.
func (e *exceptions) done() {
	e.t.Helper()
	for _, what := range slices.Sorted(maps.Keys(e.reasons)) {
		if !e.used[what] {
			e.t.Errorf("testdata/%s excuses %q, and nothing differs", e.file, what)
		}
	}
	e.t.Logf("%d exceptions, listed in testdata/%s", len(e.reasons), e.file)
}

// Every path of Meta's description has a row in docs/cloud-coverage.md.
func TestMetaCoverage(t *testing.T) {
	d := readMeta(t)
	text, err := os.ReadFile("../../docs/cloud-coverage.md")
	must(t, err)
	var missing []string
	for _, op := range d.operations() {
		if !bytes.Contains(text, []byte("| `"+op.ours+"` |")) {
			missing = append(missing, op.ours)
		}
	}
	slices.SortFunc(missing, func(a, b string) int { return cmp.Compare(a, b) })
	for _, ours := range slices.Compact(missing) {
		t.Errorf("docs/cloud-coverage.md has no row for %s", ours)
	}
}
