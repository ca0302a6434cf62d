package kabar

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// FlowForm is what a flow consists of, as far as it is shown.
type FlowForm struct {
	Version string       `json:"version"`
	DataAPI string       `json:"data_api_version"`
	Screens []FlowScreen `json:"screens"`
}

// FlowScreen is a screen of a flow.
type FlowScreen struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Terminal bool   `json:"terminal"`
	Refresh  bool   `json:"refresh_on_back"` // whoever goes back from here asks the business's server
	Layout   struct {
		Type     string     `json:"type"`
		Children []FlowPart `json:"children"`
	} `json:"layout"`
	Data map[string]struct {
		Example any `json:"__example__"`
	} `json:"data"`
}

// FlowPart is a component of a screen, with the properties that matter for what is shown and asked. Values that depend on data
// ("${data.x}") are as they are written.
type FlowPart struct {
	Type     string          `json:"type"`
	Name     string          `json:"name"`
	Label    any             `json:"label"`
	Text     any             `json:"text"` // a string, or a list of them
	Helper   any             `json:"helper-text"`
	Input    string          `json:"input-type"`
	Required any             `json:"required"`
	Enabled  any             `json:"enabled"`
	Visible  any             `json:"visible"`
	Source   json.RawMessage `json:"data-source"` // []FlowOption, or what data holds
	Initial  any             `json:"init-value"`
	Click    *FlowAction     `json:"on-click-action"`
	Select   *FlowAction     `json:"on-select-action"`
	Unselect *FlowAction     `json:"on-unselect-action"`
	Children []FlowPart      `json:"children"`

	// Of an If.
	Condition string     `json:"condition"`
	Then      []FlowPart `json:"then"`
	Else      []FlowPart `json:"else"`

	// Of a Switch.
	Value   any                   `json:"value"`
	Cases   map[string][]FlowPart `json:"cases"`   // flowDefault stands for all others
	Default []FlowPart            `json:"default"` // or this
}

// flowDefault is the case that is shown when there is none for a value.
const flowDefault = "default"

// FlowOption is one of the entries that a component lets choose from.
type FlowOption struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`

	Select   *FlowAction `json:"on-select-action"`
	Unselect *FlowAction `json:"on-unselect-action"`
}

// FlowAction is what a tap does.
type FlowAction struct {
	Name string `json:"name"` // navigate, complete, data_exchange, update_data…
	Next struct {
		Name string `json:"name"`
	} `json:"next"`
	Payload map[string]any `json:"payload"`
}

// Parts returns the components of the screen in their order, those within others, too, and where each stands.
func (s *FlowScreen) Parts() func(yield func(*FlowPart, string) bool) {
	return func(yield func(*FlowPart, string) bool) {
		eachPart(s.Layout.Children, "children", yield)
	}
}

func eachPart(parts []FlowPart, at string, yield func(*FlowPart, string) bool) bool {
	for i := range parts {
		p, where := &parts[i], fmt.Sprintf("%s/%d", at, i)
		if !yield(p, where) {
			return false
		}
		for name, parts := range p.branches() {
			if !eachPart(parts, where+"/"+name, yield) {
				return false
			}
		}
	}
	return true
}

// branches returns the components within one, and what they are called together, in their order.
func (p *FlowPart) branches() func(yield func(string, []FlowPart) bool) {
	return func(yield func(string, []FlowPart) bool) {
		if !yield("children", p.Children) || !yield("then", p.Then) || !yield("else", p.Else) {
			return
		}
		for _, name := range slices.Sorted(maps.Keys(p.Cases)) {
			if !yield(fmt.Sprintf("cases/%.40s", name), p.Cases[name]) {
				return
			}
		}
		yield("default", p.Default)
	}
}

// Screen returns the screen with an id; with none, the first that no other leads to, where a flow begins.
func (f *FlowForm) Screen(id string) *FlowScreen {
	led := map[string]bool{}
	for i := range f.Screens {
		if f.Screens[i].ID == id {
			return &f.Screens[i]
		}
		for p := range f.Screens[i].Parts() {
			if p.Click != nil {
				led[p.Click.Next.Name] = true
			}
		}
	}
	if id != "" {
		return nil
	}
	for i := range f.Screens {
		if !led[f.Screens[i].ID] {
			return &f.Screens[i]
		}
	}
	if len(f.Screens) == 0 {
		return nil
	}
	return &f.Screens[0]
}

// flowValue returns what a value means: "${data.x}" is the x of data, anything else is itself.
func flowValue(v any, data map[string]any) any {
	text, ok := v.(string)
	if !ok || !isDataRef(text) {
		return v
	}
	var at any = data
	for name := range strings.SplitSeq(text[len("${data."):len(text)-1], ".") {
		object, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = object[name]
	}
	return at
}

func isDataRef(text string) bool {
	return strings.HasPrefix(text, "${data.") && strings.HasSuffix(text, "}")
}

// Examples returns the data that the screen is shown with when nobody gives any.
func (s *FlowScreen) Examples() map[string]any {
	out := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(s.Data)) {
		out[name] = s.Data[name].Example
	}
	return out
}
