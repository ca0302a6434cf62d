package engine_test

import (
	"fmt"
	"testing"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/network/networktest"
	"kabar/internal/patience"
)

// A number that is added while the engine runs sends and receives like one that was there before; numbers added at the same
// time as the engine ends harm nobody.
func TestAttachWhileRunning(t *testing.T) {
	v := newEnv(t)
	second := networktest.NewFake()
	n, err := engine.AddNumber(t.Context(), v.db, engine.NewNumber{Account: &kabar.Account{Name: "Toko"}, Digits: "628111000222",
		Templates: []*kabar.TemplateDef{hello()}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := v.e.Attach(t.Context(), n.ID, second); err != nil {
		t.Fatal(err)
	}
	if err := v.e.Attach(t.Context(), n.ID, second); err == nil {
		t.Error("a number was attached twice")
	}
	if got := fmt.Sprint(v.e.Numbers()[0].Digits, " ", v.e.Numbers()[1].Digits); got != number+" 628111000222" {
		t.Errorf("numbers %s", got)
	}
	in := kabar.Update{From: kabar.Customer{WaID: ana, Name: "Ana"}, At: v.now(), Ref: fmt.Sprintf("%032x", 1),
		Message: &kabar.Incoming{Content: &kabar.Text{Body: "to the second"}}}
	patience.Until(t, "the second number takes a message", func() bool { return second.Deliver(t.Context(), in) == nil })
	if _, err := v.e.Send(t.Context(), n.ID, engine.Request{To: ana, Content: &kabar.Text{Body: "from the second"},
		Answer: func(*kabar.Message, kabar.Customer) (int, []byte, error) { return 201, nil, nil }}); err != nil {
		t.Fatal(err)
	}
	patience.Until(t, "the second number sends", func() bool { return len(second.Messages()) > 0 })
	if len(v.net.Messages()) != 0 {
		t.Error("the first number's network has carried the second one's message")
	}
}
