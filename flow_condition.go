package kabar

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A condition of a flow compares what was filled in and what the screen was opened with: "(${form.age} >= 18) && !${data.closed}".
// It has == and != for values of one kind, < <= > >= for numbers, && || ! for what is true or false, parentheses, numbers, true and
// false, strings in single quotes, and names in ${}. In a property that need not be a condition it stands in backquotes.

// Bounds of a condition.
const (
	maxFlowDepth     = 32   // how deep it nests
	maxFlowCondition = 2000 // bytes
)

// flowExpr is a part of a condition.
type flowExpr struct {
	literal bool // it is the same whatever was filled in
	of      func(named func(ref string) any) any
}

// flowCondition is a condition that was read.
type flowCondition struct {
	flowExpr
	refs []string // the names within: "form.age"
}

// holds reports whether the condition is true.
func (c *flowCondition) holds(named func(ref string) any) bool { return flowTruth(c.of(named)) }

// flowParser reads a condition from its beginning to its end.
type flowParser struct {
	text  string
	at    int
	depth int
	refs  []string
}

// readFlowCondition reads a condition. What is wrong is said for whoever wrote it.
func readFlowCondition(text string) (*flowCondition, error) {
	if inner, ok := backquoted(text); ok {
		text = inner
	}
	if len(text) > maxFlowCondition {
		return nil, fmt.Errorf("it has %d bytes, the limit is %d", len(text), maxFlowCondition)
	}
	p := &flowParser{text: text}
	e, err := p.either()
	switch {
	case err != nil:
		return nil, err
	case !p.ended():
		return nil, p.fault("is not expected")
	case e.literal:
		return nil, errors.New("names nothing that could decide it, such as ${form.x}")
	}
	return &flowCondition{e, p.refs}, nil
}

func backquoted(text string) (inner string, ok bool) {
	inner, ok = strings.CutPrefix(text, "`")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(inner, "`")
}

// fault says what is wrong at the present place.
func (p *flowParser) fault(format string, args ...any) error {
	what := "its end"
	if !p.ended() {
		what = fmt.Sprintf("%.20q at column %d", p.text[p.at:], p.at+1)
	}
	return fmt.Errorf("%s %s", what, fmt.Sprintf(format, args...))
}

// ended skips blanks, and reports whether nothing follows.
func (p *flowParser) ended() bool {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t' || p.text[p.at] == '\n' || p.text[p.at] == '\r') {
		p.at++
	}
	return p.at == len(p.text)
}

// takes takes the first of the signs that stands here; empty when none does.
func (p *flowParser) takes(signs ...string) string {
	if p.ended() {
		return ""
	}
	for _, sign := range signs {
		if strings.HasPrefix(p.text[p.at:], sign) {
			p.at += len(sign)
			return sign
		}
	}
	return ""
}

func (p *flowParser) either() (flowExpr, error) {
	return p.joined(p.both, func(a, b func() any) any { return flowTruth(a()) || flowTruth(b()) }, "||")
}

func (p *flowParser) both() (flowExpr, error) {
	return p.joined(p.equality, func(a, b func() any) any { return flowTruth(a()) && flowTruth(b()) }, "&&")
}

func (p *flowParser) equality() (flowExpr, error) {
	left, err := p.order()
	for err == nil {
		sign := p.takes("==", "!=")
		if sign == "" {
			break
		}
		left, err = p.compared(left, p.order, func(a, b any) any { return flowEqual(a, b) == (sign == "==") })
	}
	return left, err
}

func (p *flowParser) order() (flowExpr, error) {
	left, err := p.not()
	if err != nil {
		return left, err
	}
	switch p.takes("<=", ">=", "<", ">") { // each before its beginning
	case "<=":
		return p.compared(left, p.not, func(a, b any) any { return flowOrder(a, b, -1, 0) })
	case ">=":
		return p.compared(left, p.not, func(a, b any) any { return flowOrder(a, b, 1, 0) })
	case "<":
		return p.compared(left, p.not, func(a, b any) any { return flowOrder(a, b, -1) })
	case ">":
		return p.compared(left, p.not, func(a, b any) any { return flowOrder(a, b, 1) })
	}
	return left, nil
}

// joined reads what a sign joins. What is on its right is looked at only when that decides.
func (p *flowParser) joined(operand func() (flowExpr, error), op func(a, b func() any) any, sign string) (flowExpr, error) {
	left, err := operand()
	for err == nil && p.takes(sign) != "" {
		var right flowExpr
		if right, err = operand(); err != nil {
			break
		}
		a, b := left, right
		left = flowExpr{a.literal && b.literal, func(named func(string) any) any {
			return op(func() any { return a.of(named) }, func() any { return b.of(named) })
		}}
	}
	return left, err
}

// compared reads the right side of a comparison. One of the sides names something, or else it would always come to the same.
func (p *flowParser) compared(left flowExpr, operand func() (flowExpr, error), op func(a, b any) any) (flowExpr, error) {
	begin := p.at
	right, err := operand()
	if err == nil && left.literal && right.literal {
		p.at = begin
		return left, p.fault("cannot be compared: on neither side is a name, such as ${form.x}")
	}
	return flowExpr{false, func(named func(string) any) any { return op(left.of(named), right.of(named)) }}, err
}

func (p *flowParser) not() (flowExpr, error) {
	if p.ended() || p.text[p.at] != '!' {
		return p.operand()
	}
	p.at++
	e, err := p.deeper(p.not)
	return flowExpr{e.literal, func(named func(string) any) any { return !flowTruth(e.of(named)) }}, err
}

func (p *flowParser) deeper(read func() (flowExpr, error)) (flowExpr, error) {
	if p.depth++; p.depth > maxFlowDepth {
		return flowExpr{}, p.fault("nests too deep: %d is the limit", maxFlowDepth)
	}
	defer func() { p.depth-- }()
	return read()
}

func (p *flowParser) operand() (flowExpr, error) {
	switch p.takes("(", "'", "${") {
	case "(":
		e, err := p.deeper(p.either)
		if err == nil && p.takes(")") == "" {
			err = p.fault("stands where a closing parenthesis is missing")
		}
		return e, err
	case "'":
		text, err := p.until('\'', "a closing quote")
		return constant(text), err
	case "${":
		ref, err := p.until('}', "a closing brace")
		if err == nil && !isFlowRef(ref) {
			return flowExpr{}, fmt.Errorf("${%.40s} names nothing: want ${data.x}, ${form.x} or ${screen.S.form.x}", ref)
		}
		if !slices.Contains(p.refs, ref) {
			p.refs = append(p.refs, ref)
		}
		return flowExpr{false, func(named func(string) any) any { return named(ref) }}, err
	}
	return p.word()
}

// until reads up to a sign.
func (p *flowParser) until(sign byte, what string) (string, error) {
	n := strings.IndexByte(p.text[p.at:], sign)
	if n < 0 {
		return "", fmt.Errorf("%s is missing", what)
	}
	text := p.text[p.at : p.at+n]
	p.at += n + 1
	return text, nil
}

// word reads a number, true or false.
func (p *flowParser) word() (flowExpr, error) {
	n := strings.IndexFunc(p.text[p.at:], func(r rune) bool { return !strings.ContainsRune("-.0123456789aeflrstu", r) })
	if n < 0 {
		n = len(p.text) - p.at
	}
	word := p.text[p.at : p.at+n]
	if word == "true" || word == "false" {
		p.at += n
		return constant(word == "true"), nil
	}
	number, err := strconv.ParseFloat(word, 64)
	if err != nil || strings.ContainsAny(word, "aeflrstu") {
		return flowExpr{}, p.fault("stands where a value is expected")
	}
	p.at += n
	return constant(number), nil
}

func constant(v any) flowExpr {
	return flowExpr{true, func(func(string) any) any { return v }}
}

// isFlowRef reports whether a name within ${} leads to data, to something filled in, or to either of another screen.
func isFlowRef(ref string) bool {
	path := strings.Split(ref, ".")
	if path[0] == "screen" && len(path) > 2 {
		path = path[2:]
	}
	return len(path) > 1 && (path[0] == "data" || path[0] == "form") && !slices.Contains(path, "")
}
