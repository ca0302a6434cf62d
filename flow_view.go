package kabar

import (
	"encoding/json"
	"maps"
	"strings"
)

// FlowView is a screen as a customer sees it: what it was opened with and what has been filled in decide which of its components are
// shown. What a component was given while it was shown is forgotten when it no longer is.
type FlowView struct {
	Parts []*FlowPart // those that are shown, in their order

	screen  *FlowScreen
	data    map[string]any
	given   map[string]any // what was filled in here, of the components that are shown
	answers FlowAnswers    // of other screens
}

// View returns the screen with data. What was filled in here and on other screens is in answers; a component of which nothing is said
// there has what it begins with, and one that was emptied an empty text.
func (s *FlowScreen) View(data map[string]any, answers FlowAnswers) *FlowView {
	v := &FlowView{screen: s, data: data, given: map[string]any{}, answers: answers}
	maps.Copy(v.given, answers[s.ID])
	for p := range s.Parts() {
		if _, told := v.given[p.Name]; told || p.Name == "" {
			continue
		}
		if begin := flowValue(p.Initial, data); begin != nil {
			v.given[p.Name] = begin
		} else if p.Type == "OptIn" {
			v.given[p.Name] = false
		}
	}
	v.show(s.Layout.Children)
	return v
}

func (v *FlowView) show(parts []FlowPart) {
	for i := range parts {
		p := &parts[i]
		switch {
		case !v.flag(p.Visible, true):
			v.forget(parts[i : i+1])
		case p.Type == "If" && v.holds(p.Condition):
			v.forget(p.Else)
			v.show(p.Then)
		case p.Type == "If":
			v.forget(p.Then)
			v.show(p.Else)
		case p.Type == "Switch":
			v.choose(p)
		default:
			v.Parts = append(v.Parts, p)
			v.show(p.Children)
		}
	}
}

// choose shows the case of a switch that its value names, or else what stands for all others.
func (v *FlowView) choose(p *FlowPart) {
	name := flowWord(v.Value(p.Value))
	shown, ok := p.Cases[name]
	if !ok {
		name = flowDefault
		shown, ok = p.Cases[name]
	}
	for other, parts := range p.Cases {
		if !ok || other != name {
			v.forget(parts)
		}
	}
	if ok {
		v.forget(p.Default)
	} else {
		shown = p.Default
	}
	v.show(shown)
}

// forget forgets what components that are not shown were given.
func (v *FlowView) forget(parts []FlowPart) {
	eachPart(parts, "", func(p *FlowPart, _ string) bool {
		delete(v.given, p.Name)
		return true
	})
}

// holds reports whether a condition is true. One that cannot be read is not.
func (v *FlowView) holds(text string) bool {
	c, err := readFlowCondition(text)
	return err == nil && c.holds(v.named)
}

// flag returns what a property that is true or false, or names something that is, or is a condition, comes to.
func (v *FlowView) flag(value any, otherwise bool) bool {
	text, ok := value.(string)
	if !ok || isDataRef(text) {
		if told, ok := flowValue(value, v.data).(bool); ok {
			return told
		}
		return otherwise
	}
	c, err := readFlowCondition(text)
	if err != nil {
		return otherwise
	}
	return c.holds(v.named)
}

// named returns what a name within ${} stands for.
func (v *FlowView) named(ref string) any {
	path := strings.Split(ref, ".")
	switch {
	case path[0] == "form" && len(path) == 2:
		return v.given[path[1]]
	case path[0] == "screen" && len(path) == 4 && path[2] == "form":
		return v.answers[path[1]][path[3]]
	}
	return flowValue("${"+ref+"}", v.data)
}

// Value returns what a value means: "${form.x}" is the answer x of the screen, "${screen.S.form.x}" that of another one, "${data.x}" what
// the screen was opened with, anything else is itself.
func (v *FlowView) Value(value any) any {
	text, ok := value.(string)
	if ref, is := strings.CutPrefix(text, "${"); ok && is && strings.HasSuffix(ref, "}") && isFlowRef(ref[:len(ref)-1]) {
		return v.named(ref[:len(ref)-1])
	}
	return value
}

// Given returns what was filled in of a component that is shown, or what it begins with; nil for nothing.
func (v *FlowView) Given(p *FlowPart) any { return v.given[p.Name] }

// Needed reports whether a component has to be filled in.
func (v *FlowView) Needed(p *FlowPart) bool { return v.flag(p.Required, false) && v.Enabled(p) }

// Enabled reports whether a component can be used.
func (v *FlowView) Enabled(p *FlowPart) bool { return v.flag(p.Enabled, true) }

// Options returns what a component lets choose from.
func (v *FlowView) Options(p *FlowPart) []FlowOption {
	var all []FlowOption
	if json.Unmarshal(p.Source, &all) == nil {
		return all
	}
	var ref string
	if json.Unmarshal(p.Source, &ref) != nil {
		return nil
	}
	b, err := json.Marshal(v.Value(ref))
	if err != nil || json.Unmarshal(b, &all) != nil {
		return nil
	}
	return all
}

// Text returns a text of a component, which may come from elsewhere, or be a list of lines.
func (v *FlowView) Text(value any) string {
	list, ok := v.Value(value).([]any)
	if !ok {
		return ShowFlowValue(v.Value(value))
	}
	lines := make([]string, len(list))
	for i, line := range list {
		lines[i] = ShowFlowValue(line)
	}
	return strings.Join(lines, "\n")
}

// next returns the component that leads on: the footer, or else any other; nil for none.
func (v *FlowView) next() (next *FlowPart) {
	for _, p := range v.Parts {
		if p.Click != nil && (next == nil || p.Type == "Footer") {
			next = p
		}
	}
	return next
}

// payload returns what an action says, with what is named in it.
func (v *FlowView) payload(a *FlowAction) map[string]any {
	payload := map[string]any{}
	for name, value := range a.Payload {
		payload[name] = v.Value(value)
	}
	return payload
}
