package phone_test

import (
	"fmt"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/patience"
)

// table asks the business's server for its first screen, then for the times of a day, and is completed by the last one.
const table = `{"version":"5.0","data_api_version":"3.0","screens":[
	{"id":"DAY","layout":{"type":"SingleColumnLayout","children":[{"type":"Dropdown","name":"day","label":"Day","required":true,"data-source":"${data.days}"},
		{"type":"Footer","label":"Next","on-click-action":{"name":"data_exchange","payload":{"day":"${form.day}"}}}]}},
	{"id":"TIME","refresh_on_back":true,"layout":{"type":"SingleColumnLayout","children":[{"type":"Dropdown","name":"time","label":"Time","data-source":"${data.times}"},
		{"type":"Footer","label":"Next","on-click-action":{"name":"navigate","next":{"name":"END"},"payload":{"day":"${screen.DAY.form.day}","time":"${form.time}"}}}]}},
	{"id":"END","terminal":true,"layout":{"type":"SingleColumnLayout","children":[{"type":"TextBody","text":"${data.time}"},
		{"type":"Footer","label":"Book","on-click-action":{"name":"complete","payload":{"day":"${data.day}","time":"${data.time}"}}}]}}]}`

// seated is a customer who was asked to book a table.
func seated(t *testing.T, answer func(*kabar.FlowQuestion) *kabar.FlowStep) (h *handsets, b *business, ana, on string) {
	h, b = together(t)
	b.flow = answer
	ana = h.customer("Ana")
	id := asked(h, b, ana, &kabar.Interactive{Type: kabar.InteractiveFlow, Body: "Book", Action: kabar.Action{Flow: &kabar.Flow{Version: "3", ID: "1", Token: "t-3", Text: "Go",
		Action: kabar.FlowExchange, Form: table}}})
	return h, b, ana, "/customers/" + ana + "/messages/" + id
}

// waiter is a business's server that keeps a list of what it was asked.
type waiter struct{ asked []string }

func (w *waiter) answer(q *kabar.FlowQuestion) *kabar.FlowStep {
	w.asked = append(w.asked, fmt.Sprint(q.Action, q.Screen, string(q.Data)))
	switch {
	case q.Action != kabar.FlowExchange:
		return &kabar.FlowStep{Screen: "DAY", Data: []byte(`{"days":[{"id":"mon","title":"Monday"}]}`)}
	case string(q.Data) == `{"day":"sun"}`:
		return &kabar.FlowStep{Screen: "DAY", Data: []byte(`{"error_message":"Closed"}`)}
	}
	return &kabar.FlowStep{Screen: "TIME", Data: []byte(`{"times":[{"id":"19","title":"7 pm"}]}`)}
}

func TestAFlowAsksTheBusiness(t *testing.T) {
	w := &waiter{}
	h, b, ana, on := seated(t, w.answer)
	see := func(body, want string) {
		t.Helper()
		if got := fmt.Sprint(h.want(200, "POST", on+"/flow", body)); got != want {
			t.Errorf("after %s the customer sees\n%s, want\n%s", body, got, want)
		}
	}
	const day = "map[data:map[days:[map[id:mon title:Monday]]] screen:DAY]"
	if status, out := h.call("POST", on+"/flow", `{"screen":"DAY","values":{"day":"mon"}}`); status != 409 {
		t.Errorf("a flow that is not open is answered %d %v", status, out)
	}
	see(``, day)
	if status, out := h.call("POST", on+"/flow", `{"screen":"DAY","values":{}}`); status != 400 {
		t.Errorf("a screen without what it requires is answered %d %v", status, out)
	}
	if status, out := h.call("POST", on+"/flow", `{"screen":"TIME","values":{}}`); status != 409 {
		t.Errorf("another screen is answered %d %v", status, out)
	}
	if status, out := h.call("POST", on+"/flow", `{"back":true}`); status != 409 {
		t.Errorf("back from the first screen is answered %d %v", status, out)
	}
	see(`{"screen":"DAY","values":{"day":"sun"}}`, "map[data:map[days:[map[id:mon title:Monday]]] error:Closed screen:DAY values:map[day:sun]]")
	const time = "map[back:true data:map[times:[map[id:19 title:7 pm]]] screen:TIME]"
	see(`{"screen":"DAY","values":{"day":"mon"}}`, time)
	see(`{"back":true}`, "map[data:map[days:[map[id:mon title:Monday]]] screen:DAY values:map[day:mon]]")
	see(`{"screen":"DAY","values":{"day":"mon"}}`, time)
	see(`{"screen":"TIME","values":{"time":"19"}}`, "map[back:true data:map[day:mon time:19] screen:END]")
	see(`{"back":true}`, "map[back:true data:map[times:[map[id:19 title:7 pm]]] screen:TIME values:map[time:19]]")
	see(`{"screen":"TIME","values":{"time":"19"}}`, "map[back:true data:map[day:mon time:19] screen:END]")
	end := h.want(200, "POST", on+"/flow", `{"screen":"END"}`)
	h.expectStatus(ana, end["reply_id"].(string), "delivered")
	if m := lastMessage(b); string(m.Content) != `{"type":"nfm_reply","form":{"name":"flow","body":"Sent","response":"{\"day\":\"mon\",\"flow_token\":\"t-3\",\"time\":\"19\"}"}}` || len(m.ReplyTo) != 18 {
		t.Errorf("the business got %s", m.Content)
	}
	want := `[INIT data_exchangeDAY{"day":"sun"} data_exchangeDAY{"day":"mon"} BACKTIME data_exchangeDAY{"day":"mon"}]`
	b.mu.Lock()
	defer b.mu.Unlock()
	if fmt.Sprint(w.asked) != want {
		t.Errorf("the business was asked %v, want %s", w.asked, want)
	}
}

// The business's server may end the flow itself, or say that it is over.
func TestTheBusinessEndsAFlow(t *testing.T) {
	step := &kabar.FlowStep{Screen: kabar.FlowSuccess, Data: []byte(`{"extension_message_response":{"params":{"seat":7}}}`)}
	h, b, ana, on := seated(t, func(*kabar.FlowQuestion) *kabar.FlowStep { s := *step; return &s })
	reply := h.want(200, "POST", on+"/flow", `{}`)["reply_id"].(string)
	h.expectStatus(ana, reply, "delivered")
	if m := lastMessage(b); string(m.Content) != `{"type":"nfm_reply","form":{"name":"flow","body":"Sent","response":"{\"flow_token\":\"t-3\",\"seat\":7}"}}` {
		t.Errorf("the business got %s", m.Content)
	}
	say := func(s *kabar.FlowStep) {
		b.mu.Lock()
		defer b.mu.Unlock()
		step = s
	}
	for _, s := range []*kabar.FlowStep{{Fault: kabar.FlowAway}, {Screen: "NOWHERE"}} {
		say(s)
		if out := h.want(200, "POST", on+"/flow", `{}`); out["error"] != "Something went wrong. Try again." || out["waiting"] != nil {
			t.Errorf("after %+v the customer sees %v", s, out)
		}
	}
	h.patch(ana, `{"online":false}`)
	if status, out := h.call("POST", on+"/flow", `{}`); status != 409 {
		t.Errorf("an offline customer is answered %d %v", status, out)
	}
	h.patch(ana, `{"online":true}`)
	say(&kabar.FlowStep{Fault: kabar.FlowOver, Text: "Sold out"})
	patience.Until(t, "the flow is over", func() bool {
		status, out := h.call("POST", on+"/flow", `{}`)
		return status == 200 && out["over"] == true && out["error"] == "Sold out"
	})
	if status, out := h.call("POST", on+"/flow", `{}`); status != 409 || !strings.Contains(fmt.Sprint(out), `The flow is over; wait for another one. It said: Sold out`) {
		t.Errorf("a flow that is over is answered %d %v", status, out)
	}
	plain := asked(h, b, ana, &kabar.Interactive{Type: kabar.InteractiveFlow, Body: "Book", Action: kabar.Action{Flow: &kabar.Flow{Version: "3", ID: "1", Text: "Go"}}})
	if status, out := h.call("POST", "/customers/"+ana+"/messages/"+plain+"/flow", `{}`); status != 409 {
		t.Errorf("a flow that asks nobody is answered %d %v", status, out)
	}
}
