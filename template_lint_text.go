package kabar

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode"
)

// TemplateExample is what a reviewer sees in the place of variables and media.
type TemplateExample struct {
	Body        []string       `json:"-"` // body_text; the Graph API wraps it in another list, or does not
	Header      []string       `json:"header_text"`
	Handle      []string       `json:"header_handle"` // of an upload
	Links       []string       `json:"header_url"`    // or where the medium is
	BodyNamed   []NamedExample `json:"body_text_named_params"`
	HeaderNamed []NamedExample `json:"header_text_named_params"`
}

// NamedExample is an example of a named variable.
type NamedExample struct {
	Name  string `json:"param_name"`
	Value string `json:"example"`
}

// UnmarshalJSON also takes body_text as a flat list.
func (x *TemplateExample) UnmarshalJSON(b []byte) error {
	type plain TemplateExample
	if err := json.Unmarshal(b, (*plain)(x)); err != nil {
		return err
	}
	var raw struct {
		Body rawJSON `json:"body_text"`
	}
	if err := json.Unmarshal(b, &raw); err != nil || len(raw.Body) == 0 {
		return err
	}
	if json.Unmarshal(raw.Body, &x.Body) == nil {
		return nil
	}
	var nested [][]string
	if err := json.Unmarshal(raw.Body, &nested); err != nil {
		return err
	}
	x.Body = nil
	if len(nested) > 0 {
		x.Body = nested[0]
	}
	return nil
}

// badExample says what form the example of a part must have.
const badExample = `has another form than {"%s":["…"]}`

// Examples returns what a part gives as examples.
func (c *TemplateComponent) Examples() (x TemplateExample, err error) {
	if len(c.Example) > 0 {
		err = json.Unmarshal(c.Example, &x)
	}
	return x, err
}

// line checks a text that is shown in one line.
func (c *defCheck) line(rule TemplateRule, field, s string) {
	if strings.ContainsFunc(s, unicode.IsControl) {
		c.fault(RuleCharacters, field, "has a line break or another control character")
	}
	if rule == RuleFooter || rule == RuleHeader {
		c.braces(field, s)
	}
}

// braces finds what was meant as a variable and is none.
func (c *defCheck) braces(field, s string) {
	rest := substitute(s, func(string) string { return "x" })
	if _, after, ok := strings.Cut(rest, "{{"); ok {
		name, _, _ := strings.Cut(after, "}}")
		c.fault(RuleVariables, field, "has {{%.40s}}, which is no variable: a name has a-z, 0-9 and _", name)
	} else if strings.Contains(rest, "}}") {
		c.fault(RuleVariables, field, "has }} without {{ before it")
	}
}

// prose checks a text with variables: their place, their number, their form, and their examples.
func (c *defCheck) prose(field string, part *TemplateComponent, body bool) {
	path, s := field+".text", part.Text
	names := placeholders(s)
	c.format(path, names)
	c.braces(path, s)
	if body && (strings.Contains(s, "\t") || strings.Contains(s, "     ") || strings.Contains(s, "\n\n\n")) {
		c.fault(RuleCharacters, path, "has a tab, more than four spaces, or more than two line breaks in a row")
	}
	if len(names) > 0 {
		c.edges(path, s)
	}
	x, err := part.Examples()
	switch {
	case err != nil && body:
		c.fault(RuleExample, field+".example", badExample, "body_text")
	case err != nil:
		c.fault(RuleExample, field+".example", badExample, "header_text")
	case body:
		c.examples(field+".example", "body_text", names, x.Body, x.BodyNamed)
	default:
		c.examples(field+".example", "header_text", names, x.Header, x.HeaderNamed)
	}
}

// format checks that variables are of the format that the template says.
func (c *defCheck) format(path string, names []string) {
	if len(names) == 0 {
		return
	}
	_, positional := arity(names)
	if positional && c.def.ParameterFormat == Named {
		c.fault(RuleVariables, path, "numbers its variables, and parameter_format is NAMED")
	}
	if !positional && c.def.ParameterFormat != Named {
		c.fault(RuleVariables, path, "names its variables, and parameter_format is POSITIONAL")
	}
}

func (c *defCheck) edges(path, s string) {
	const mark = "\x00" // no text may hold it
	marked := strings.TrimSpace(substitute(s, func(string) string { return mark }))
	if strings.HasPrefix(marked, mark) || strings.HasSuffix(marked, mark) {
		c.fault(RuleVariableEdge, path, "begins or ends with a variable")
	}
	if adjoin(marked, mark) {
		c.fault(RuleVariablesAdjoin, path, "has two variables with nothing between them")
	}
	words := 0
	for w := range strings.FieldsSeq(strings.ReplaceAll(marked, mark, " ")) {
		if strings.ContainsFunc(w, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
			words += wordsOf(w)
		}
	}
	if n := strings.Count(marked, mark); words < 2*n+1 {
		c.fault(RuleVariableRatio, path, "has %d variables and %d words beside them; there must be %d", n, words, 2*n+1)
	}
}

// wordsOf counts a run of letters as one word, and in scripts that put no spaces between words two characters as one.
func wordsOf(run string) int {
	dense := 0
	for _, r := range run {
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer) {
			dense++
		}
	}
	return max(1, dense/2)
}

// adjoin reports whether two marks have nothing but white space between them.
func adjoin(s, mark string) bool {
	parts := strings.Split(s, mark)
	return slices.ContainsFunc(parts[1:len(parts)-1], func(p string) bool { return strings.TrimSpace(p) == "" })
}

// examples checks that each variable has an example and nothing else has.
func (c *defCheck) examples(field, of string, names, values []string, named []NamedExample) {
	if _, positional := arity(names); positional {
		if len(values) != len(names) {
			c.fault(RuleExample, field, "has %d values in %s, the text has %d variables", len(values), of, len(names))
		} else if slices.Contains(values, "") {
			c.fault(RuleExample, field, "has an empty value in %s", of)
		}
		return
	}
	for _, name := range names {
		if !slices.ContainsFunc(named, func(x NamedExample) bool { return x.Name == name && x.Value != "" }) {
			c.fault(RuleExample, field, "has no value for {{%s}} in %s_named_params", name, of)
		}
	}
	if len(named) > len(names) {
		c.fault(RuleExample, field, "has %d values in %s_named_params, the text has %d variables", len(named), of, len(names))
	}
}

// strictHeader checks a header as review does.
func (c *defCheck) strictHeader(field string, part *TemplateComponent) {
	switch part.Format {
	case "", FormatText:
		c.prose(field, part, false)
		c.line("", field+".text", part.Text)
	case FormatImage, FormatVideo, FormatDocument, FormatGIF:
		x, err := part.Examples()
		if err != nil {
			c.fault(RuleExample, field+".example", badExample, "header_handle")
		} else if len(x.Handle)+len(x.Links) != 1 {
			c.fault(RuleExample, field+".example", "needs the %s in header_handle, the handle of an upload, or in header_url", strings.ToLower(part.Format))
		}
		if part.Format == FormatGIF && c.def.Category != CategoryMarketing {
			c.fault(RuleHeader, field+".format", "is GIF, which only MARKETING has")
		}
	case FormatLocation:
		if len(part.Example) > 0 {
			c.fault(RuleExample, field+".example", "has no place in a location")
		}
	}
	if part.Text != "" && part.Format != "" && part.Format != FormatText {
		c.fault(RuleHeader, field+".text", "has no place in a header of format %s", part.Format)
	}
}

// buttonExample returns the examples of a button: a string, or a list of strings.
func buttonExample(raw rawJSON) ([]string, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}, nil
	}
	var all []string
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, errors.New("must be a string or a list of strings")
	}
	return all, nil
}
