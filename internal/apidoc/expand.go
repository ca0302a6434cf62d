package apidoc

import (
	"fmt"
	"slices"
	"strings"
)

// methods are the members of a path that are operations.
var methods = []string{"get", "put", "post", "delete", "patch"}

// expand writes out the notes of ours, and takes them out of the document.
//
// x-errors of the document has "titles" of codes, and statuses with the codes that operations have in common: "always",
// "secured" for those that ask who calls, "roles" for those that ask for a role. x-errors of an operation has its own.
// Each status becomes a response whose schema admits these codes only. x-headers of the document has the headers of all
// answers ("*") and of those with a status. An operation with the x-errors "none" is left alone.
func expand(root *object) error {
	e := expander{errors: newObject(), headers: newObject()}
	if o, ok := root.remove("x-errors").(*object); ok {
		e.errors = o
	}
	if o, ok := root.remove("x-headers").(*object); ok {
		e.headers = o
	}
	for path, item := range root.object("paths").objects() {
		for _, method := range methods {
			op := item.object(method)
			if op == nil {
				continue
			}
			if err := e.operation(op); err != nil {
				return fmt.Errorf("%s %s: %w", strings.ToUpper(method), path, err)
			}
		}
	}
	return nil
}

type expander struct{ errors, headers *object }

func (e expander) operation(op *object) error {
	own := op.remove("x-errors")
	if own == "none" {
		return nil
	}
	groups := []*object{e.errors.object("always")}
	if o, ok := own.(*object); ok {
		groups = append(groups, o)
	}
	needs := op.list("security")
	if len(needs) > 0 {
		groups = append(groups, e.errors.object("secured"))
	}
	if slices.ContainsFunc(needs, hasRole) {
		groups = append(groups, e.errors.object("roles"))
	}
	responses := op.object("responses")
	if responses == nil {
		return fmt.Errorf("there are no responses")
	}
	codes := map[string][]any{}
	for _, g := range groups {
		for status, list := range g.all() {
			more, ok := list.([]any)
			if !ok || responses.get(status) != nil {
				return fmt.Errorf("the errors of status %s are no list, or stand in responses as well", status)
			}
			codes[status] = append(codes[status], more...)
		}
	}
	for _, status := range sortedKeys(codes) {
		answer, err := e.answer(codes[status])
		if err != nil {
			return fmt.Errorf("status %s: %w", status, err)
		}
		responses.set(status, answer)
	}
	e.addHeaders(responses)
	return nil
}

func sortedKeys(m map[string][]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// hasRole says whether a security requirement names a role.
func hasRole(requirement any) bool {
	o, _ := requirement.(*object)
	for _, roles := range o.all() {
		if list, _ := roles.([]any); len(list) > 0 {
			return true
		}
	}
	return false
}

// answer is the response that has one of the codes.
func (e expander) answer(codes []any) (*object, error) {
	codes = slices.Clone(codes)
	slices.SortFunc(codes, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	codes = slices.Compact(codes)
	lines := make([]string, len(codes))
	for i, c := range codes {
		title := e.errors.object("titles").text(fmt.Sprint(c))
		if title == "" {
			return nil, fmt.Errorf("the code %v has no title", c)
		}
		lines[i] = fmt.Sprintf("- %v %s", c, title)
	}
	only := of("properties", of("errors", of("items", of("properties", of("code", of("enum", codes))))))
	schema := of("allOf", []any{of("$ref", "#/components/schemas/Errors"), only})
	answer := of("description", strings.Join(lines, "\n"))
	answer.set("content", of("application/json", of("schema", schema)))
	return answer, nil
}

// of returns an object of one member.
func of(name string, value any) *object {
	o := newObject()
	o.set(name, value)
	return o
}

// addHeaders gives the answers what they have in common. One that refers to another has what that one has.
func (e expander) addHeaders(responses *object) {
	for status, answer := range responses.objects() {
		if answer.get("$ref") != nil {
			continue
		}
		for _, common := range []*object{e.headers.object("*"), e.headers.object(status)} {
			for name, header := range common.all() {
				if answer.object("headers") == nil {
					answer.set("headers", newObject())
				}
				answer.object("headers").set(name, header)
			}
		}
	}
}
