package phone_test

import (
	"fmt"
	"testing"

	"kabar"
)

// trip asks for a VAT number of companies only; which towns there are follows from the country, at once or by asking the business.
const trip = `{"version":"6.0","data_api_version":"3.0","screens":[
	{"id":"TRIP","terminal":true,"data":{"towns":{"type":"array","__example__":[]},"far":{"type":"boolean","__example__":false}},
	 "layout":{"type":"SingleColumnLayout","children":[
		{"type":"Dropdown","name":"kind","label":"You are","required":true,"data-source":[{"id":"me","title":"A person"},{"id":"firm","title":"A company"}]},
		{"type":"If","condition":"${form.kind} == 'firm'","then":[{"type":"TextInput","name":"vat","label":"VAT","required":true}]},
		{"type":"Dropdown","name":"land","label":"Country","data-source":[{"id":"id","title":"Indonesia"},
			{"id":"es","title":"Spain","on-select-action":{"name":"update_data","payload":{"far":true}},"on-unselect-action":{"name":"update_data","payload":{"far":false}}}]%s},
		{"type":"Dropdown","name":"town","label":"Town","visible":"${data.far}","required":true,"data-source":"${data.towns}"},
		{"type":"Footer","label":"Go","on-click-action":{"name":"complete","payload":{"kind":"${form.kind}","vat":"${form.vat}","town":"${form.town}"}}}]}}]}`

// travelling is a customer who was sent the form of a trip.
func travelling(t *testing.T, form string) (h *handsets, b *business, ana, on string) {
	h, b = together(t)
	ana = h.customer("Ana")
	id := asked(h, b, ana, &kabar.Interactive{Type: kabar.InteractiveFlow, Body: "Go", Action: kabar.Action{Flow: &kabar.Flow{Version: "3", ID: "1", Text: "Go", Form: form}}})
	return h, b, ana, "/customers/" + ana + "/messages/" + id
}

func TestAFlowBranches(t *testing.T) {
	h, b, ana, on := travelling(t, fmt.Sprintf(trip, ""))
	see := func(body, want string) {
		t.Helper()
		if got := fmt.Sprint(h.want(200, "POST", on+"/flow", body)); got != want {
			t.Errorf("after %s the customer sees\n%s, want\n%s", body, got, want)
		}
	}
	refused := func(body, word string) {
		t.Helper()
		if status, out := h.call("POST", on+"/flow", body); status != 400 {
			t.Errorf("%s is answered %d %v, want that %s is missing", body, status, out, word)
		}
	}
	see(`{}`, "map[data:map[far:false towns:[]] screen:TRIP]")
	refused(`{"screen":"TRIP","values":{}}`, "kind")
	refused(`{"screen":"TRIP","values":{"kind":"firm"}}`, "vat")
	see(`{"screen":"TRIP","stay":true,"values":{"kind":"firm","vat":"B1","land":"es"}}`, "map[data:map[far:true towns:[]] screen:TRIP values:map[kind:firm land:es vat:B1]]")
	refused(`{"screen":"TRIP","values":{"kind":"me","land":"es"}}`, "town")
	see(`{"screen":"TRIP","stay":true,"values":{"kind":"me","vat":"B1","land":"id"}}`, "map[data:map[far:false towns:[]] screen:TRIP values:map[kind:me land:id vat:B1]]")
	end := h.want(200, "POST", on+"/flow", `{"screen":"TRIP","values":{"kind":"me","vat":"B1","land":"id"}}`)
	h.expectStatus(ana, end["reply_id"].(string), "delivered")
	if m := lastMessage(b); string(m.Content) != `{"type":"nfm_reply","form":{"name":"flow","body":"Sent","response":"{\"kind\":\"me\",\"town\":null,\"vat\":null}"}}` {
		t.Errorf("the business got %s", m.Content)
	}
	reply := h.want(201, "POST", on+"/answer", `{"screens":{"TRIP":{"kind":"firm","vat":"B2"}}}`)["id"].(string)
	h.expectStatus(ana, reply, "delivered")
	if m := lastMessage(b); string(m.Content) != `{"type":"nfm_reply","form":{"name":"flow","body":"Sent","response":"{\"kind\":\"firm\",\"town\":null,\"vat\":\"B2\"}"}}` {
		t.Errorf("the business got %s", m.Content)
	}
}

// A choice may be told to the business's server, which says what there is to choose from then.
func TestAFlowAsksWhenSomethingIsChosen(t *testing.T) {
	h, b, _, on := travelling(t, fmt.Sprintf(trip, `,"on-select-action":{"name":"data_exchange","payload":{"land":"${form.land}","kind":"${form.kind}"}}`))
	var asked []string
	b.flow = func(q *kabar.FlowQuestion) *kabar.FlowStep {
		asked = append(asked, fmt.Sprint(q.Action, q.Screen, string(q.Data)))
		return &kabar.FlowStep{Screen: "TRIP", Data: []byte(`{"towns":[{"id":"bcn","title":"Barcelona"}]}`)}
	}
	h.want(200, "POST", on+"/flow", `{}`)
	h.want(200, "POST", on+"/flow", `{"screen":"TRIP","stay":true,"values":{"kind":"me"}}`)
	got := fmt.Sprint(h.want(200, "POST", on+"/flow", `{"screen":"TRIP","stay":true,"values":{"kind":"me","land":"es"}}`))
	if want := "map[data:map[far:true towns:[map[id:bcn title:Barcelona]]] screen:TRIP values:map[kind:me land:es]]"; got != want {
		t.Errorf("the customer sees\n%s, want\n%s", got, want)
	}
	h.want(200, "POST", on+"/flow", `{"screen":"TRIP","stay":true,"values":{"kind":"me","land":"es","town":"bcn"}}`)
	h.want(400, "POST", on+"/flow", `{"stay":true}`) // it would begin anew, and what was filled in be lost
	if out := h.want(200, "POST", on+"/flow", `{"screen":"TRIP","values":{"kind":"me","land":"es","town":"bcn"}}`); out["reply_id"] == nil {
		t.Errorf("the flow has not ended: %v", out)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if want := `[data_exchangeTRIP{"kind":"me","land":"es"}]`; fmt.Sprint(asked) != want {
		t.Errorf("the business was asked %v, want %s", asked, want)
	}
}
