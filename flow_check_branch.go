package kabar

import (
	"slices"
	"strings"
)

// maxFlowIfs bounds how deep an If stands in others.
const maxFlowIfs = 3

// bounded reports whether the components of a screen can be looked at one by one: that takes as long as there are many, and those that
// stand deep have long places.
func (c *flowCheck) bounded(at string, s *FlowScreen) bool {
	count, depth := extent(s.Layout.Children)
	switch {
	case depth > maxFlowNesting:
		c.fault(flowBadValue, s.ID, "The layout at %q has components that stand in others %d deep, allowed are %d.", at, depth, maxFlowNesting)
	case count > maxFlowInside:
		c.fault(flowBadValue, s.ID, "The layout at %q has %d components with those within others, allowed are %d.", at, count, maxFlowInside)
	default:
		return true
	}
	return false
}

// extent counts components with those within, and how deep they stand in each other.
func extent(parts []FlowPart) (count, depth int) {
	for i := range parts {
		count++
		depth = max(depth, 1)
		for _, inner := range parts[i].branches() {
			n, deep := extent(inner)
			count, depth = count+n, max(depth, deep+1)
		}
	}
	return count, depth
}

// branches finds what is wrong with what decides which components a screen shows. names are those of its components.
func (c *flowCheck) branches(at string, s *FlowScreen, names map[string]bool) {
	c.footers(at, s.Layout.Children)
	c.deep(at, s.Layout.Children, 0)
	for p, where := range s.Parts() {
		where = at + "/" + where
		switch p.Type {
		case "If":
			c.condition(where, "condition", p.Condition, names)
			if len(p.Then) == 0 {
				c.fault(flowBadValue, "then", `The property "then" needs at least one component at %q.`, where)
			}
		case "Switch":
			if p.Value == nil {
				c.fault(flowMissing, p.Type, `The property "value" is required at %q.`, where)
			}
			if len(p.Cases) == 0 {
				c.fault(flowMissing, p.Type, `The property "cases" needs at least one case at %q.`, where)
			}
		}
		for _, of := range []struct {
			property string
			value    any
		}{{"visible", p.Visible}, {"required", p.Required}, {"enabled", p.Enabled}} {
			if text, ok := of.value.(string); ok && !isDataRef(text) {
				c.condition(where, of.property, text, names)
			}
		}
	}
	for a, where := range s.choosing() {
		if a.Name != FlowExchange && a.Name != FlowUpdate {
			c.fault(flowBadValue, a.Name, "The action %.40q at %q is neither %s nor %s.", a.Name, at+"/"+where, FlowExchange, FlowUpdate)
		}
	}
}

// condition finds what is wrong with a condition.
func (c *flowCheck) condition(at, property, text string, names map[string]bool) {
	if strings.TrimSpace(text) == "" {
		c.fault(flowBadValue, property, "The property %q at %q needs a condition.", property, at)
		return
	}
	read, err := readFlowCondition(text)
	if err != nil {
		c.fault(flowBadValue, text, "The property %q at %q cannot be read: %v.", property, at, err)
		return
	}
	for _, ref := range read.refs {
		if name, ok := strings.CutPrefix(ref, "form."); ok && !names[name] {
			c.fault(flowBadValue, text, "The property %q at %q names %.40q, and the screen has no such component.", property, at, ref)
		}
	}
}

// deep finds an If that stands too deep in others.
func (c *flowCheck) deep(at string, parts []FlowPart, within int) {
	for i := range parts {
		depth := within
		if parts[i].Type == "If" {
			depth++
		}
		if depth > maxFlowIfs {
			c.fault(flowBadValue, "If", "At %q an If stands in more than %d others.", at, maxFlowIfs-1)
			return
		}
		for _, inner := range parts[i].branches() {
			c.deep(at, inner, depth)
		}
	}
}

// footers counts the footers that are shown of components: whatever is decided, one at most, and the same number.
func (c *flowCheck) footers(at string, parts []FlowPart) (count int) {
	for i := range parts {
		p := &parts[i]
		switch p.Type {
		case "Footer":
			count++
		case "If":
			count += c.branched(at, flowNoFooter, p, c.footers(at, p.Then), c.footers(at, p.Else))
		case "Switch":
			var of []int
			for _, parts := range p.Cases {
				of = append(of, c.footers(at, parts))
			}
			if len(p.Default) > 0 {
				of = append(of, c.footers(at, p.Default))
			}
			count += c.branched(at, flowNoFooterIn, p, of...)
		default:
			count += c.footers(at, p.Children)
		}
	}
	if count > 1 {
		c.fault(flowFooters, "Footer", "At %q more than one Footer is shown.", at)
		count = 1
	}
	return count
}

// branched wants a footer in all branches of a component or in none.
func (c *flowCheck) branched(at, kind string, p *FlowPart, of ...int) int {
	if len(of) == 0 {
		return 0
	}
	if slices.Min(of) != slices.Max(of) {
		c.fault(kind, p.Type, "Of the %s at %q some branches have a Footer, and others have none.", p.Type, at)
	}
	return slices.Max(of)
}
