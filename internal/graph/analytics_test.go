package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/golden"
)

// The figures of an account are of the numbers that a token is for, and that are asked for.
func TestFiguresAreOfTheNumbersOfWhoeverAsks(t *testing.T) {
	e := newEnv(t)
	const second = "628111000444"
	n, err := e.addNumber(t.Context(), e.a.Account, second, "Warung Dua")
	must(t, err)
	must(t, e.engine.Reviews().JudgeName(t.Context(), n.ID, kabar.Ruling{Decision: kabar.RuleApprove}, "test"))
	for i, id := range []string{e.api.nodeID(int64(e.a.ID)), e.api.nodeID(int64(n.ID)), e.api.nodeID(int64(n.ID))} {
		w := e.ask(e.tokens["user"], "POST", id+"/messages", fmt.Sprintf(
			`{"messaging_product":"whatsapp","to":"3460011122%d","type":"template","template":{"name":"hello_kabar","language":{"code":"en"}}}`, i))
		if w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	e.settle()
	bound := auth.NewKey()
	must(t, e.auth.AddKey(t.Context(), bound, auth.Grant{Account: e.a.Account, Number: n.ID, Scopes: auth.GraphScopes()}))
	for _, c := range []struct {
		name, token, filter string
		numbers             []string
		sent                int
	}{
		{"the account", e.tokens["user"], "", []string{golden.Ours, second}, 3},
		{"one of its numbers", e.tokens["user"], ".phone_numbers([" + golden.Ours + "])", []string{golden.Ours}, 1},
		{"a token of one number", bound, "", []string{second}, 2},
		{"another number than its own", bound, ".phone_numbers([" + golden.Ours + "])", []string{}, 0},
	} {
		w := e.ask(c.token, "GET", fmt.Sprintf("%s?fields=analytics.start(%d).end(%d).granularity(DAY)%s", e.api.nodeID(int64(e.a.Account)),
			golden.Clock().Add(-24*time.Hour).Unix(), golden.Clock().Add(24*time.Hour).Unix(), c.filter), "")
		var got struct {
			Analytics struct {
				Numbers []string             `json:"phone_numbers"`
				Points  []struct{ Sent int } `json:"data_points"`
			}
		}
		must(t, json.Unmarshal(w.Body.Bytes(), &got))
		sent := 0
		for _, p := range got.Analytics.Points {
			sent += p.Sent
		}
		if !slices.Equal(got.Analytics.Numbers, c.numbers) || sent != c.sent {
			t.Errorf("%s: %s\nwant %v with %d sent", c.name, w.Body, c.numbers, c.sent)
		}
	}
}

// The figures of templates are the account's: whoever may see one of its numbers alone does not see what the others have sent.
func TestFiguresOfTemplatesAreOfTheAccount(t *testing.T) {
	e := newEnv(t)
	bound := auth.NewKey()
	must(t, e.auth.AddKey(t.Context(), bound, auth.Grant{Account: e.a.Account, Number: e.a.ID, Scopes: auth.GraphScopes()}))
	account := e.api.nodeID(int64(e.a.Account))
	template := func(name string) string {
		w := e.ask(e.tokens["user"], "GET", account+"/message_templates?name="+name+"&fields=name", "")
		var found struct{ Data []struct{ ID string } }
		must(t, json.Unmarshal(w.Body.Bytes(), &found))
		return found.Data[0].ID
	}
	span := fmt.Sprintf("?granularity=DAILY&start=%d&end=%d&template_ids=[", golden.Clock().Add(-time.Hour).Unix(), golden.Clock().Unix())
	hello := template("hello_kabar")
	paths := []string{account + "/template_analytics" + span + hello + "]", hello + "/compare" + span + template("long") + "]"}
	want := func(when, token string, status int) {
		t.Helper()
		for _, path := range paths {
			if w := e.ask(token, "GET", path, ""); w.Code != status {
				t.Errorf("%s, %s: %d %s, want %d", when, path, w.Code, w.Body, status)
			}
		}
	}
	want("its only number", bound, http.StatusOK)
	_, err := e.addNumber(t.Context(), e.a.Account, "628111000444", "Warung Dua")
	must(t, err)
	want("one of two numbers", bound, http.StatusForbidden)
	want("the account", e.tokens["user"], http.StatusOK)
}
