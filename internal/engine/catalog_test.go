package engine_test

import (
	"testing"

	"kabar"
	"kabar/internal/store"
)

// The button of a template opens the account's catalog, as a catalog message does; without one it is a label.
func TestATemplateOpensTheCatalog(t *testing.T) {
	v := newEnv(t)
	d := draft("shop", "MARKETING", "See what we have")
	d.Components = append(d.Components, kabar.TemplateComponent{Type: "BUTTONS", Buttons: []kabar.TemplateButton{{Type: kabar.ButtonCatalog, Text: "View catalog"}}})
	v.review(v.create(d).ID, kabar.Decision{Decision: kabar.VerbApprove})
	shown := func() []kabar.Product {
		t.Helper()
		ref, _, err := v.sendTemplate(ana, "shop")
		if err != nil {
			t.Fatal(err)
		}
		m, err := v.db.Message(t.Context(), v.id, v.e.Deref(ref))
		if err != nil {
			t.Fatal(err)
		}
		return kabar.ShownProducts(m.Content)
	}
	if got := shown(); len(got) != 0 {
		t.Errorf("without a catalog the customer sees %+v", got)
	}
	err := v.db.Write(t.Context(), func(tx *store.Tx) { tx.WantProduct(v.account(), "c1", "mug") }, func(tx *store.Tx) error {
		_, _, err := tx.SaveProduct(&kabar.Product{Account: v.account(), Catalog: "c1", RetailerID: "mug", Name: "Mug", Price: 1000, Currency: "EUR", Availability: kabar.InStock})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := shown(); len(got) != 1 || got[0].RetailerID != "mug" || got[0].Catalog != "c1" {
		t.Errorf("the customer sees %+v", got)
	}
}
