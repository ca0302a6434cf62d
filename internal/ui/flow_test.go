package ui

import (
	"strings"
	"testing"

	"kabar"
)

// What a customer sees of a flow that asks the business's server, from before it begins until it is over.
func TestThePagesOfAFlow(t *testing.T) {
	flow := &kabar.Interactive{Type: kabar.InteractiveFlow, Action: kabar.Action{Flow: &kabar.Flow{Text: "Book", Form: asking(flowForm("Where")), Action: kabar.FlowExchange}}}
	pages := newPages(t)
	for name, c := range map[string]struct {
		page *Page
		want []string
		not  []string
	}{
		"closed":  {nil, []string{"One moment", `data-call="POST /m/flow" data-body="{}"`}, []string{"<form class"}},
		"asked":   {&Page{Waiting: true}, []string{"One moment"}, []string{"<form class"}},
		"in vain": {&Page{Told: "Sorry"}, []string{"Sorry", "Try again", "data-stay"}, []string{`name="screen"`}},
		"first":   {&Page{Screen: "ONE"}, []string{`name="screen" value="ONE"`, `name="values.f0"`, ">Where</button>"}, []string{"Back", "One moment"}},
		"later":   {&Page{Screen: "ONE", Back: true, Waiting: true}, []string{">Back</button>", "disabled"}, nil},
		"over":    {&Page{Told: "Sold out", Over: true}, []string{"Sold out"}, []string{"<form class", "data-body"}},
	} {
		out := fragment(t, pages, "bubble", Bubble{ID: "x", Action: "/m", Content: flow, Page: c.page})
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %s in\n%s", name, want, out)
			}
		}
		for _, not := range c.not {
			if strings.Contains(out, not) {
				t.Errorf("%s: %s in\n%s", name, not, out)
			}
		}
	}
}

// What a screen shows follows from what has been filled in, and the page tells each change of it.
func TestTheScreensOfAFlowThatBranches(t *testing.T) {
	form := `{"version":"5.0","screens":[{"id":"ONE","terminal":true,"layout":{"type":"SingleColumnLayout","children":[
		{"type":"OptIn","name":"more","label":"More"},
		{"type":"TextInput","name":"off","label":"Off","enabled":"${form.more}"},
		{"type":"If","condition":"${form.more}","then":[{"type":"TextInput","name":"what","label":"What","required":true},
			{"type":"Footer","label":"Send it","on-click-action":{"name":"complete","payload":{}}}],
			"else":[{"type":"TextBody","text":"Nothing else"},
			{"type":"Footer","label":"Not yet","enabled":false,"on-click-action":{"name":"complete","payload":{}}}]}]}}]}`
	flow := &kabar.Interactive{Type: kabar.InteractiveFlow, Action: kabar.Action{Flow: &kabar.Flow{Text: "Book", Form: form}}}
	pages := newPages(t)
	for name, c := range map[string]struct {
		page      *Page
		want, not []string
	}{
		"closed": {nil, []string{"One moment", `data-call="POST /m/flow" data-body="{}"`}, []string{"<form class", "data-json"}},
		"no": {&Page{Screen: "ONE"}, []string{"data-decides", "Nothing else", `name="values.off" value="" autocomplete="off" dir="auto" disabled`, "wide\" disabled>Not yet"},
			[]string{"values.what", "Send it"}},
		"yes": {&Page{Screen: "ONE", Answers: kabar.FlowAnswers{"ONE": {"more": true, "what": "Tea"}}}, []string{`name="values.more" checked`, `name="values.what" value="Tea"`, "Send it"},
			[]string{"Nothing else", "Not yet", "disabled>"}},
	} {
		out := fragment(t, pages, "bubble", Bubble{ID: "x", Action: "/m", Content: flow, Page: c.page})
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %s in\n%s", name, want, out)
			}
		}
		for _, not := range c.not {
			if strings.Contains(out, not) {
				t.Errorf("%s: %s in\n%s", name, not, out)
			}
		}
	}
}
