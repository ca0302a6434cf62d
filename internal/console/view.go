package console

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// State is how something is.
type State string

// The states, as the stylesheet knows them.
const (
	Good    State = "good"    // as it should be
	Waiting State = "waiting" // not yet, or not at the moment; it goes on by itself
	Bad     State = "bad"     // somebody has to do something
	Unset   State = "unset"   // not configured
)

// View is what the page shows. Empty fields are not shown.
type View struct {
	Business string // the business's display name
	Number   string // digits
	Facts    []Fact // what is running and where, in the order to show
	Lights   []Light
	Steps    []Step    // the way of a newcomer; those done are folded away
	Updated  time.Time // by the product's clock, which kabar dev can shift; zero: not shown
}

// Fact is one line of what is running: "API" — "http://127.0.0.1:9090".
type Fact struct {
	Name  string
	Value string
	Href  string // http or https address that can be opened; empty: only text
}

// Light is the state of a part: the network link, the webhook endpoint.
type Light struct {
	Name   string
	State  State
	Text   string // "connected", "3 failures in a row"
	Detail string // one more sentence; may be empty
	Count  int64  // a backlog; shown when Unit is not empty
	Unit   string // what is counted: "events waiting"
}

// Step is one step of the way: what to do, why, and the command that does it.
type Step struct {
	Title   string
	Text    string
	Command string // ready to copy; may be empty
	Href    string // a page to open instead; may be empty
	Go      string // the text of that link
	Done    bool
}

type page struct {
	frame
	View
}

// Phone is the number as people write it.
func (v View) Phone() string {
	if v.Number == "" {
		return ""
	}
	return "+" + v.Number
}

// Clock is what the product's clock says, to the minute.
func (v View) Clock() string {
	if v.Updated.IsZero() {
		return ""
	}
	return v.Updated.UTC().Format("2 January 2006, 15:04 UTC")
}

// Name is the name of the business, or what stands for it.
func (v View) Name() string { return cmp.Or(v.Business, v.Phone(), "No number yet") }

// Next is the first step that is not done; nil when all are.
func (v View) Next() *Numbered {
	steps := v.numbered()
	i := slices.IndexFunc(steps, func(s Numbered) bool { return !s.Done })
	if i < 0 {
		return nil
	}
	return &steps[i]
}

// Others are the steps but the next one.
func (v View) Others() []Numbered {
	next := v.Next()
	return slices.DeleteFunc(v.numbered(), func(s Numbered) bool { return next != nil && s.Number == next.Number })
}

// Finished is how many steps are done, for people: "2 of 4".
func (v View) Finished() string {
	done := 0
	for _, s := range v.Steps {
		if s.Done {
			done++
		}
	}
	return strconv.Itoa(done) + " of " + strconv.Itoa(len(v.Steps))
}

// Numbered is a step with its number.
type Numbered struct {
	Step
	Number int
}

func (v View) numbered() []Numbered {
	out := make([]Numbered, len(v.Steps))
	for i, s := range v.Steps {
		out[i] = Numbered{s, i + 1}
	}
	return out
}

// Symbol is the name of the icon of a state.
func (s State) Symbol() string {
	switch s {
	case Good:
		return "check"
	case Waiting:
		return "clock"
	case Bad:
		return "failed"
	case Unset:
	}
	return "none"
}
