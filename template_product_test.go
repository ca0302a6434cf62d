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
	if err := r.Show("c1", []*Product{tea, mug, pot, cup}, []*Product{tea}); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(r.Products, []Product{*mug, *cup}) || !reflect.DeepEqual(r.Cards[0].Products, []Product{*mug}) || !reflect.DeepEqual(r.Cards[1].Products, []Product{*tea}) {
		t.Errorf("Show = %+v", r)
	}
	if got := ShownProducts(&Template{Rendered: r}); !reflect.DeepEqual(got, []Product{*mug, *cup, *tea}) {
		t.Errorf("ShownProducts = %+v", got)
	}
	wantError(t, r.Show("c1", []*Product{tea, mug, cup}, nil), ReasonProductsMissing, "template.components") // the picture of the button
	wantError(t, r.Show("c1", nil, nil), ReasonProductsNone, "template.components")
	r.Cards[1].Header.Product.Catalog = "c2"
	_, err := r.CatalogID()
	wantError(t, err, ReasonInvalid, "template.components")
	if plain := (&Rendered{Buttons: []RenderedButton{{Type: ButtonURL, Product: "mug"}}}); plain.ShowsProducts() || ShownProducts(&Text{}) != nil || ShownProducts(&Template{}) != nil {
		t.Error("what names no products shows some")
	}
}

// A button that opens the catalog shows the product of its picture first, if there is one, and then the rest.
func TestATemplateOpensTheCatalog(t *testing.T) {
	mug, cup := &Product{RetailerID: "mug"}, &Product{RetailerID: "cup"}
	r := &Rendered{Buttons: []RenderedButton{{Type: ButtonQuickReply}, {Type: ButtonCatalog, Product: "mug"}}}
	if first, opens := r.OpensCatalog(); !opens || first != "mug" || r.ShowsProducts() {
		t.Errorf("it opens the catalog: %v, at %q", opens, first)
	}
	for want, found := range map[string][]*Product{"mug": {mug}, "cup": nil} {
		if err := r.Show("c1", found, []*Product{cup, mug}); err != nil || len(r.Products) != 2 || r.Products[0].RetailerID != want {
			t.Errorf("Show = %+v, %v", r.Products, err)
		}
	}
	many := make([]*Product, MaxProducts+5)
	for n := range many {
		many[n] = &Product{RetailerID: string(rune('A' + n))}
	}
	if err := r.Show("c1", nil, many); err != nil || len(r.Products) != MaxProducts {
		t.Errorf("%d products are shown, %v", len(r.Products), err)
	}
}
