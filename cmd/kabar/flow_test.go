package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"

	"kabar/internal/golden"
	"kabar/internal/patience"
	"kabar/internal/ui/uitest"
)

// bookingFlow asks the business's server which days and times there are.
const bookingFlow = `{"version":"5.0","data_api_version":"3.0","screens":[
	{"id":"DAY","title":"Which day?","layout":{"type":"SingleColumnLayout","children":[
		{"type":"RadioButtonsGroup","name":"day","label":"Day","required":true,"data-source":"${data.days}"},
		{"type":"Footer","label":"Next","on-click-action":{"name":"data_exchange","payload":{"day":"${form.day}"}}}]}},
	{"id":"TIME","title":"What time?","terminal":true,"layout":{"type":"SingleColumnLayout","children":[
		{"type":"Dropdown","name":"time","label":"Time","required":true,"data-source":"${data.times}"},
		{"type":"Footer","label":"Book","on-click-action":{"name":"complete","payload":{"day":"${screen.DAY.form.day}","time":"${form.time}"}}}]}}]}`

// caller makes calls of both APIs.
type caller struct {
	t     *testing.T
	token string
}

func (c caller) call(method, url string, body any) map[string]any {
	c.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, url, bytes.NewReader(text))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(answer, &out); err != nil || res.StatusCode >= 300 {
		c.t.Fatalf("%s %s: %d %s", method, url, res.StatusCode, answer)
	}
	return out
}

// bookable has a flow published that asks server, and sends it to the first customer. It returns the customer's messages in the
// control API, and the id of the one that opens the flow.
func bookable(t *testing.T, r *ready, server *golden.FlowServer, key string) (messages, id string) {
	t.Helper()
	endpoint := httptest.NewServer(server)
	t.Cleanup(endpoint.Close)
	graph, phone := caller{t, r.Cloud.Token}, caller{t: t}
	base := r.Cloud.Base + "/" + r.Cloud.Version + "/"
	graph.call("POST", base+r.Cloud.Number+"/whatsapp_business_encryption", map[string]string{"business_public_key": key})
	graph.call("POST", base+r.Cloud.Account+"/flows", map[string]any{"name": "book", "categories": []string{"OTHER"}, "endpoint_uri": endpoint.URL, "flow_json": bookingFlow, "publish": true})
	messages = r.Phone + "/api/customers/" + r.Customers[0].WaID + "/messages"
	phone.call("POST", messages, map[string]any{"type": "text", "text": map[string]string{"body": "A table?"}})
	find := func(kind, status string) (id string) {
		all, _ := phone.call("GET", messages, nil)["messages"].([]any)
		for _, m := range all {
			if m, _ := m.(map[string]any); m["type"] == kind && m["status"] == status {
				id, _ = m["id"].(string)
			}
		}
		return id
	}
	patience.Until(t, "the business may answer", func() bool { return find("text", "delivered") != "" })
	send := map[string]any{"messaging_product": "whatsapp", "to": r.Customers[0].WaID, "type": "interactive", "interactive": map[string]any{"type": "flow",
		"body": map[string]string{"text": "Book a table"}, "action": map[string]any{"name": "flow", "parameters": map[string]any{"flow_message_version": "3", "flow_name": "book",
			"flow_cta": "Book", "flow_token": "t-1", "flow_action": "data_exchange"}}}}
	graph.call("POST", base+r.Cloud.Number+"/messages", send)
	patience.Until(t, "the flow arrives", func() bool {
		id = find("interactive", "received")
		return id != ""
	})
	return messages, id
}

func bookingAnswer(asked map[string]any) (status int, answer string) {
	if asked["action"] == "INIT" {
		return 200, `{"screen":"DAY","data":{"days":[{"id":"mon","title":"Monday"},{"id":"tue","title":"Tuesday"}]}}`
	}
	return 200, `{"screen":"TIME","data":{"times":[{"id":"19","title":"7 pm"}]}}`
}

// A flow that exchanges data is filled in by a customer: the business's server says what there is, end-to-end encrypted on the way, and
// the answer comes as nfm_reply.
func TestAFlowAsksTheBusinessesServer(t *testing.T) {
	_, r := runDev(t)
	status := 0 // of what the server answers; 0: as it should
	server, key := golden.NewFlowServer(func(asked map[string]any) (int, string) {
		if status != 0 {
			return status, `{"error_msg":"All tables are taken"}`
		}
		return bookingAnswer(asked)
	})
	messages, id := bookable(t, r, server, key)
	phone := caller{t: t}
	move := func(body any, want string) {
		t.Helper()
		page := phone.call("POST", messages+"/"+id+"/flow", body)
		delete(page, "reply_id")
		if got := fmt.Sprint(page); got != want {
			t.Errorf("after %v the customer sees\n%s, want\n%s", body, got, want)
		}
	}
	move(map[string]any{}, "map[data:map[days:[map[id:mon title:Monday] map[id:tue title:Tuesday]]] screen:DAY]")
	move(map[string]any{"screen": "DAY", "values": map[string]any{"day": "mon"}}, "map[back:true data:map[times:[map[id:19 title:7 pm]]] screen:TIME]")
	move(map[string]any{"screen": "TIME", "values": map[string]any{"time": "19"}}, "map[]")
	all := phone.call("GET", messages, nil)["messages"].([]any)
	last, _ := json.Marshal(all[len(all)-1].(map[string]any)["interactive"])
	if want := `{"nfm_reply":{"body":"Sent","name":"flow","response_json":"{\"day\":\"mon\",\"flow_token\":\"t-1\",\"time\":\"19\"}"},"type":"nfm_reply"}`; string(last) != want {
		t.Errorf("the customer has sent %s, want %s", last, want)
	}
	status = 500
	move(map[string]any{}, "map[error:Something went wrong. Try again.]")
	flow := caller{t, r.Cloud.Token}.call("GET", r.Cloud.Base+"/"+r.Cloud.Version+"/"+r.Cloud.Account+"/flows?fields=health_status", nil)
	if got := fmt.Sprint(flow["data"].([]any)[0].(map[string]any)["health_status"].(map[string]any)["can_send_message"]); got != "LIMITED" {
		t.Errorf("the flow's health is %s", got)
	}
	status = 427
	move(map[string]any{}, "map[error:All tables are taken over:true]")
	want := "[map[action:INIT flow_token:t-1 version:3.0] map[action:data_exchange data:map[day:mon] flow_token:t-1 screen:DAY version:3.0] " +
		"map[action:INIT flow_token:t-1 version:3.0] map[action:INIT flow_token:t-1 version:3.0]]"
	if got := fmt.Sprint(server.Asked()); got != want {
		t.Errorf("the server was asked\n%s, want\n%s", got, want)
	}
}

// The same on the phone page.
func TestAFlowAsksTheBusinessesServerOnThePage(t *testing.T) {
	b := uitest.Open(t, *shots)
	_, r := runDev(t)
	server, key := golden.NewFlowServer(bookingAnswer)
	messages, _ := bookable(t, r, server, key)
	b.Do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(r.Phone+"/c/"+r.Customers[0].WaID))
	b.Until(`document.querySelector("[data-open][data-call]")`)
	uitest.Eval[bool](b, `document.querySelector("[data-open][data-call]").click() ?? true`)
	b.Until(`document.querySelector("dialog[open] [name='values.day']")`)
	b.Shot("flow-day")
	uitest.Eval[bool](b, `document.querySelector("dialog[open] [value=tue]").click() ?? true`)
	b.Do(chromedp.Click(`dialog[open] form.fields .wide`))
	b.Until(`document.querySelector("dialog[open] select[name='values.time']")`)
	b.Shot("flow-time")
	b.Do(chromedp.SetValue(`dialog[open] select`, "19"), chromedp.Click(`dialog[open] form.fields .wide`))
	b.Until(`!document.querySelector("dialog[open]") && [...document.querySelectorAll(".msg.out")].at(-1).textContent.includes("tue")`)
	b.Shot("flow-end")
	all := caller{t: t}.call("GET", messages, nil)["messages"].([]any)
	if last, _ := json.Marshal(all[len(all)-1]); !bytes.Contains(last, []byte(`\"day\":\"tue\"`)) {
		t.Errorf("the customer has sent %s", last)
	}
}
