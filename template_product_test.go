package kabar

import (
	"reflect"
	"testing"
)

// shopMessage shows three products: one above its text, two on its cards, of which it has the first already.
func shopMessage() *Rendered {
	header := func(catalog, id string) *Header {
		return &Header{Type: HeaderProduct, Product: &ProductRef{Catalog: catalog, RetailerID: id}}
	}
	return &Rendered{Header: header("c1", "mug"), Buttons: []RenderedButton{{Type: ButtonProducts, Product: "pot", Sections: []Section{{Products: []string{"mug", "cup"}}}}},
		Cards: []Rendered{{Header: header("c1", "mug")}, {Header: header("c1", "tea")}}}
}

func TestShowInATemplate(t *testing.T) {
	mug, cup, tea, pot := &Product{RetailerID: "mug"}, &Product{RetailerID: "cup"}, &Product{RetailerID: "tea"}, &Product{RetailerID: "pot"}
	r := shopMessage()
	if id, err := r.CatalogID(); err != nil || id != "c1" || !r.ShowsProducts() {
		t.Errorf("CatalogID = %q, %v", id, err)
	}
	if err := r.Show("c1", []*Product{tea, mug, pot, cup}); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(r.Products, []Product{*mug, *cup}) || !reflect.DeepEqual(r.Cards[0].Products, []Product{*mug}) || !reflect.DeepEqual(r.Cards[1].Products, []Product{*tea}) {
		t.Errorf("Show = %+v", r)
	}
	if got := ShownProducts(&Template{Rendered: r}); !reflect.DeepEqual(got, []Product{*mug, *cup, *tea}) {
		t.Errorf("ShownProducts = %+v", got)
	}
	wantError(t, r.Show("c1", []*Product{tea, mug, cup}), ReasonProductsMissing, "template.components") // the picture of the button
	wantError(t, r.Show("c1", nil), ReasonProductsNone, "template.components")
	r.Cards[1].Header.Product.Catalog = "c2"
	_, err := r.CatalogID()
	wantError(t, err, ReasonInvalid, "template.components")
	if plain := (&Rendered{Buttons: []RenderedButton{{Type: ButtonCatalog, Product: "mug"}}}); plain.ShowsProducts() || ShownProducts(&Text{}) != nil || ShownProducts(&Template{}) != nil {
		t.Error("what names no products shows some")
	}
}
