package kabar

import (
	"fmt"
	"slices"
	"strings"
)

// FlowAnswers are what a customer has filled in: by the id of the screen, then by the name of the component.
type FlowAnswers map[string]map[string]any

// Begin returns the screen that a message opens the flow with, and its data: what the message brings, or else examples; nil when
// there is no such screen.
func (f *FlowForm) Begin(screen string, data map[string]any) (*FlowScreen, map[string]any) {
	s := f.Screen(screen)
	if s == nil {
		return nil, nil
	}
	if data == nil {
		data = s.Examples()
	}
	return s, data
}

// Exchanges reports whether the flow asks the business's server on its way, so that it cannot be filled in without it.
func (f *FlowForm) Exchanges() bool {
	for i := range f.Screens {
		for p := range f.Screens[i].Parts() {
			if p.Click != nil && p.Click.Name == FlowExchange {
				return true
			}
		}
	}
	return false
}

// Branches reports whether what the customer has answered decides what a screen shows or where it leads: nobody here reads conditions.
func (f *FlowForm) Branches() bool {
	for i := range f.Screens {
		for p := range f.Screens[i].Parts() {
			if p.Type == "If" || p.Type == "Switch" || p.conditional() {
				return true
			}
		}
	}
	return false
}

// conditional reports whether the component is shown by a condition, rather than always, never, or as the data say.
func (p *FlowPart) conditional() bool {
	text, ok := p.Visible.(string)
	return ok && !isDataRef(text)
}

// Hidden reports whether the component is not shown with the data.
func (p *FlowPart) Hidden(data map[string]any) bool {
	shown, told := FlowValue(p.Visible, data).(bool)
	return told && !shown
}

// Needed reports whether the component has to be filled in with the data.
func (p *FlowPart) Needed(data map[string]any) bool {
	needed, _ := FlowValue(p.Required, data).(bool)
	return needed && !p.Hidden(data)
}

// Complete follows the flow from the screen it begins with to its end, and returns what the business gets: the payload with which it
// is completed. What has to be filled in and is not is ReasonMissing.
func (f *FlowForm) Complete(screen string, data map[string]any, answers FlowAnswers) (map[string]any, error) {
	if f.Branches() {
		return nil, fault(ReasonInvalid, "", "the flow branches by conditions, which are not read here: answer with its response")
	}
	s, data := f.Begin(screen, data)
	for range maxFlowScreens {
		if s == nil {
			return nil, fault(ReasonInvalid, "screen", "the flow has no screen %.40q", screen)
		}
		click, payload, err := s.Leave(data, answers)
		if err != nil {
			return nil, err
		}
		switch click.Name {
		case FlowComplete:
			return payload, nil
		case FlowNavigate:
			screen = click.Next.Name
			s, data = f.Navigate(screen, payload)
		default:
			return nil, fault(ReasonInvalid, s.ID, "the screen leads on by %.40q, for which the business's server is needed", click.Name)
		}
	}
	return nil, fault(ReasonInvalid, "", "the flow has no end")
}

// Navigate returns the screen that another one leads to, and its data: the payload of that one, or else examples.
func (f *FlowForm) Navigate(screen string, payload map[string]any) (*FlowScreen, map[string]any) {
	s := f.Screen(screen)
	if len(payload) == 0 && s != nil {
		payload = s.Examples()
	}
	return s, payload
}

// Leave returns what the customer does at the end of the screen, with the payload that follows from the answers. What has to be filled
// in and is not is ReasonMissing.
func (s *FlowScreen) Leave(data map[string]any, answers FlowAnswers) (*FlowAction, map[string]any, error) {
	if err := s.checkAnswers(data, answers[s.ID]); err != nil {
		return nil, nil, err
	}
	click := s.next()
	if click == nil {
		return nil, nil, fault(ReasonInvalid, s.ID, "the screen leads nowhere")
	}
	payload := map[string]any{}
	for name, v := range click.Payload {
		payload[name] = flowRef(v, s.ID, data, answers)
	}
	return click, payload, nil
}

// Path returns the screens that a customer sees one after another, from the one the flow is opened with.
func (f *FlowForm) Path(first *FlowScreen) (path []*FlowScreen) {
	for s := first; s != nil && !slices.Contains(path, s); {
		path = append(path, s)
		click := s.next()
		if click == nil || click.Name != FlowNavigate {
			break
		}
		s = f.Screen(click.Next.Name)
	}
	return path
}

// next returns what the footer of the screen does, or else any other component that leads on; nil for nothing.
func (s *FlowScreen) next() (click *FlowAction) {
	for p := range s.Parts() {
		if p.Click != nil && (click == nil || p.Type == "Footer") {
			click = p.Click
		}
	}
	return click
}

// checkAnswers wants everything that is required.
func (s *FlowScreen) checkAnswers(data, given map[string]any) error {
	for p := range s.Parts() {
		if p.Name == "" || !p.Needed(data) {
			continue
		}
		switch v := given[p.Name].(type) {
		case nil:
		case string:
			if v != "" {
				continue
			}
		case bool:
			if v {
				continue
			}
		case []any:
			if len(v) > 0 {
				continue
			}
		default:
			continue
		}
		return fault(ReasonMissing, s.ID+"."+p.Name, "is required: %v", p.Label)
	}
	return nil
}

// flowRef returns what a value of a payload means: "${form.x}" is the answer x of the screen, "${screen.S.form.x}" that of another
// one, "${data.x}" what the screen was opened with.
func flowRef(v any, screen string, data map[string]any, answers FlowAnswers) any {
	text, ok := v.(string)
	if !ok || !strings.HasPrefix(text, "${") || !strings.HasSuffix(text, "}") {
		return v
	}
	path := strings.Split(text[2:len(text)-1], ".")
	switch {
	case path[0] == "form" && len(path) == 2:
		return answers[screen][path[1]]
	case path[0] == "screen" && len(path) == 4 && path[2] == "form":
		return answers[path[1]][path[3]]
	}
	return FlowValue(v, data)
}

// FlowText returns a text of a component, which may come from data, or be a list of lines.
func FlowText(v any, data map[string]any) string {
	switch v := FlowValue(v, data).(type) {
	case nil:
		return ""
	case []any:
		lines := make([]string, len(v))
		for i, line := range v {
			lines[i] = fmt.Sprint(line)
		}
		return strings.Join(lines, "\n")
	default:
		return fmt.Sprint(v)
	}
}
