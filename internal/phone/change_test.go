package phone_test

import "testing"

const moved = "34600999888"

// A customer keeps the chat with a new number, and says in every message what the number was until the business has answered.
func TestChangeNumber(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	first := h.writes(ana, "Hello")
	b.expectText("Hello")
	b.text(ana, "Welcome")
	h.expectText(ana, "Welcome")
	h.patch(ana, `{"online":false}`)
	h.writes(ana, "written offline")

	changed := h.want(200, "POST", "/customers/"+ana+"/change_number", `{"wa_id":"`+moved+`"}`)
	if changed["wa_id"] != moved || changed["name"] != "Ana" {
		t.Errorf("the customer is %v", changed)
	}
	if status, _ := h.call("GET", "/customers/"+ana+"/messages", ""); status != 404 {
		t.Errorf("under the old number there is %d", status)
	}
	h.patch(moved, `{"online":true}`)
	if got := b.expectText("written offline"); got.from != moved || got.Was != ana {
		t.Errorf("the business got it from %s, who was %q", got.from, got.Was)
	}
	b.expect("the greeting", func(a arrived) bool { return a.from == moved && a.Hello != nil && a.Was == ana })
	b.text(moved, "I know you")
	h.expectText(moved, "I know you")
	h.writes(moved, "after it")
	if got := b.expectText("after it"); got.from != moved || got.Was != "" {
		t.Errorf("after an answer the customer was %q", got.Was)
	}
	all := h.messages(moved)
	if all[0]["id"] != first || path(all[0], "text", "body") != "Hello" {
		t.Errorf("the first message is %v, its id was %s", all[0], first)
	}
	h.restart()
	h.writes(moved, "after a restart")
	b.expectText("after a restart")
}

func TestANumberThatCannotBeHad(t *testing.T) {
	h, _ := together(t)
	ana, budi := h.customer("Ana"), h.customer("Budi")
	hidden := h.want(201, "POST", "/customers", `{"name":"Citra","hide_number":true}`)["wa_id"].(string)
	for _, c := range []struct {
		who, number string
		status      int
	}{{ana, budi, 409}, {ana, ana, 409}, {ana, shop, 409}, {ana, "12", 400}, {ana, "", 400}, {"34600000001", moved, 404}, {hidden, moved, 409}} {
		if status, answer := h.call("POST", "/customers/"+c.who+"/change_number", `{"wa_id":"`+c.number+`"}`); status != c.status {
			t.Errorf("%s to %s is answered %d %v", c.who, c.number, status, answer)
		}
	}
	h.writes(ana, "still here")
}
