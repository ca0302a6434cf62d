package eventjson_test

import (
	"bytes"
	"net/url"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"kabar"
	"kabar/internal/apidoc"
	"kabar/internal/manage"
)

// The description of the management API has every type of event, and every golden object is as the schema of its type says, with all
// its members: an object with one more is refused.
func TestEventsAreAsDescribed(t *testing.T) {
	d, err := apidoc.Read(manage.Description())
	if err != nil {
		t.Fatal(err)
	}
	doc := decoded(t, d.JSON())
	c := jsonschema.NewCompiler()
	if err := c.AddResource("kabar:openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	schemas := map[kabar.EventType]*jsonschema.Schema{}
	for _, e := range kabar.EventTypes() {
		schemas[e], err = c.Compile("kabar:openapi.json#/webhooks/" + url.PathEscape(string(e)) + "/post/requestBody/content/application~1json/schema")
		if err != nil {
			t.Fatal(err)
		}
	}
	if webhooks, _ := doc["webhooks"].(map[string]any); len(webhooks) != len(schemas) {
		t.Errorf("%d webhooks are described, there are %d types", len(webhooks), len(schemas))
	}
	for _, c := range cases(t) {
		body := decoded(t, render(t, c.event))
		if err := schemas[c.event.Type()].Validate(body); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		body["more"] = "than is described"
		if schemas[c.event.Type()].Validate(body) == nil {
			t.Errorf("%s: the schema takes what it does not describe", c.name)
		}
	}
}

func decoded(t *testing.T, b []byte) map[string]any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	o, _ := v.(map[string]any)
	return o
}
