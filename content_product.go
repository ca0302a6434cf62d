package kabar

import "fmt"

// Limits of messages with products.
const (
	MaxProducts  = 30  // in a list, over all sections; as many of a catalog travel with a catalog message
	MaxProductID = 100 // characters of a catalog's id or of a product's
)

func (a *Action) checkProducts() error {
	return first(checkID(actionField+".catalog_id", a.Catalog), checkProductSections(actionField+".sections", a.Sections))
}

// checkProductSections counts the products of all sections before it looks at any.
func checkProductSections(field string, sections []Section) error {
	if err := checkSectionCount(field, sections); err != nil {
		return err
	}
	total := 0
	for n, s := range sections {
		items := fmt.Sprintf("%s[%d].product_items", field, n)
		switch total += len(s.Products); {
		case s.Products == nil:
			return fault(ReasonMissing, items, "is required, with 1 to %d entries", MaxProducts)
		case len(s.Products) == 0:
			return fault(ReasonProductCount, items, "has no entry, allowed are 1 to %d", MaxProducts)
		}
	}
	if total > MaxProducts {
		return fault(ReasonProductCount, field, "have %d products in all, the limit is %d", total, MaxProducts)
	}
	ids := make(seen)
	for n, s := range sections {
		path := fmt.Sprintf("%s[%d]", field, n)
		if err := checkSectionTitle(path, s.Title, len(sections)); err != nil {
			return err
		}
		for p, id := range s.Products {
			at := fmt.Sprintf("%s.product_items[%d].product_retailer_id", path, p)
			if err := first(checkID(at, id), ids.check(at, id)); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkID checks what a catalog or a product is called by.
func checkID(field, id string) error { return checkText(field, id, MaxProductID) }

// ShowsProducts reports whether the customer sees products of a catalog.
func (i *Interactive) ShowsProducts() bool {
	return i.Type == InteractiveProduct || i.Type == InteractiveProducts || i.Type == InteractiveCatalog ||
		i.Type == InteractiveCarousel && len(i.Action.Cards) > 0 && i.Action.Cards[0].Type == CardProduct
}

// ProductIDs returns what the products are called that the message names, in their order.
func (a *Action) ProductIDs() []string {
	var ids []string
	if a.Product != "" {
		ids = append(ids, a.Product)
	}
	for _, s := range a.Sections {
		ids = append(ids, s.Products...)
	}
	for _, c := range a.Cards {
		if c.Product != "" {
			ids = append(ids, c.Product)
		}
	}
	return ids
}

// Show fills in what the customer sees: the products that the message names, of those that were found in the catalog. A
// catalog message shows others behind them, MaxProducts in all. The error says which are not there.
func (i *Interactive) Show(found, others []*Product) error {
	a := &i.Action
	byID := productsByID(found)
	var err error
	if a.Products, err = pickProducts(actionField, a.Catalog, a.ProductIDs(), byID); err != nil || i.Type != InteractiveCatalog {
		return err
	}
	a.Products = addProducts(a.Products, byID, others)
	if len(a.Products) == 0 {
		return fault(ReasonProductsNone, actionField, "the catalog %q is empty", a.Catalog)
	}
	return nil
}

// addProducts adds other products of the catalog to those that are named, MaxProducts in all.
func addProducts(all []Product, named map[string]*Product, others []*Product) []Product {
	for _, p := range others {
		if _, first := named[p.RetailerID]; !first && len(all) < MaxProducts {
			all = append(all, *p)
		}
	}
	return all
}

func productsByID(found []*Product) map[string]*Product {
	byID := make(map[string]*Product, len(found))
	for _, p := range found {
		byID[p.RetailerID] = p
	}
	return byID
}

// pickProducts returns the products of the ids, in their order. The error says which the catalog has not.
func pickProducts(field, catalog string, ids []string, byID map[string]*Product) (all []Product, err error) {
	missing := ""
	for _, id := range ids {
		if p, ok := byID[id]; ok {
			all = append(all, *p)
		} else {
			missing = id
		}
	}
	switch {
	case missing != "" && len(all) == 0:
		return nil, fault(ReasonProductsNone, field, "the catalog %q has none of the products, such as %q", catalog, missing)
	case missing != "":
		return nil, fault(ReasonProductsMissing, field, "the catalog %q has no product %q", catalog, missing)
	}
	return all, nil
}

// ShownProducts returns what the customer sees of a catalog in a message, and can order.
func ShownProducts(c Content) []Product {
	switch c := c.(type) {
	case *Interactive:
		return c.Action.Products
	case *Template:
		if c.Rendered != nil {
			return c.Rendered.shownProducts()
		}
	}
	return nil
}
