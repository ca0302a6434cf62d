package engine_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"kabar"
)

// A customer who no longer hides the number is known by it from then on, in the same conversation, and nobody is told of a change of
// number. Who lacks the customer's keys is not believed.
func TestANumberThatWasHiddenIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		const hidden, liar = "ES.abc123", "34600111999"
		says := func(c kabar.Customer, was, hash string) {
			v.refs++
			v.deliver(kabar.Update{From: c, At: v.now(), Ref: fmt.Sprintf("%032x", v.refs), NewIdentity: hash, Was: was,
				Message: &kabar.Incoming{Content: &kabar.Text{Body: "hola"}}})
		}
		of := func(handle string) *kabar.Conversation {
			c, err := v.db.FindConversation(t.Context(), v.id, handle)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		says(kabar.Customer{BSUID: hidden, Name: "Ana"}, "", "hers")
		before := of(hidden).ID
		says(kabar.Customer{WaID: liar}, hidden, "another's")
		if got := of(liar).ID; got == before {
			t.Error("somebody else is believed to be her")
		}
		says(kabar.Customer{WaID: ana}, hidden, "hers")
		want := kabar.Customer{WaID: ana, BSUID: hidden, Name: "Ana"}
		if c := of(ana); c.ID != before || c.Customer != want {
			t.Errorf("the conversation %d of %+v, want %d of %+v", c.ID, c.Customer, before, want)
		}
		if got := of(hidden).ID; got != before {
			t.Errorf("the BSUID leads to %d, want %d", got, before)
		}
		says(kabar.Customer{WaID: ana}, hidden, "hers") // said twice
		v.wantTold("message hola", "message hola", "message hola", "message hola")
	})
}
