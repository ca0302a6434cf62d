package kabar

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

const flowText = `{
 "version": "5.0",
 "screens": [
  {"id": "FIRST", "title": "Who", "data": {"sizes": {"type": "array", "__example__": [{"id": "s", "title": "Small"}]}},
   "layout": {"type": "SingleColumnLayout", "children": [{"type": "Form", "children": [
    {"type": "TextInput", "name": "name", "label": "Name"},
    {"type": "Dropdown", "name": "size", "label": "Size", "data-source": "${data.sizes}"},
    {"type": "Footer", "label": "Next", "on-click-action": {"name": "navigate", "next": {"type": "screen", "name": "LAST"}, "payload": {}}}]}]}},
  {"id": "LAST", "terminal": true,
   "layout": {"type": "SingleColumnLayout", "children": [{"type": "Footer", "label": "Done", "on-click-action": {"name": "complete", "payload": {}}}]}}
 ]
}`

func TestParseFlow(t *testing.T) {
	form, faults := ParseFlow(flowText)
	if len(faults) != 0 {
		t.Fatalf("faults: %+v", faults)
	}
	if s := form.Screen(""); s == nil || s.ID != "FIRST" {
		t.Errorf("it begins with %+v", s)
	}
	if form.Screen("NONE") != nil || form.Screen("LAST") == nil {
		t.Error("a screen is not found by its id")
	}
	var at []string
	for p, where := range form.Screens[0].Parts() {
		at = append(at, where)
		if p.Name == "size" {
			if got := form.Screens[0].View(form.Screens[0].Examples(), nil).Options(p); len(got) != 1 || got[0].Title != "Small" {
				t.Errorf("options: %+v", got)
			}
		}
	}
	if got := strings.Join(at, " "); got != "children/0 children/0/children/0 children/0/children/1 children/0/children/2" {
		t.Errorf("parts: %s", got)
	}
}

func TestFlowFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		change [2]string
		want   string // kind, and line
		line   int
	}{
		"no JSON":          {[2]string{`"version": "5.0",`, `"version": "5.0"`}, flowBadJSON, 3},
		"a wrong type":     {[2]string{`"title": "Who"`, `"title": 7`}, flowBadKind, 4},
		"an old version":   {[2]string{`"5.0"`, `"1.0"`}, flowBadValue, 2},
		"two of an id":     {[2]string{`"id": "LAST"`, `"id": "FIRST"`}, flowTwice, 4},
		"no end":           {[2]string{`"terminal": true,`, ``}, flowNoEnd, 1},
		"no such screen":   {[2]string{`"name": "LAST"}`, `"name": "LOST"}`}, flowNoWay, 8},
		"no such part":     {[2]string{`"type": "Dropdown"`, `"type": "Slider"`}, flowUnknown, 7},
		"no name":          {[2]string{`"name": "name", `, ``}, flowMissing, 6},
		"two of a name":    {[2]string{`"name": "size"`, `"name": "name"`}, flowBadValue, 6},
		"no label":         {[2]string{`, "label": "Size"`, ``}, flowMissing, 7},
		"a bad id":         {[2]string{`"id": "LAST"`, `"id": "LAST 1"`}, flowBadValue, 9},
		"no way on":        {[2]string{`, "on-click-action": {"name": "complete", "payload": {}}`, ``}, flowMissing, 8},
		"nothing on it":    {[2]string{`[{"type": "Footer", "label": "Done", "on-click-action": {"name": "complete", "payload": {}}}]`, `[]`}, flowBadValue, 8},
		"another layout":   {[2]string{`"layout": {"type": "SingleColumnLayout", "children": [{"type": "Form"`, `"layout": {"type": "Grid", "children": [{"type": "Form"`}, flowBadValue, 5},
		"an unknown API":   {[2]string{`"version": "5.0",`, `"version": "5.0", "data_api_version": "9",`}, flowBadValue, 2},
		"not at all a map": {[2]string{flowText, `[]`}, flowBadKind, 1},
	} {
		_, faults := ParseFlow(strings.Replace(flowText, tt.change[0], tt.change[1], 1))
		found := false
		for _, f := range faults {
			found = found || f.Error == tt.want && f.LineStart == tt.line
		}
		if !found {
			t.Errorf("%s: want %s in line %d, got %+v", name, tt.want, tt.line, faults)
		}
	}
}

// What is no object at all is told as such: it has no property that could be named.
func TestFlowThatIsNoObject(t *testing.T) {
	for text, want := range map[string]string{"[]": "The file must be an object, and is an array.", `"x"`: "The file must be an object, and is a string."} {
		if _, faults := ParseFlow(text); len(faults) != 1 || faults[0].Message != want {
			t.Errorf("%s: %+v", text, faults)
		}
	}
}

func FuzzParseFlow(f *testing.F) {
	f.Add(flowText)
	f.Add(`{"version":"5.0","screens":[{}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		form, faults := ParseFlow(text)
		for _, fault := range faults {
			if fault.LineStart < 1 || fault.ColumnStart < 1 || fault.LineEnd < fault.LineStart {
				t.Fatalf("a fault stands nowhere: %+v", fault)
			}
		}
		if s := form.Screen(""); len(faults) == 0 && s == nil {
			t.Fatal("a flow without faults begins nowhere")
		}
	})
}

func TestFlowLife(t *testing.T) {
	now := time.Unix(1_900_000_000, 0)
	reason := func(err error) Reason {
		if e, ok := errors.AsType[*Error](err); ok {
			return e.Reason
		}
		return ""
	}
	d := &FlowDef{Name: "book", Status: FlowDraft, Categories: []string{"OTHER"}}
	check := func(what string, err error, want Reason) {
		t.Helper()
		if reason(err) != want {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
	}
	check("publish nothing", d.Publish(now), ReasonFlowPublish)
	check("send an empty draft", d.CanSend("flow_id", true), ReasonFlow)
	check("faulty JSON is kept", d.SetJSON(now, "file", "{}"), "")
	check("publish what is faulty", d.Publish(now), ReasonFlowPublish)
	check("too much", d.SetJSON(now, "file", strings.Repeat(" ", MaxFlowJSON+1)), ReasonInvalid)
	check("JSON", d.SetJSON(now, "file", flowText), "")
	check("open it by a screen", d.CanOpen("", &Flow{Payload: []byte(`{"screen":"FIRST"}`)}), "")
	check("open it by a screen that it has not", d.CanOpen("", &Flow{Payload: []byte(`{"screen":"THIRD"}`)}), ReasonFlow)
	check("open it by the server that it has not", d.CanOpen("", &Flow{Action: FlowExchange}), ReasonFlow)
	check("send a draft", d.CanSend("flow_id", false), ReasonFlow)
	check("send it as one", d.CanSend("flow_id", true), "")
	check("deprecate a draft", d.Deprecate(now), ReasonFlowDeprecate)
	check("data without an endpoint", func() error {
		other := *d
		other.JSON = strings.Replace(flowText, `"version"`, `"data_api_version": "3.0", "version"`, 1)
		return other.Publish(now)
	}(), ReasonFlowPublish)
	check("publish", d.Publish(now), "")
	check("again", d.Publish(now), ReasonFlowPublish)
	check("change", d.SetJSON(now, "file", flowText), ReasonFlowUpdate)
	check("rename", d.Edit(now, FlowEdit{Name: "x"}), ReasonFlowUpdate)
	endpoint := "https://shop.example/flow"
	check("another endpoint", d.Edit(now, FlowEdit{Endpoint: &endpoint}), "")
	secret := "https://me:pass@shop.example/flow"
	check("a password in it", d.Edit(now, FlowEdit{Endpoint: &secret}), ReasonInvalid)
	d.Endpoint = endpoint
	check("delete", d.CanDelete(), ReasonFlowDelete)
	check("send", d.CanSend("flow_id", false), "")
	check("as a draft", d.CanSend("flow_id", true), ReasonInvalid)
	check("deprecate", d.Deprecate(now), "")
	check("send afterwards", d.CanSend("flow_id", false), ReasonFlow)
	d.Status = FlowBlocked
	check("send what is blocked", d.CanSend("flow_id", false), ReasonFlowBlocked)
}

func TestFlowIsFilledIn(t *testing.T) {
	text := strings.NewReplacer(`"name": "LAST"}, "payload": {}`, `"name": "LAST"}, "payload": {"who": "${form.name}"}`,
		`"label": "Name"`, `"label": "Name", "required": true`,
		`"complete", "payload": {}`, `"complete", "payload": {"name": "${data.who}", "size": "${screen.FIRST.form.size}", "of": "us", "sure": "${form.sure}"}`,
		`"children": [{"type": "Footer", "label": "Done"`, `"children": [{"type": "OptIn", "name": "sure", "label": "Sure"}, {"type": "Footer", "label": "Done"`).Replace(flowText)
	form, faults := ParseFlow(text)
	if len(faults) > 0 || form.Exchanges() {
		t.Fatalf("faults: %+v", faults)
	}
	got, err := form.Complete("", nil, FlowAnswers{"FIRST": {"name": "Ana", "size": "s"}, "LAST": {"sure": true}})
	if err != nil || len(got) != 4 || got["name"] != "Ana" || got["size"] != "s" || got["of"] != "us" || got["sure"] != true {
		t.Errorf("it is completed with %v, %v", got, err)
	}
	if got, err = form.Complete("LAST", map[string]any{"who": "Budi"}, nil); err != nil || got["name"] != "Budi" {
		t.Errorf("from its last screen it is completed with %v, %v", got, err)
	}
	for name, given := range map[string]FlowAnswers{"nothing": nil, "an empty name": {"FIRST": {"name": ""}}} {
		if _, err := form.Complete("", nil, given); err == nil || !strings.Contains(err.Error(), "FIRST.name") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := form.Complete("NONE", nil, nil); err == nil {
		t.Error("a screen that is not there can be begun with")
	}
	asks, _ := ParseFlow(strings.Replace(text, `"name": "navigate"`, `"name": "data_exchange"`, 1))
	if _, err := asks.Complete("", nil, FlowAnswers{"FIRST": {"name": "Ana"}}); err == nil || !asks.Exchanges() {
		t.Error("a flow that needs the business's server is completed without")
	}
	round, _ := ParseFlow(strings.Replace(text, `"name": "LAST"}`, `"name": "FIRST"}`, 1))
	if _, err := round.Complete("FIRST", nil, FlowAnswers{"FIRST": {"name": "Ana"}}); err == nil {
		t.Error("a flow that goes in a circle ends")
	}
}

// TestFlowPath: screens off the way are not seen.
func TestFlowPath(t *testing.T) {
	form, faults := ParseFlow(`{"version":"5.0","screens":[
		{"id":"FIRST","layout":{"type":"SingleColumnLayout","children":[
			{"type":"EmbeddedLink","text":"Help","on-click-action":{"name":"navigate","next":{"type":"screen","name":"HELP"}}},
			{"type":"Footer","label":"On","on-click-action":{"name":"navigate","next":{"type":"screen","name":"LAST"}}}]}},
		{"id":"HELP","layout":{"type":"SingleColumnLayout","children":[
			{"type":"TextInput","name":"question","label":"Question","required":true},
			{"type":"Footer","label":"Back","on-click-action":{"name":"navigate","next":{"type":"screen","name":"FIRST"}}}]}},
		{"id":"LAST","terminal":true,"layout":{"type":"SingleColumnLayout","children":[
			{"type":"Footer","label":"Done","on-click-action":{"name":"complete","payload":{"done":true}}}]}}]}`)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	var path []string
	for _, s := range form.Path(form.Screen("FIRST")) {
		path = append(path, s.ID)
	}
	if want := []string{"FIRST", "LAST"}; !slices.Equal(path, want) {
		t.Errorf("the path is %q, want %q", path, want)
	}
	if got, err := form.Complete("FIRST", nil, nil); err != nil || got["done"] != true {
		t.Errorf("%v, %v", got, err)
	}
	if form.Branches() {
		t.Error("it branches")
	}
	if round := form.Path(form.Screen("HELP")); len(round) != 3 {
		t.Errorf("the path from HELP has %d screens, want 3", len(round))
	}
}
