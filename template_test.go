package kabar

import (
	"encoding/json"
	"reflect"
	"testing"
)

// Components are written as in the Graph API.
func TestTemplateDefForm(t *testing.T) {
	const form = `{"name":"parcel_update","language":"es_ES","category":"utility","status":"APPROVED","components":[` +
		`{"type":"HEADER","format":"IMAGE"},{"type":"BODY","text":"Hola {{1}}: {{2}} el {{3}}, {{1}}."},{"type":"FOOTER","text":"Shop {{1}}"},` +
		`{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"OK"},{"type":"URL","text":"Track","url":"https://shop.example/{{1}}"},` +
		`{"type":"PHONE_NUMBER","text":"Call","phone_number":"+34600111222"},{"type":"URL","text":"Home","url":"https://shop.example/"}]}]}`
	got, err := json.Marshal(parcelDef())
	if err != nil || string(got) != form {
		t.Errorf("stored as %s, %v; want %s", got, err, form)
	}
	var back TemplateDef
	if err := json.Unmarshal([]byte(form), &back); err != nil || !reflect.DeepEqual(&back, parcelDef()) {
		t.Errorf("comes back as %+v, %v", back, err)
	}
}
