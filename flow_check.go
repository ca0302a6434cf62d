package kabar

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// FlowFault is a fault in what a flow consists of, in the terms of the API. Lines and columns count from 1.
type FlowFault struct {
	Error       string `json:"error"`
	Type        string `json:"error_type"`
	Message     string `json:"message"`
	LineStart   int    `json:"line_start"`
	LineEnd     int    `json:"line_end"`
	ColumnStart int    `json:"column_start"`
	ColumnEnd   int    `json:"column_end"`
}

// The kinds of faults.
const (
	flowBadJSON    = "INVALID_JSON"
	flowBadKind    = "INVALID_PROPERTY_TYPE"
	flowBadValue   = "INVALID_PROPERTY_VALUE"
	flowMissing    = "REQUIRED_PROPERTY_MISSING"
	flowUnknown    = "INVALID_COMPONENT"
	flowTwice      = "DUPLICATE_SCREEN_ID"
	flowNoEnd      = "MISSING_TERMINAL_SCREEN"
	flowNoWay      = "INVALID_NAVIGATION"
	flowNoFooter   = "MISSING_FOOTER_IN_IF_ELSE_BRANCHES"
	flowNoFooterIn = "MISSING_FOOTER_IN_SWITCH_BRANCHES"
	flowFooters    = "MORE_THAN_ONE_FOOTER"
	flowSchema     = "JSON_SCHEMA_ERROR"
	flowSyntax     = "JSON_SYNTAX_ERROR"
	maxFlowFaults  = 50
	maxFlowScreens = 100
	maxFlowParts   = 50  // of a screen
	maxFlowInside  = 250 // of a screen, with those within others
	maxFlowNesting = 10  // how deep a component stands in others
)

// flowComponents are the components that a screen can have.
var flowComponents = []string{"TextHeading", "TextSubheading", "TextBody", "TextCaption", "RichText", "TextInput", "TextArea", "CheckboxGroup",
	"ChipsSelector", "RadioButtonsGroup", "Footer", "OptIn", "Dropdown", "EmbeddedLink", "DatePicker", "CalendarPicker", "Image", "ImageCarousel",
	"PhotoPicker", "DocumentPicker", "NavigationList", "If", "Switch", "Form"}

// flowNamed are the components that ask for something, and so have a name.
var flowNamed = []string{"TextInput", "TextArea", "CheckboxGroup", "ChipsSelector", "RadioButtonsGroup", "OptIn", "Dropdown", "DatePicker",
	"CalendarPicker", "PhotoPicker", "DocumentPicker"}

var flowVersion = regexp.MustCompile(`^[2-9]\.[0-9]$`)

// ParseFlow reads what a flow consists of, and finds what is wrong with it. Without faults it can be shown.
func ParseFlow(text string) (*FlowForm, []FlowFault) {
	c := &flowCheck{text: text}
	form := &FlowForm{}
	var root map[string]any
	if err := json.Unmarshal([]byte(text), &root); err != nil {
		c.syntax(err)
		return form, c.faults
	}
	if err := json.Unmarshal([]byte(text), form); err != nil {
		c.syntax(err)
		return form, c.faults
	}
	c.form(form)
	return form, c.faults
}

// flowCheck gathers the faults of a text.
type flowCheck struct {
	text   string
	faults []FlowFault
}

// fault notes a fault at the first place where a word stands in the text, as a JSON string; at its beginning when it stands nowhere.
func (c *flowCheck) fault(kind, word, message string, args ...any) {
	if len(c.faults) == maxFlowFaults {
		return
	}
	from, to := 0, 1
	for _, quoted := range quotations(word) {
		if i := strings.Index(c.text, quoted); i >= 0 {
			from, to = i, i+len(quoted)
			break
		}
	}
	c.at(kind, flowSchema, from, to, fmt.Sprintf(message, args...))
}

// quotations returns how a word may stand in the text: & and < are seldom escaped.
func quotations(word string) []string {
	if word == "" {
		return nil
	}
	escaped, _ := json.Marshal(word) // a string can be written
	return []string{strings.NewReplacer(`\u0026`, "&", `\u003c`, "<", `\u003e`, ">").Replace(string(escaped)), string(escaped)}
}

func (c *flowCheck) at(kind, of string, from, to int, message string) {
	if len(c.faults) == maxFlowFaults {
		return
	}
	f := FlowFault{Error: kind, Type: of, Message: message}
	f.LineStart, f.ColumnStart = lineOf(c.text, from)
	f.LineEnd, f.ColumnEnd = lineOf(c.text, to)
	c.faults = append(c.faults, f)
}

// lineOf returns the line and the column of an offset.
func lineOf(text string, offset int) (line, column int) {
	before := text[:min(max(offset, 0), len(text))]
	return 1 + strings.Count(before, "\n"), len(before) - strings.LastIndexByte(before, '\n')
}

// syntax notes what keeps the text from being read.
func (c *flowCheck) syntax(err error) {
	switch e := err.(type) { //nolint:errorlint // encoding/json wraps neither
	case *json.SyntaxError:
		c.at(flowBadJSON, flowSyntax, int(e.Offset)-1, int(e.Offset), "The file is not JSON: "+e.Error()+".")
	case *json.UnmarshalTypeError:
		message := fmt.Sprintf("The property %q cannot be %s.", e.Field, WithArticle(e.Value))
		if e.Field == "" {
			message = "The file must be an object, and is " + WithArticle(e.Value) + "."
		}
		c.at(flowBadKind, flowSchema, int(e.Offset)-1, int(e.Offset), message)
	default:
		c.at(flowBadJSON, flowSyntax, 0, 1, "The file is not JSON.")
	}
}

func (c *flowCheck) form(f *FlowForm) {
	switch {
	case f.Version == "":
		c.fault(flowMissing, "", `The property "version" is required.`)
	case !flowVersion.MatchString(f.Version):
		c.fault(flowBadValue, f.Version, `The "version" %.20q is not known: 2.0 to 9.9 are.`, f.Version)
	}
	if f.DataAPI != "" && f.DataAPI != "3.0" {
		c.fault(flowBadValue, f.DataAPI, `The "data_api_version" %.20q is not known: 3.0 is.`, f.DataAPI)
	}
	switch n := len(f.Screens); {
	case n == 0:
		c.fault(flowMissing, "screens", `The property "screens" needs at least one screen.`)
		return
	case n > maxFlowScreens:
		c.fault(flowBadValue, "screens", `The property "screens" has %d screens, the limit is %d.`, n, maxFlowScreens)
		return
	}
	ids, ends := map[string]bool{}, false
	for i := range f.Screens {
		s := &f.Screens[i]
		if ids[s.ID] {
			c.fault(flowTwice, s.ID, "There are two screens with the id %.40q.", s.ID)
		}
		ids[s.ID] = true
		ends = ends || s.Terminal
	}
	for i := range f.Screens {
		c.screen(i, &f.Screens[i], ids)
	}
	if !ends {
		c.fault(flowNoEnd, "", `No screen is "terminal": the flow could not be ended.`)
	}
}

var flowScreenID = regexp.MustCompile(`^[A-Za-z_]{1,80}$`)

func (c *flowCheck) screen(i int, s *FlowScreen, ids map[string]bool) {
	at := fmt.Sprintf("$root/screens/%d", i)
	switch {
	case s.ID == "":
		c.fault(flowMissing, "", `The property "id" is required at %q.`, at)
	case !flowScreenID.MatchString(s.ID) || s.ID == "SUCCESS":
		c.fault(flowBadValue, s.ID, `The id %.40q at %q may have letters and underscores only, and cannot be SUCCESS.`, s.ID, at)
	}
	if s.Layout.Type != "SingleColumnLayout" {
		c.fault(flowBadValue, s.Layout.Type, `The layout at %q must be a SingleColumnLayout.`, at)
	}
	if n := len(s.Layout.Children); n == 0 || n > maxFlowParts {
		c.fault(flowBadValue, s.ID, `The layout at %q has %d components, allowed are 1 to %d.`, at, n, maxFlowParts)
	}
	if !c.bounded(at, s) {
		return
	}
	names := map[string]bool{}
	for part, where := range s.Parts() {
		c.part(at+"/layout/"+where, part, names, ids)
	}
	c.branches(at+"/layout", s, names)
}

func (c *flowCheck) part(at string, p *FlowPart, names, ids map[string]bool) {
	switch {
	case p.Type == "":
		c.fault(flowMissing, "", `The property "type" is required at %q.`, at)
		return
	case !slices.Contains(flowComponents, p.Type):
		c.fault(flowUnknown, p.Type, "The component %.40q at %q is not known.", p.Type, at)
		return
	}
	if slices.Contains(flowNamed, p.Type) {
		switch {
		case p.Name == "":
			c.fault(flowMissing, p.Type, `The property "name" is required at %q.`, at)
		case names[p.Name]:
			c.fault(flowBadValue, p.Name, "The name %.40q at %q is that of another component of the screen.", p.Name, at)
		}
		if strings.Contains(p.Name, ".") {
			c.fault(flowBadValue, p.Name, "The name %.40q at %q cannot have a dot.", p.Name, at)
		}
		names[p.Name] = true
		if p.Label == nil && p.Type != "ChipsSelector" && p.Type != "CheckboxGroup" && p.Type != "RadioButtonsGroup" {
			c.fault(flowMissing, p.Name, `The property "label" is required at %q.`, at)
		}
	}
	if p.Type == "Footer" && p.Click == nil {
		c.fault(flowMissing, p.Type, `The property "on-click-action" is required at %q.`, at)
	}
	if p.Click != nil && p.Click.Name == FlowNavigate && !ids[p.Click.Next.Name] {
		c.fault(flowNoWay, p.Click.Next.Name, "There is no screen %.40q to go to, at %q.", p.Click.Next.Name, at)
	}
}
