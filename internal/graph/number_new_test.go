package graph

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// However many ask at once, the business gets no more numbers than it may have.
func TestNumbersEndAtTheirLimit(t *testing.T) {
	e := newEnv(t)
	account := e.api.nodeID(int64(e.a.Account))
	var all sync.WaitGroup
	for i := range maxNumbers + 5 {
		all.Go(func() {
			w := e.ask(e.tokens["user"], "POST", account+"/phone_numbers", fmt.Sprintf(`{"phone_number":"6281110005%02d","verified_name":"Warung"}`, i))
			if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	all.Wait()
	if n := len(e.engine.Numbers()); n != maxNumbers {
		t.Errorf("the business has %d numbers", n)
	}
}
