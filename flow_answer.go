package kabar

import "slices"

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
		for a := range f.Screens[i].choosing() {
			if a.Name == FlowExchange {
				return true
			}
		}
	}
	return false
}

// Branches reports whether what the customer answers decides what a screen shows or where it leads.
func (f *FlowForm) Branches() bool {
	return slices.ContainsFunc(f.Screens, func(s FlowScreen) bool { return s.Branches() })
}

// Branches reports whether what is filled in decides what the screen shows or where it leads.
func (s *FlowScreen) Branches() bool {
	for p := range s.Parts() {
		if p.Type == "If" || p.Type == "Switch" || conditional(p.Visible) || conditional(p.Required) || conditional(p.Enabled) {
			return true
		}
	}
	for range s.choosing() {
		return true
	}
	return false
}

// choosing returns what the components of the screen and their options do when something is chosen, and where those stand. Options
// that data bring are those of the examples, and are looked at once for all components that have them.
func (s *FlowScreen) choosing() func(yield func(*FlowAction, string) bool) {
	return func(yield func(*FlowAction, string) bool) {
		v, seen := &FlowView{data: s.Examples()}, map[string]bool{}
		for p, where := range s.Parts() {
			all := []*FlowAction{p.Select, p.Unselect}
			if source := string(p.Source); !seen[source] {
				seen[source] = true
				for _, o := range v.Options(p) {
					all = append(all, o.Select, o.Unselect)
				}
			}
			for _, a := range all {
				if a != nil && !yield(a, where) {
					return
				}
			}
		}
	}
}

// conditional reports whether a property follows from what was answered, rather than being fixed or as the data say.
func conditional(v any) bool {
	text, ok := v.(string)
	return ok && !isDataRef(text)
}

// Complete follows the flow from the screen it begins with to its end, and returns what the business gets: the payload with which it
// is completed. What has to be filled in and is not is ReasonMissing.
func (f *FlowForm) Complete(screen string, data map[string]any, given FlowAnswers) (map[string]any, error) {
	s, data := f.Begin(screen, data)
	answers := FlowAnswers{}
	for range maxFlowScreens {
		if s == nil {
			return nil, fault(ReasonInvalid, "screen", "the flow has no screen %.40q", screen)
		}
		data, _ = s.Choose(data, answers, given[s.ID])
		if values := given[s.ID]; values != nil {
			answers[s.ID] = values
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
// in and is not is ReasonMissing; only what the screen shows is asked for. Answers keep of the screen what was shown.
func (s *FlowScreen) Leave(data map[string]any, answers FlowAnswers) (*FlowAction, map[string]any, error) {
	v := s.View(data, answers)
	if err := v.check(); err != nil {
		return nil, nil, err
	}
	next := v.next()
	switch {
	case next == nil:
		return nil, nil, fault(ReasonInvalid, s.ID, "the screen leads nowhere")
	case !v.Enabled(next):
		return nil, nil, fault(ReasonInvalid, s.ID, "the screen cannot be left as it is filled in")
	}
	answers[s.ID] = v.given
	return next.Click, v.payload(next.Click), nil
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

// check wants everything that is required.
func (v *FlowView) check() error {
	for _, p := range v.Parts {
		if p.Name != "" && v.Needed(p) && !flowAnswered(v.Given(p)) {
			return fault(ReasonMissing, v.screen.ID+"."+p.Name, "is required: %s", v.Text(p.Label))
		}
	}
	return nil
}

// flowAnswered reports whether something was filled in: zero is.
func flowAnswered(v any) bool {
	_, number := v.(float64)
	return number || flowTruth(v)
}
