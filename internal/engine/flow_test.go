package engine_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"kabar"
)

// Of all who give a flow the same name at once, one has it, and the others are told why not: no statement fails.
func TestANameIsOfOneFlow(t *testing.T) {
	v := newEnv(t)
	n, err := v.e.Number(v.id)
	if err != nil {
		t.Fatal(err)
	}
	flows := v.e.Flows()
	create := func(name string) (*kabar.FlowDef, error) {
		return flows.Create(t.Context(), n.Account, &kabar.FlowDef{Name: name, Categories: []string{"OTHER"}}, 0)
	}
	const count = 8
	var made [count]*kabar.FlowDef
	for i := range made {
		if made[i], err = create(fmt.Sprint("flow ", i)); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	errs := make([]error, 2*count)
	for i := range count {
		all.Go(func() { errs[i] = flows.Edit(t.Context(), n.Account, made[i].ID, kabar.FlowEdit{Name: "book"}) })
		all.Go(func() { _, errs[count+i] = create("book") })
	}
	all.Wait()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !refusedFor(err, kabar.ReasonExists):
			t.Errorf("%v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d have the name", won)
	}
	if text := v.logged.String(); strings.Contains(text, "ERROR") {
		t.Errorf("the log says %s", text)
	}
}
