package engine_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
)

// An ad opens an entry point with the business's reply, a template as well as a text, and whoever asks is told so after a restart.
func TestAReplyToAnAdOpensTheEntryPoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		heard := func(source string) {
			v.refs++
			v.deliver(kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now(), Ref: fmt.Sprintf("%032x", v.refs),
				Message: &kabar.Incoming{Content: &kabar.Text{Body: "hi"}, Referral: &kabar.Referral{SourceType: source}}})
		}
		until := func() time.Time {
			c, err := v.db.FindConversation(t.Context(), v.id, ana)
			if err != nil {
				t.Fatal(err)
			}
			return c.EntryPoint
		}
		heard("post")
		v.text(ana, "by a post")
		settle()
		if end := until(); !end.IsZero() {
			t.Errorf("a post opens an entry point until %v", end)
		}
		heard("ad")
		if end := until(); !end.IsZero() {
			t.Errorf("an ad without a reply opens an entry point until %v", end)
		}
		time.Sleep(23 * time.Hour) // the billing conversation of the first text is still open
		if _, err := v.template(ana); err != nil {
			t.Fatal(err)
		}
		settle()
		opened := v.now()
		v.restart()
		v.text(ana, "and another")
		settle()
		if end := until(); end.Sub(opened).Round(time.Minute) != kabar.EntryPointWindow {
			t.Errorf("it is open for %v", end.Sub(opened))
		}
	})
}
