package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	faults "github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// The answers and webhooks that golden exchanges show are valid by the schemas of Meta's description, where it has one for their
// operation and status. What differs is listed with its reason, by operation and by place in the answer.
func TestMetaAnswers(t *testing.T) {
	d, known := readMeta(t), readExceptions(t, "meta_answers.tsv")
	operations := d.operations()
	judged, without := 0, map[string]bool{}
	for _, file := range goldenFiles(t) {
		asked := ""
		for i, s := range file.Sections {
			switch s.Name {
			case "request":
				asked, _, _ = strings.Cut(s.Text, "\n")
			case "webhook":
				for _, body := range shownBodies(t, s.Text) {
					judged++
					d.compare(known, "webhook", fmt.Sprintf("%s, section %d", file.Name, i), body, [][]string{metaWebhook()})
				}
			case "response":
				status, _, _ := strings.Cut(s.Text, "\n")
				name, schemas := d.schemasFor(operations, asked, status)
				bodies := shownBodies(t, s.Text)
				if len(schemas) == 0 || len(bodies) == 0 {
					without[strings.TrimSpace(status+" "+name)] = true
					continue
				}
				judged++
				where := fmt.Sprintf("%s, section %d", file.Name, i)
				if strings.Contains(asked, "fields=") {
					where = someFields // it says what is told
				}
				d.compare(known, name+" "+status, where, bodies[0], schemas)
			}
		}
	}
	t.Logf("%d answers and webhooks judged; there is no schema for %d kinds of answers", judged, len(without))
	known.done()
	// Why webhooks with messages of customers are excused: the description refuses its own.
	examples := d.doc["paths"].(map[string]any)["/whatsapp/webhooks"].(map[string]any)["post"].(map[string]any)["requestBody"].(map[string]any)["content"].(map[string]any)["application/json"].(map[string]any)["examples"].(map[string]any)
	if d.judge(examples["Text Message"].(map[string]any)["value"], metaWebhook()...) == nil {
		t.Error("the description takes its own webhook by now: testdata/meta_answers.tsv need not excuse ours")
	}
}

func metaWebhook() []string {
	return []string{"paths", "/whatsapp/webhooks", "post", "requestBody", "content", "application/json", "schema"}
}

// someFields is where an answer stands that tells only what was asked for.
const someFields = "an answer to fields="

// metaNodes are the kinds of nodes that names in golden files stand for; any other name is of any other kind.
var metaNodes = map[string][]string{"<phone>": {"Phone-Number-ID"}, "<theirs>": {"Phone-Number-ID"}, "<waba>": {"WABA-ID", "WhatsApp-Business-Account-ID"},
	"<foreign>": {"WABA-ID", "WhatsApp-Business-Account-ID"}, "<app>": {"Application-ID"}, "<business>": {"Business-ID"}, "<user>": {"User-ID"}}

// schemasFor finds the schemas of the answers to a request: several where the description does not tell the kinds of a node apart.
func (d *metaDescription) schemasFor(operations []metaOperation, request, status string) (name string, places [][]string) {
	method, path, _ := strings.Cut(request, " ")
	path, _, _ = strings.Cut(regexp.MustCompile(`^/v[0-9.]+`).ReplaceAllString(path, ""), "?")
	first, rest, _ := strings.Cut(strings.Trim(path, "/"), "/")
	if !shownNode.MatchString(first) {
		return "", nil // it is none
	}
	for _, op := range operations {
		m, ours, _ := strings.Cut(op.ours, " ")
		inside := strings.Split(strings.Trim(strings.TrimPrefix(ours, "/{id}"), "/"), "/")
		given := strings.Split(rest, "/")
		if m != method || !slices.EqualFunc(inside, given, func(ours, given string) bool { return ours == given || ours == "{code}" }) {
			continue
		}
		if kinds := metaNodes[first]; kinds != nil && !slices.Contains(kinds, op.node) || kinds == nil && ofKnownNode(op.node) {
			continue
		}
		place := append(slices.Clone(op.at), "responses", status)
		if d.follow(&place) && d.follow(&place, "content", "application/json", "schema") {
			name, places = op.name, append(places, place)
		}
	}
	return name, places
}

func ofKnownNode(kind string) bool {
	for _, kinds := range metaNodes {
		if slices.Contains(kinds, kind) {
			return true
		}
	}
	return false
}

// follow goes on from a place of the document, through references, and reports whether there is anything.
func (d *metaDescription) follow(place *[]string, names ...string) bool {
	at := append(slices.Clone(*place), names...)
	var node any = d.doc
	for _, name := range at {
		o, _ := node.(map[string]any)
		node = o[name]
	}
	o, ok := node.(map[string]any)
	if ref, is := o["$ref"].(string); is && !slices.Contains(names, "schema") {
		*place = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
		return d.follow(place)
	}
	*place = at
	return ok
}

// compare judges a body by schemas of which one must take it.
func (d *metaDescription) compare(known *exceptions, what, where string, body any, schemas [][]string) {
	d.t.Helper()
	var first error
	for _, place := range schemas {
		err := d.judge(body, place...)
		if err == nil {
			return
		}
		if first == nil {
			first = err
		}
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(first, &invalid) {
		d.t.Errorf("%s: %v", where, first)
		return
	}
	for _, leaf := range leaves(invalid) {
		if where == someFields && strings.Contains(leaf, "\tmissing propert") {
			continue
		}
		known.differs(what+"\t"+leaf, where)
	}
}

var place = regexp.MustCompile(`/[0-9]+(/|$)`)

// leaves are what is wrong, and where; the elements of a list are not told apart.
func leaves(e *jsonschema.ValidationError) (all []string) {
	_, one := e.ErrorKind.(*faults.OneOf) // what each of several forms lacks says nothing
	_, any := e.ErrorKind.(*faults.AnyOf)
	if len(e.Causes) == 0 || one || any {
		at := place.ReplaceAllString("/"+strings.Join(e.InstanceLocation, "/"), "/*$1")
		if more, ok := e.ErrorKind.(*faults.AdditionalProperties); ok {
			slices.Sort(more.Properties)
		}
		_, text, _ := strings.Cut(e.Error(), "': ")
		text, _, _ = strings.Cut(text, "\n")
		return []string{at + "\t" + text}
	}
	for _, cause := range e.Causes {
		all = append(all, leaves(cause)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

var (
	shownNumber = regexp.MustCompile(`: <[a-z]+[0-9]*>`)
	shownCode   = regexp.MustCompile(`<q[0-9]+>`) // of a QR code
	shownNode   = regexp.MustCompile(`<(?:n[0-9]+|phone|waba|app|business|user|theirs|foreign)>`)
)

// shownBodies reads the JSON of a section, with something like an id in the place of each name.
func shownBodies(t *testing.T, section string) (all []any) {
	t.Helper()
	at := strings.IndexByte(section, '{')
	if at < 0 {
		return nil
	}
	section = shownCode.ReplaceAllString(section, "ABCDEFGHIJKLMN")
	text := shownNode.ReplaceAllString(shownNumber.ReplaceAllString(section[at:], ": 1019452360721415"), "1019452360721415")
	d := json.NewDecoder(strings.NewReader(text))
	for {
		var raw json.RawMessage
		if d.Decode(&raw) != nil {
			return all
		}
		body, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		must(t, err)
		all = append(all, body)
	}
}
