package kabar_test

import (
	"testing"
	"time"

	"kabar"
)

// A list that is imported again says nothing new; what differs in anything does.
func TestWhatIsRecordedAlready(t *testing.T) {
	at := time.Date(2031, 5, 2, 10, 15, 0, 250e6, time.UTC)
	old := kabar.ConsentEntry{State: kabar.ConsentIn, For: "marketing", How: "web form", Proof: "order 991", At: at, By: kabar.ByOperator}
	for name, c := range map[string]struct {
		change func(*kabar.ConsentEntry)
		timed  bool
		known  kabar.ConsentState
		want   bool
	}{
		"the same":                  {nil, true, kabar.ConsentIn, true},
		"the same, long over":       {nil, true, kabar.ConsentOut, true},
		"as lists have the moment":  {func(e *kabar.ConsentEntry) { e.At = at.Truncate(time.Second) }, true, kabar.ConsentIn, true},
		"by somebody else":          {func(e *kabar.ConsentEntry) { e.By = "key x" }, true, kabar.ConsentIn, true},
		"at another moment":         {func(e *kabar.ConsentEntry) { e.At = at.Add(time.Second) }, true, kabar.ConsentIn, false},
		"without one":               {func(e *kabar.ConsentEntry) { e.At = at.Add(time.Hour) }, false, kabar.ConsentIn, true},
		"without one, after a STOP": {func(e *kabar.ConsentEntry) { e.At = at.Add(time.Hour) }, false, kabar.ConsentOut, false},
		"another state":             {func(e *kabar.ConsentEntry) { e.State = kabar.ConsentOut }, true, kabar.ConsentIn, false},
		"for something else":        {func(e *kabar.ConsentEntry) { e.For = "news" }, true, kabar.ConsentIn, false},
		"by another way":            {func(e *kabar.ConsentEntry) { e.How = "paper" }, true, kabar.ConsentIn, false},
		"with another proof":        {func(e *kabar.ConsentEntry) { e.Proof = "" }, true, kabar.ConsentIn, false},
	} {
		e := old
		if c.change != nil {
			c.change(&e)
		}
		if got := e.Repeats(c.timed, c.known, []kabar.ConsentEntry{{State: kabar.ConsentOut}, old}); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
