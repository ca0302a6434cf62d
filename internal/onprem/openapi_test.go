package onprem

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"kabar/internal/apidoc"
	"kabar/internal/auth"
)

// described is the OpenAPI document, with schemas that can judge.
type described struct {
	t       testing.TB
	doc     map[string]any
	schemas *jsonschema.Compiler
}

func describe(t testing.TB) *described {
	t.Helper()
	d, err := apidoc.Read(Description())
	must(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(d.JSON()))
	must(t, err)
	c := jsonschema.NewCompiler()
	must(t, c.AddResource("kabar:openapi.json", doc))
	return &described{t, doc.(map[string]any), c}
}

// at returns what is below a node, by names; references are followed.
func (d *described) at(node any, names ...string) map[string]any {
	o, _ := node.(map[string]any)
	for i := -1; i < len(names); i++ {
		if i >= 0 {
			o, _ = o[names[i]].(map[string]any)
		}
		if ref, ok := o["$ref"].(string); ok {
			o = d.at(d.doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
		}
	}
	return o
}

// judge says what is wrong with a value by the schema at some place of the document.
func (d *described) judge(value any, place ...string) error {
	d.t.Helper()
	pointer := ""
	for _, name := range place {
		pointer += "/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	schema, err := d.schemas.Compile("kabar:openapi.json#" + pointer)
	must(d.t, err)
	return schema.Validate(value)
}

// operation finds what answers a request: the path as the document writes it, and the method there. A path that the
// document does not have is "".
func (d *described) operation(method, path string) (string, string) {
	path, _, _ = strings.Cut(path, "?")
	asked := strings.Split(strings.TrimRight(path, "/"), "/")
	for _, template := range slices.Sorted(maps.Keys(d.at(d.doc, "paths"))) {
		parts := strings.Split(template, "/")
		if len(parts) == len(asked) && !slices.ContainsFunc(slices.Collect(zip(parts, asked)), func(p [2]string) bool {
			return p[0] != p[1] && !strings.HasPrefix(p[0], "{")
		}) {
			return template, strings.ToLower(strings.Replace(method, "HEAD", "GET", 1))
		}
	}
	return "", ""
}

func zip(a, b []string) func(func([2]string) bool) {
	return func(yield func([2]string) bool) {
		for i := range a {
			if !yield([2]string{a[i], b[i]}) {
				return
			}
		}
	}
}

var variable = regexp.MustCompile(`\{[^}]*\}`)

// Every route of the API stands in the document, everything in the document is a route, and both ask for the same access.
// How a part of a path is called is not compared: nobody sees it.
func TestDescriptionOfEveryRoute(t *testing.T) {
	d := describe(t)
	entries := map[string]string{}
	for path, item := range d.at(d.doc, "paths") {
		for method, op := range item.(map[string]any) {
			if o, ok := op.(map[string]any); ok {
				entries[strings.ToUpper(method)+" "+variable.ReplaceAllString(path, "{}")] = needs(o)
			}
		}
	}
	routes := map[string]string{}
	for _, row := range auth.Table(true) {
		if _, path, _ := strings.Cut(row.Pattern, " "); strings.HasPrefix(path, Prefix) || path == "/metrics" {
			routes[variable.ReplaceAllString(row.Pattern, "{}")] = row.Access.String()
		}
	}
	for _, route := range slices.Sorted(maps.Keys(routes)) {
		switch need, ok := entries[route]; {
		case !ok:
			t.Errorf("the route %q is not in the OpenAPI document", route)
		case need != routes[route]:
			t.Errorf("%s: the table says %q, the OpenAPI document %q", route, routes[route], need)
		}
	}
	for _, entry := range slices.Sorted(maps.Keys(entries)) {
		if _, ok := routes[entry]; !ok {
			t.Errorf("%q of the OpenAPI document is no route", entry)
		}
	}
}

// needs names the access of an operation as the table does.
func needs(op map[string]any) string {
	ways, ok := op["security"].([]any)
	if !ok {
		return "nothing said about security"
	}
	said, _ := json.Marshal(ways)
	switch string(said) {
	case `[]`:
		return auth.Public.String()
	case `[{"basic":[]}]`:
		return auth.Basic.String()
	case `[{"bearer":[]},{"key":[]}]`:
		return auth.User.String()
	case `[{"bearer":["admin"]},{"key":["admin"]}]`:
		return auth.Admin.String()
	case `[{"bearer":[]},{"key":[]},{"apikey":[]}]`:
		return "monitor"
	}
	return string(said)
}

// The codes in the document are those of the contract, under the statuses that it allows.
func TestDescriptionOfCodes(t *testing.T) {
	table, err := os.ReadFile("testdata/errors.tsv")
	must(t, err)
	allowed := map[string]string{}
	for line := range strings.Lines(string(table)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		for status := range strings.SplitSeq(f[1], ",") {
			allowed[f[0]+" "+f[2]] += " " + status
		}
	}
	d := describe(t)
	seen := 0
	for path, item := range d.at(d.doc, "paths") {
		for method, op := range item.(map[string]any) {
			for status, response := range d.at(op, "responses") {
				text, _ := d.at(response)["description"].(string)
				for line := range strings.Lines(text) {
					code, ok := strings.CutPrefix(strings.TrimSpace(line), "- ")
					if !ok {
						continue
					}
					if seen++; !slices.Contains(strings.Fields(allowed[code]), status) {
						t.Errorf("%s %s: the contract has no %q with %s", method, path, code, status)
					}
				}
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d codes", seen)
	}
	if version := d.at(d.doc, "info")["version"]; version != Version {
		t.Errorf("the document is about version %v, the API is %s", version, Version)
	}
}

// shown is one request of the golden exchanges with its answer.
type shown struct {
	file, method, path string
	sample             bool // the body is one of samples
	body               string
	status, answer     string
	contentType        string
}

// exchanges reads all golden files: what was asked and answered, and webhook bodies by their file.
func exchanges(t *testing.T) (all []shown, webhooks map[string][]any) {
	t.Helper()
	webhooks = map[string][]any{}
	for _, file := range goldenFiles(t) {
		for _, s := range file.Sections {
			switch s.Name {
			case "request":
				all = append(all, asked(file.Name, s.Text))
			case "response":
				all[len(all)-1].answered(s.Text)
			case "webhook", "batch":
				webhooks[file.Name] = append(webhooks[file.Name], values(t, s.Text)...)
			}
		}
	}
	return slices.DeleteFunc(all, func(x shown) bool { return x.status == "" }), webhooks
}

func asked(file, text string) shown {
	head, body, _ := strings.Cut(text, "\n\n")
	line, headers, _ := strings.Cut(head, "\n")
	method, path, _ := strings.Cut(strings.TrimSpace(line), " ")
	return shown{file: file, method: method, path: path, body: strings.TrimSpace(body), sample: strings.Contains("\n"+headers, "\nBody: ")}
}

func (s *shown) answered(text string) {
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Scan()
	s.status, s.contentType = lines.Text(), "application/json"
	_, s.answer, _ = strings.Cut(text, "\n")
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), ": ")
		if !ok || !regexp.MustCompile(`^[A-Z][A-Za-z0-9-]*$`).MatchString(name) {
			return
		}
		if name == "Content-Type" {
			s.contentType = value
		}
		_, s.answer, _ = strings.Cut(s.answer, "\n")
	}
}

// values reads the JSON values in a section; lines between them that say what was not wanted are left out.
func values(t *testing.T, text string) (list []any) {
	t.Helper()
	text = regexp.MustCompile(`(?m)^not wanted: .*$`).ReplaceAllString(text, "")
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	for {
		var v any
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			return list
		}
		must(t, err)
		list = append(list, v)
	}
}

// What the golden exchanges show is as the document says: bodies that were taken, all answers, and webhooks.
func TestDescriptionOfGoldens(t *testing.T) {
	d := describe(t)
	all, webhooks := exchanges(t)
	requests, answers, hooks := 0, 0, 0
	for _, x := range all {
		path, method := d.operation(x.method, x.path)
		op := d.at(d.doc, "paths", path, method)
		name := fmt.Sprintf("%s: %s %s answered %s", x.file, x.method, x.path, x.status)
		if op == nil {
			answers++
			d.checkUnknown(name, x)
			continue
		}
		if x.status[0] == '2' && d.at(op, "requestBody", "content", "application/json") != nil {
			requests++
			d.checkRequest(name, x, op, path, method)
		}
		answers++
		d.checkAnswer(name, x, op, path, method)
	}
	for file, bodies := range webhooks {
		for _, body := range bodies {
			hooks++
			if err := d.judge(body, "components", "schemas", "Webhook"); err != nil {
				t.Errorf("%s: webhook: %v", file, err)
			}
		}
	}
	if requests < 60 || answers < 250 || hooks < 60 {
		t.Errorf("only %d requests, %d answers and %d webhooks: the test misses its mark", requests, answers, hooks)
	}
	t.Logf("%d requests, %d answers and %d webhooks", requests, answers, hooks)
}

// withoutNulls returns a body without the members that are null, which are as good as absent.
func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		maps.DeleteFunc(v, func(_ string, member any) bool { return member == nil })
		for name, member := range v {
			v[name] = withoutNulls(member)
		}
	case []any:
		for i := range v {
			v[i] = withoutNulls(v[i])
		}
	}
	return v
}

// checkUnknown checks the answer to a request for what does not exist.
func (d *described) checkUnknown(name string, x shown) {
	list := values(d.t.(*testing.T), x.answer)
	if x.status != "404" && x.status != "401" || len(list) != 1 {
		d.t.Errorf("%s, and is not in the document", name)
		return
	}
	if err := d.judge(list[0], "components", "schemas", "Errors"); err != nil {
		d.t.Errorf("%s: %v", name, err)
	}
}

func (d *described) checkRequest(name string, x shown, op map[string]any, path, method string) {
	if x.body == "" {
		if !x.sample && d.at(op, "requestBody")["required"] == true {
			d.t.Errorf("%s without a body", name)
		}
		return
	}
	for _, v := range values(d.t.(*testing.T), x.body) {
		if err := d.judge(withoutNulls(v), "paths", path, method, "requestBody", "content", "application/json", "schema"); err != nil {
			d.t.Errorf("%s: its body %s: %v", name, x.body, err)
		}
	}
}

func (d *described) checkAnswer(name string, x shown, op map[string]any, path, method string) {
	content := d.at(op, "responses", x.status, "content")
	if d.at(op, "responses", x.status) == nil {
		d.t.Errorf("%s, and the document has no such answer", name)
		return
	}
	if x.contentType != "application/json" {
		kind, _, _ := strings.Cut(x.contentType, ";")
		if content != nil && content[kind] == nil && content["*/*"] == nil {
			d.t.Errorf("%s with the type %s, the document has %v", name, x.contentType, slices.Collect(maps.Keys(content)))
		}
		return
	}
	if strings.TrimSpace(x.answer) == "" || strings.HasPrefix(x.answer, "0 bytes") {
		return // of a HEAD, or a 304
	}
	place := []string{"paths", path, method, "responses", x.status}
	if ref, ok := d.at(op, "responses")[x.status].(map[string]any)["$ref"].(string); ok {
		place = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
	}
	if d.at(content, "application/json") == nil {
		d.t.Errorf("%s in JSON, and the document has none", name)
		return
	}
	for _, v := range values(d.t.(*testing.T), x.answer) {
		if err := d.judge(v, append(slices.Clone(place), "content", "application/json", "schema")...); err != nil {
			d.t.Errorf("%s: %v", name, err)
		}
	}
}

// The schemas bite: what the server refuses for its form, they refuse as well, but for rules that no schema can hold.
func TestDescriptionRefuses(t *testing.T) {
	d := describe(t)
	all, _ := exchanges(t)
	refused, passed := 0, []string{}
	for _, x := range all {
		path, method := d.operation(x.method, x.path)
		op := d.at(d.doc, "paths", path, method)
		var body any
		if x.status != "400" || d.at(op, "requestBody", "content", "application/json") == nil || json.Unmarshal([]byte(x.body), &body) != nil {
			continue
		}
		code := regexp.MustCompile(`"code": (\d+)`).FindStringSubmatch(x.answer)[1]
		if n, _ := strconv.Atoi(code); n == 1013 || n == 1021 || n == 1025 || n >= 2000 {
			continue // about what is stored, or about the letters of the JSON
		}
		if d.judge(body, "paths", path, method, "requestBody", "content", "application/json", "schema") != nil {
			refused++
		} else {
			passed = append(passed, x.file+": "+x.body+": "+regexp.MustCompile(`"details": .*`).FindString(x.answer))
		}
	}
	if refused < 60 || len(passed) > refused/3 {
		t.Errorf("the schemas refuse %d of the bodies that the server refuses, and let pass %d:\n%s", refused, len(passed), strings.Join(passed, "\n"))
	}
	t.Logf("%d refused, %d not", refused, len(passed))
}
