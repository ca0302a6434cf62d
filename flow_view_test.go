package kabar

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// branching asks companies for more than people, each pet for something of its own, and lets what is chosen change the data.
const branching = `{
 "version": "6.0",
 "screens": [
  {"id": "WHO", "data": {"cities": {"type": "array", "__example__": []}, "late": {"type": "boolean", "__example__": false}},
   "layout": {"type": "SingleColumnLayout", "children": [{"type": "Form", "children": [
    {"type": "RadioButtonsGroup", "name": "kind", "label": "You are", "required": true,
     "data-source": [{"id": "person", "title": "A person"}, {"id": "company", "title": "A company"}]},
    {"type": "If", "condition": "${form.kind} == 'company' && !${data.late}", "then": [
     {"type": "TextInput", "name": "vat", "label": "VAT number", "required": true},
     {"type": "OptIn", "name": "invoice", "label": "Send an invoice"}],
     "else": [{"type": "TextBody", "text": "Welcome"}]},
    {"type": "Dropdown", "name": "land", "label": "Country", "init-value": "id",
     "data-source": [
      {"id": "id", "title": "Indonesia", "on-unselect-action": {"name": "update_data", "payload": {"late": true}}},
      {"id": "es", "title": "Spain", "on-select-action": {"name": "update_data", "payload": {"cities": [{"id": "bcn", "title": "Barcelona"}]}}}]},
    {"type": "Dropdown", "name": "city", "label": "City", "visible": "` + "`${form.land} == 'es'`" + `", "required": "${form.invoice}", "data-source": "${data.cities}"},
    {"type": "Switch", "value": "${form.kind}", "cases": {
     "company": [{"type": "TextInput", "name": "staff", "label": "Staff", "visible": "${data.late}"}, {"type": "TextBody", "text": "A firm"}],
     "default": [{"type": "TextBody", "text": "Somebody"}]}},
    {"type": "If", "condition": "${form.kind} == 'company'",
     "then": [{"type": "Footer", "label": "On", "on-click-action": {"name": "navigate", "next": {"type": "screen", "name": "FIRM"}, "payload": {"vat": "${form.vat}"}}}],
     "else": [{"type": "Footer", "label": "Send", "enabled": "${form.kind}", "on-click-action": {"name": "navigate", "next": {"type": "screen", "name": "END"}, "payload": {}}}]}
   ]}]}},
  {"id": "FIRM", "layout": {"type": "SingleColumnLayout", "children": [
    {"type": "TextInput", "name": "name", "label": "Name"},
    {"type": "Footer", "label": "On", "on-click-action": {"name": "navigate", "next": {"type": "screen", "name": "END"}, "payload": {}}}]}},
  {"id": "END", "terminal": true, "layout": {"type": "SingleColumnLayout", "children": [
    {"type": "If", "condition": "${screen.WHO.form.invoice}", "then": [{"type": "TextBody", "text": "An invoice comes"}]},
    {"type": "Footer", "label": "Done", "on-click-action": {"name": "complete",
     "payload": {"kind": "${screen.WHO.form.kind}", "vat": "${screen.WHO.form.vat}", "firm": "${screen.FIRM.form.name}"}}}]}}
 ]
}`

func branchingFlow(t *testing.T) *FlowForm {
	t.Helper()
	form, faults := ParseFlow(branching)
	if len(faults) > 0 || !form.Branches() || form.Exchanges() {
		t.Fatalf("the flow: %+v", faults)
	}
	return form
}

// drawn lists what a view shows: names, texts and labels of footers.
func drawn(v *FlowView) string {
	var all []string
	for _, p := range v.Parts {
		switch {
		case p.Name != "":
			all = append(all, p.Name)
		case p.Type == "Footer":
			all = append(all, "["+v.Text(p.Label)+"]")
		case p.Type != "Form":
			all = append(all, v.Text(p.Text))
		}
	}
	return strings.Join(all, " ")
}

func TestFlowView(t *testing.T) {
	s := branchingFlow(t).Screen("WHO")
	for name, tt := range map[string]struct {
		data  map[string]any
		given map[string]any
		want  string
	}{
		"nothing yet":        {nil, nil, "kind Welcome land Somebody [Send]"},
		"a person":           {nil, map[string]any{"kind": "person"}, "kind Welcome land Somebody [Send]"},
		"a company":          {map[string]any{"late": false}, map[string]any{"kind": "company"}, "kind vat invoice land A firm [On]"},
		"a late company":     {map[string]any{"late": true}, map[string]any{"kind": "company"}, "kind Welcome land staff A firm [On]"},
		"emptied":            {nil, map[string]any{"land": ""}, "kind Welcome land Somebody [Send]"},
		"in Spain":           {nil, map[string]any{"land": "es"}, "kind Welcome land city Somebody [Send]"},
		"a name of no case":  {nil, map[string]any{"kind": "robot"}, "kind Welcome land Somebody [Send]"},
		"a case's own name":  {nil, map[string]any{"kind": "default"}, "kind Welcome land Somebody [Send]"},
		"another kind of it": {nil, map[string]any{"kind": 7.0}, "kind Welcome land Somebody [Send]"},
	} {
		v := s.View(tt.data, FlowAnswers{"WHO": tt.given})
		if got := drawn(v); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// What is not shown is neither asked for nor sent, even if it was filled in.
func TestFlowLeave(t *testing.T) {
	s := branchingFlow(t).Screen("WHO")
	for name, tt := range map[string]struct {
		given map[string]any
		want  string // where it leads and with what, or the fault
		kept  string
	}{
		"nothing":            {map[string]any{}, "WHO.kind: required parameter is missing: is required: You are", ""},
		"a person":           {map[string]any{"kind": "person", "vat": "B1", "invoice": true}, "END map[]", "map[kind:person land:id]"},
		"a company":          {map[string]any{"kind": "company", "vat": "B1"}, "FIRM map[vat:B1]", "map[invoice:false kind:company land:id vat:B1]"},
		"one without":        {map[string]any{"kind": "company", "city": "bcn"}, "WHO.vat: required parameter is missing: is required: VAT number", ""},
		"one that wants all": {map[string]any{"kind": "company", "vat": "B1", "invoice": true, "land": "es"}, "WHO.city: required parameter is missing: is required: City", ""},
	} {
		answers := FlowAnswers{"WHO": tt.given}
		click, payload, err := s.Leave(nil, answers)
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprint(click.Next.Name, " ", payload)
		}
		if !strings.Contains(got, tt.want) || err == nil && fmt.Sprint(answers["WHO"]) != tt.kept {
			t.Errorf("%s: %s with %v, want %s with %s", name, got, answers["WHO"], tt.want, tt.kept)
		}
	}
	s.Layout.Children[0].Children[0].Required = false
	if _, _, err := s.Leave(nil, FlowAnswers{"WHO": {}}); err == nil || !strings.Contains(err.Error(), "cannot be left") {
		t.Errorf("a footer that is not enabled: %v", err)
	}
}

func TestFlowChoose(t *testing.T) {
	s := branchingFlow(t).Screen("WHO")
	data, asked := s.Choose(s.Examples(), nil, map[string]any{"land": "es"})
	if asked != nil || data["late"] != true || len(data["cities"].([]any)) != 1 {
		t.Errorf("Spain in the place of Indonesia: %v, asks %v", data, asked)
	}
	if again, _ := s.Choose(map[string]any{}, FlowAnswers{"WHO": {"land": "es"}}, map[string]any{"land": "es", "kind": "person"}); len(again) != 0 {
		t.Errorf("what has been chosen before does it again: %v", again)
	}
	many := &FlowPart{Select: &FlowAction{Name: "s"}, Unselect: &FlowAction{Name: "u"}}
	options := []FlowOption{{ID: "a", Select: &FlowAction{Name: "+a"}, Unselect: &FlowAction{Name: "-a"}}, {ID: "b", Unselect: &FlowAction{Name: "-b"}}}
	for name, tt := range map[string]struct {
		before, after any
		want          string
	}{
		"one":               {nil, "a", "+a s"},
		"another":           {"b", "a", "-b +a s"},
		"none":              {"a", nil, "-a u"},
		"the same":          {"a", "a", ""},
		"one more":          {[]any{"b"}, []any{"b", "a"}, "+a s"},
		"one less":          {[]any{"b", "a"}, []any{"a"}, "-b u"},
		"a tick":            {false, true, "s"},
		"a tick taken away": {true, false, "u"},
	} {
		var got []string
		for _, a := range many.chosen(tt.before, tt.after, options) {
			got = append(got, a.Name)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v, want %s", name, got, tt.want)
		}
	}
	ask := &FlowScreen{ID: "S"}
	ask.Layout.Children = []FlowPart{{Type: "Dropdown", Name: "d", Select: &FlowAction{Name: FlowExchange, Payload: map[string]any{"day": "${form.d}"}}}}
	if _, asked := ask.Choose(nil, nil, map[string]any{"d": "mon"}); fmt.Sprint(asked) != "map[day:mon]" {
		t.Errorf("the server is asked %v", asked)
	}
}

func TestFlowThatBranchesIsFilledIn(t *testing.T) {
	form := branchingFlow(t)
	for name, tt := range map[string]struct {
		given FlowAnswers
		want  string
	}{
		"a person":   {FlowAnswers{"WHO": {"kind": "person", "vat": "B1"}, "FIRM": {"name": "X"}}, "map[firm:<nil> kind:person vat:<nil>]"},
		"a company":  {FlowAnswers{"WHO": {"kind": "company", "vat": "B1"}, "FIRM": {"name": "X"}}, "map[firm:X kind:company vat:B1]"},
		"a late one": {FlowAnswers{"WHO": {"kind": "company", "vat": "B1", "land": "es"}}, "map[firm:<nil> kind:company vat:<nil>]"},
	} {
		given := maps.Clone(tt.given["WHO"])
		got, err := form.Complete("", nil, tt.given)
		if err != nil || fmt.Sprint(got) != tt.want {
			t.Errorf("%s: %v, %v, want %s", name, got, err, tt.want)
		}
		if !maps.Equal(given, tt.given["WHO"]) {
			t.Errorf("%s: what was given is another one: %v", name, tt.given["WHO"])
		}
	}
}

func TestFlowBranchFaults(t *testing.T) {
	footer := `{"type": "Footer", "label": "On", "on-click-action": {"name": "complete"}}`
	text := `{"type": "TextBody", "text": "x"}`
	for name, tt := range map[string]struct{ part, want string }{
		"fine":                     {`{"type": "If", "condition": "${form.a} == 'x'", "then": [` + text + `]},` + footer, ""},
		"no condition":             {`{"type": "If", "then": [` + text + `]}`, flowBadValue},
		"a bad condition":          {`{"type": "If", "condition": "${form.a} && ", "then": [` + text + `]}`, flowBadValue},
		"no such component":        {`{"type": "If", "condition": "${form.b}", "then": [` + text + `]}`, flowBadValue},
		"nothing then":             {`{"type": "If", "condition": "${form.a}", "then": []}`, flowBadValue},
		"a condition that is none": {`{"type": "If", "condition": true, "then": [` + text + `]}`, flowBadKind},
		"cases that are a list":    {`{"type": "Switch", "value": "${form.a}", "cases": [{"value": "x", "children": [` + text + `]}]}`, flowBadKind},
		"no value":                 {`{"type": "Switch", "cases": {"x": [` + text + `]}}`, flowMissing},
		"no cases":                 {`{"type": "Switch", "value": "${form.a}", "cases": {}}`, flowMissing},
		"a bad visible":            {`{"type": "TextBody", "text": "x", "visible": "yes"}`, flowBadValue},
		"an action on selection":   {`{"type": "Dropdown", "name": "d", "label": "D", "on-select-action": {"name": "navigate"}}`, flowBadValue},
		"one footer alone":         {`{"type": "If", "condition": "${form.a}", "then": [` + footer + `]}`, flowNoFooter},
		"one in else":              {`{"type": "If", "condition": "${form.a}", "then": [` + text + `], "else": [` + footer + `]}`, flowNoFooter},
		"one in a case":            {`{"type": "Switch", "value": "${form.a}", "cases": {"x": [` + footer + `], "default": [` + text + `]}}`, flowNoFooterIn},
		"two":                      {`{"type": "If", "condition": "${form.a}", "then": [` + footer + `], "else": [` + footer + `]},` + footer, flowFooters},
		"deep":                     {strings.Repeat(`{"type": "If", "condition": "${form.a}", "then": [`, 4) + text + strings.Repeat(`]}`, 4), flowBadValue},
	} {
		_, faults := ParseFlow(`{"version": "5.0", "screens": [{"id": "A", "terminal": true, "layout": {"type": "SingleColumnLayout", "children": [
			{"type": "TextInput", "name": "a", "label": "A"},
			` + tt.part + `]}}]}`)
		if got := len(faults) == 0; got != (tt.want == "") {
			t.Errorf("%s: %+v", name, faults)
		}
		if tt.want != "" && !slices.ContainsFunc(faults, func(f FlowFault) bool { return f.Error == tt.want && f.LineStart >= 1 }) {
			t.Errorf("%s: want %s, got %+v", name, tt.want, faults)
		}
	}
	_, faults := ParseFlow(strings.Replace(branching, "${form.kind} == 'company' && !${data.late}", "${form.kind} == 'company' && ${form.gone}", 1))
	if len(faults) != 1 || faults[0].LineStart != 8 {
		t.Errorf("a name that is none stands at %+v", faults)
	}
}

// What a text is about is shown as people write it, not as a program does.
func TestFlowText(t *testing.T) {
	form, faults := ParseFlow(strings.Replace(flowText, `"${data.sizes}"`, `[]`, 1))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	v := form.Screens[0].View(map[string]any{"total": 2500000.0, "share": 0.125, "open": true, "place": map[string]any{"city": "Jakarta"}}, nil)
	for value, want := range map[string]string{
		"${data.total}": "2500000",
		"${data.share}": "0.125",
		"${data.open}":  "true",
		"${data.place}": `{"city":"Jakarta"}`,
		"${data.none}":  "",
		"Total":         "Total",
	} {
		if got := v.Text(value); got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
	if got := v.Text([]any{"a", 1e7, nil, []any{"b", 2.0}}); got != "a\n10000000\n\nb, 2" {
		t.Errorf("lines: %q", got)
	}
}

// A flow that is as large as can be is refused in a moment: what is wrong with it is not looked for where it has no end.
func TestFlowOutOfBounds(t *testing.T) {
	part := `{"type": "TextBody", "text": "x"}`
	nested := func(open, end string, n int) string { return strings.Repeat(open, n) + part + strings.Repeat(end, n) }
	var names strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&names, "${form.n%d} || ", i)
	}
	for name, tt := range map[string]struct{ part, want string }{
		"deep in Forms":     {nested(`{"type": "Form", "children": [`, `]}`, 1000), "stand in others"},
		"deep in cases":     {nested(`{"type": "Switch", "value": "${data.a}", "cases": {"`+strings.Repeat("x", 1000)+`": [`, `]}}`, 20), "stand in others"},
		"many within one":   {`{"type": "Form", "children": [` + strings.Repeat(part+",", 1000) + part + `]}`, "1002 components"},
		"a long condition":  {`{"type": "If", "condition": "` + names.String() + `${data.a}", "then": [` + part + `]}`, "the limit is 2000"},
		"a long case":       {`{"type": "Switch", "value": "x", "cases": {"` + strings.Repeat("x", 1000) + `": [{"type": "Slider"}]}}`, "is not known"},
		"as deep as can be": {nested(`{"type": "Form", "children": [`, `]}`, maxFlowNesting-1), ""},
	} {
		text := `{"version": "5.0", "screens": [{"id": "A", "terminal": true, "layout": {"type": "SingleColumnLayout", "children": [` + tt.part + `]}}]}`
		if _, faults := ParseFlow(text); len(faults) != 0 != (tt.want != "") {
			t.Errorf("%s: %d faults", name, len(faults))
		} else if len(faults) > 0 && (len(faults) > 1 || !strings.Contains(faults[0].Message, tt.want) || len(faults[0].Message) > 300) {
			t.Errorf("%s: %d faults, the first %.300s", name, len(faults), faults[0].Message)
		}
	}
	ids := strings.Repeat("x", 1000)
	_, faults := ParseFlow(`{"version": "5.0", "screens": [{"id": "` + ids + `"}, {"id": "` + ids + `"}]}`)
	for _, f := range faults {
		if len(f.Message) > 300 {
			t.Errorf("a fault has %d bytes: %.100s…", len(f.Message), f.Message)
		}
	}
}

// What many components let choose from alike is looked at once: it may be as long as all of the flow.
func TestFlowOptionsAreLookedAtOnce(t *testing.T) {
	option := `{"id": "a", "title": "A", "on-select-action": {"name": "update_data"}}`
	flow := func(parts int) string {
		part := `{"type": "CheckboxGroup", "name": "c%d", "label": "C", "data-source": "${data.all}"},`
		var all strings.Builder
		for i := range parts {
			fmt.Fprintf(&all, part, i)
		}
		return `{"version": "5.0", "screens": [{"id": "A", "terminal": true, "data": {"all": {"__example__": [` + strings.Repeat(option+",", 500) + option + `]}},
			"layout": {"type": "SingleColumnLayout", "children": [` + all.String() + `{"type": "TextBody", "text": "x"}]}}]}`
	}
	cost := func(text string) float64 {
		form, faults := ParseFlow(text)
		if len(faults) > 0 || !form.Branches() {
			t.Fatalf("%+v, branches: %v", faults, form.Branches())
		}
		return testing.AllocsPerRun(1, func() { form, _ := ParseFlow(text); form.Exchanges() })
	}
	if one, many := cost(flow(1)), cost(flow(40)); many > 2*one {
		t.Errorf("40 components cost %.0f, one costs %.0f", many, one)
	}
}
