package kabar

import (
	"maps"
	"slices"
)

// Choose does what the components do when something else is chosen in them than before, so that values are what is filled in now. It
// returns the data of the screen from then on, and what the business's server is to be asked; nil for nothing.
func (s *FlowScreen) Choose(data map[string]any, answers FlowAnswers, values map[string]any) (shown, asked map[string]any) {
	before := s.View(data, answers)
	now := maps.Clone(answers)
	if now == nil {
		now = FlowAnswers{}
	}
	now[s.ID] = values
	after := s.View(data, now)
	shown = maps.Clone(data)
	for _, p := range after.Parts {
		for _, a := range p.chosen(before.given[p.Name], after.given[p.Name], after.Options(p)) {
			switch a.Name {
			case FlowUpdate:
				if shown == nil {
					shown = map[string]any{}
				}
				maps.Copy(shown, after.payload(a))
			case FlowExchange:
				asked = after.payload(a)
			}
		}
	}
	return shown, asked
}

// chosen returns what a component does when its answer is another one, in the order in which it is done.
func (p *FlowPart) chosen(before, after any, options []FlowOption) (does []*FlowAction) {
	was, is := chosenIDs(before), chosenIDs(after)
	gone := slices.DeleteFunc(slices.Clone(was), func(id string) bool { return slices.Contains(is, id) })
	added := slices.DeleteFunc(slices.Clone(is), func(id string) bool { return slices.Contains(was, id) })
	do := func(a *FlowAction, when bool) {
		if a != nil && when {
			does = append(does, a)
		}
	}
	for i := range options {
		do(options[i].Unselect, slices.Contains(gone, options[i].ID))
	}
	do(p.Unselect, len(gone) > 0 && len(added) == 0)
	for i := range options {
		do(options[i].Select, slices.Contains(added, options[i].ID))
	}
	do(p.Select, len(added) > 0)
	return does
}

// chosenIDs lists what an answer consists of.
func chosenIDs(v any) (ids []string) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, one := range list {
		if id := flowWord(one); id != "" && one != false {
			ids = append(ids, id)
		}
	}
	return ids
}
