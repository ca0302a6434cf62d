package kabar

import (
	"fmt"
	"slices"
	"testing"
)

// productsOf returns a valid list of products whose sections have so many, changed.
func productsOf(counts []int, change func(i *Interactive)) *Interactive {
	i := &Interactive{Type: InteractiveProducts, Header: &Header{Type: KindText, Text: "Shop"}, Body: "Which?", Action: Action{Catalog: "c1", Sections: make([]Section, len(counts))}}
	for s, n := range counts {
		section := Section{Title: fmt.Sprint("Section ", s), Products: make([]string, n)}
		for p := range n {
			section.Products[p] = fmt.Sprintf("%d-%d", s, p)
		}
		i.Action.Sections[s] = section
	}
	change(i)
	return i
}

func productOf(change func(i *Interactive)) *Interactive {
	i := &Interactive{Type: InteractiveProduct, Action: Action{Catalog: "c1", Product: "p1"}}
	change(i)
	return i
}

func TestProduct(t *testing.T) {
	runRows(t, []row{
		{"without a body", productOf(same), "", ""},
		{"with a body", productOf(func(i *Interactive) { i.Body = "Look" }), "", ""},
		{"with a header", productOf(func(i *Interactive) { i.Header = &Header{Type: KindText, Text: "h"} }), ReasonHeader, "interactive.header"},
		{"with buttons", productOf(func(i *Interactive) { i.Action.Buttons = make([]ReplyButton, 1) }), ReasonNotRequired, "interactive.action.buttons"},
		{"with a link", productOf(func(i *Interactive) { i.Action.Link = &Link{} }), ReasonNotRequired, "interactive.action.parameters"},
	})
	runRows(t, lengths("interactive.action.catalog_id", 100, ReasonMissing, ReasonInvalid, func(s string) Content {
		return productOf(func(i *Interactive) { i.Action.Catalog = s })
	}))
	runRows(t, lengths("interactive.action.product_retailer_id", 100, ReasonMissing, ReasonInvalid, func(s string) Content {
		return productOf(func(i *Interactive) { i.Action.Product = s })
	}))
	runRows(t, lengths("interactive.body.text", 1024, "", ReasonInvalid, func(s string) Content {
		return productOf(func(i *Interactive) { i.Body = s })
	}))
}

func TestProductList(t *testing.T) {
	const field = "interactive.action.sections"
	ones := func(n int) []int { return slices.Repeat([]int{1}, n) }
	runRows(t, []row{
		{"1 of 1", productsOf(ones(1), same), "", ""},
		{"1 of 30", productsOf([]int{30}, same), "", ""},
		{"1 of 31", productsOf([]int{31}, same), ReasonProductCount, field},
		{"31 in 3", productsOf([]int{10, 20, 1}, same), ReasonProductCount, field},
		{"10 of 3", productsOf(slices.Repeat([]int{3}, 10), same), "", ""},
		{"11 sections", productsOf(ones(11), same), ReasonListSections, field},
		{"no section", productsOf([]int{}, same), ReasonListSections, field},
		{"sections not given", productsOf(ones(1), func(i *Interactive) { i.Action.Sections = nil }), ReasonMissing, field},
		{"an empty section", productsOf([]int{1, 0}, same), ReasonProductCount, field + "[1].product_items"},
		{"products not given", productsOf([]int{1, 0}, func(i *Interactive) { i.Action.Sections[1].Products = nil }), ReasonMissing, field + "[1].product_items"},
		{"the same twice", productsOf([]int{1, 1}, func(i *Interactive) { i.Action.Sections[1].Products[0] = "0-0" }), ReasonInvalid, field + "[1].product_items[0].product_retailer_id"},
		{"a product without id", productsOf([]int{2}, func(i *Interactive) { i.Action.Sections[0].Products[1] = "" }), ReasonMissing, field + "[0].product_items[1].product_retailer_id"},
		{"one section without a title", productsOf(ones(1), func(i *Interactive) { i.Action.Sections[0].Title = "" }), "", ""},
		{"two sections, one without a title", productsOf(ones(2), func(i *Interactive) { i.Action.Sections[1].Title = "" }), ReasonMissing, field + "[1].title"},
		{"no header", productsOf(ones(1), func(i *Interactive) { i.Header = nil }), ReasonMissing, "interactive.header"},
		{"header with a picture", productsOf(ones(1), func(i *Interactive) { i.Header = &Header{Type: KindImage, Media: &Media{kind: KindImage, ID: 7}} }), ReasonHeader, "interactive.header.type"},
		{"no catalog", productsOf(ones(1), func(i *Interactive) { i.Action.Catalog = "" }), ReasonMissing, "interactive.action.catalog_id"},
		{"no body", productsOf(ones(1), func(i *Interactive) { i.Body = "" }), ReasonMissing, "interactive.body.text"},
		{"catalog message", &Interactive{Type: InteractiveCatalog, Body: "b"}, "", ""},
		{"catalog message with a header", &Interactive{Type: InteractiveCatalog, Body: "b", Header: &Header{Type: KindText, Text: "h"}}, ReasonHeader, "interactive.header"},
		{"catalog message without a body", &Interactive{Type: InteractiveCatalog}, ReasonMissing, "interactive.body.text"},
	})
	runRows(t, lengths("interactive.action.parameters.thumbnail_product_retailer_id", 100, "", ReasonInvalid, func(s string) Content {
		return &Interactive{Type: InteractiveCatalog, Body: "b", Action: Action{Product: s}}
	}))
}

func TestShow(t *testing.T) {
	all := func(ids ...string) (products []*Product) {
		for _, id := range ids {
			products = append(products, &Product{Catalog: "c1", RetailerID: id})
		}
		return products
	}
	many := make([]string, 40)
	for i := range many {
		many[i] = fmt.Sprint("m", i)
	}
	catalog := func(thumbnail string) *Interactive {
		return &Interactive{Type: InteractiveCatalog, Action: Action{Catalog: "c1", Product: thumbnail}}
	}
	for _, tt := range []struct {
		name          string
		i             *Interactive
		found, others []*Product
		want          []string
		reason        Reason
	}{
		{"one product", productOf(same), all("p1"), nil, []string{"p1"}, ""},
		{"no product", productOf(same), nil, nil, nil, ReasonProductsNone},
		{"all, in the order of the message", productsOf([]int{1, 2}, same), all("1-1", "0-0", "1-0"), nil, []string{"0-0", "1-0", "1-1"}, ""},
		{"some", productsOf([]int{1, 2}, same), all("1-1", "0-0"), nil, nil, ReasonProductsMissing},
		{"none of many", productsOf([]int{1, 2}, same), nil, nil, nil, ReasonProductsNone},
		{"a catalog", catalog(""), nil, all("a", "b"), []string{"a", "b"}, ""},
		{"a catalog with a first product", catalog("b"), all("b"), all("a", "b", "c"), []string{"b", "a", "c"}, ""},
		{"a large catalog", catalog(""), nil, all(many...), many[:30], ""},
		{"an empty catalog", catalog(""), nil, nil, nil, ReasonProductsNone},
		{"a catalog without the first product", catalog("x"), nil, all("a"), nil, ReasonProductsNone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantError(t, tt.i.Show(tt.found, tt.others), tt.reason, "interactive.action")
			if tt.reason != "" {
				return
			}
			var got []string
			for _, p := range tt.i.Action.Products {
				got = append(got, p.RetailerID)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("shows %q, want %q", got, tt.want)
			}
		})
	}
}

func TestOrderingIsForCustomers(t *testing.T) {
	runRows(t, []row{{"order", &Order{}, ReasonInvalid, "type"}})
	for availability, want := range map[Availability]bool{InStock: true, AvailableForOrder: true, OutOfStock: false, Discontinued: false, "": false} {
		if got := (&Product{Availability: availability}).CanBeOrdered(); got != want {
			t.Errorf("%q can be ordered: %v", availability, got)
		}
	}
}
