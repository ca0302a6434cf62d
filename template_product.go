package kabar

import "slices"

// What a template message shows of a catalog: the product of its header, those behind its button, and those of its cards.

// products returns what a button of several products opens: the product whose picture is shown, and the products in their
// sections.
func (f filling) products() (thumbnail string, sections []Section, err error) {
	p, err := f.only(ParameterAction)
	if err != nil {
		return "", nil, err
	}
	if p.Action == nil || p.Action.Sections == nil {
		return "", nil, fault(ReasonMissing, f.field+".parameters[0].action.sections", "is required: the products that the button shows")
	}
	return p.Action.Thumbnail, p.Action.Sections, nil
}

// ShowsProducts reports whether the customer sees products that the message names.
func (r *Rendered) ShowsProducts() bool { return len(r.ProductIDs()) > 0 }

// OpensCatalog reports whether a button of the message opens the catalog, and which product's picture it has; empty for any.
func (r *Rendered) OpensCatalog() (product string, opens bool) {
	i := slices.IndexFunc(r.Buttons, func(b RenderedButton) bool { return b.Type == ButtonCatalog })
	if i < 0 {
		return "", false
	}
	return r.Buttons[i].Product, true
}

// ProductIDs returns what the products are called that the message names, those of its cards behind its own.
func (r *Rendered) ProductIDs() []string {
	ids := r.pictured()
	ids = append(ids, r.ownProducts()...)
	for n := range r.Cards {
		ids = append(ids, r.Cards[n].ProductIDs()...)
	}
	return ids
}

// ownProducts are those that are shown above the message and behind its button.
func (r *Rendered) ownProducts() (ids []string) {
	if r.Header != nil && r.Header.Product != nil {
		ids = append(ids, r.Header.Product.RetailerID)
	}
	for _, b := range r.Buttons {
		for _, s := range b.Sections {
			ids = append(ids, slices.DeleteFunc(slices.Clone(s.Products), func(id string) bool { return slices.Contains(ids, id) })...)
		}
	}
	return ids
}

// pictured are the products of which only the picture is shown, on a button of several products.
func (r *Rendered) pictured() (ids []string) {
	for _, b := range r.Buttons {
		if b.Type == ButtonProducts && b.Product != "" {
			ids = append(ids, b.Product)
		}
	}
	return ids
}

// CatalogID returns the catalog that the message names; empty when it names none. What a customer orders is of one catalog, so a
// message shows the products of one.
func (r *Rendered) CatalogID() (id string, err error) {
	if r.Header != nil && r.Header.Product != nil {
		id = r.Header.Product.Catalog
	}
	for n := range r.Cards {
		switch other, err := r.Cards[n].CatalogID(); {
		case err != nil:
			return "", err
		case id == "":
			id = other
		case other != "" && other != id:
			return "", fault(ReasonInvalid, "template.components", "name products of the catalogs %q and %q; a message shows those of one", id, other)
		}
	}
	return id, nil
}

// Show fills in what the customer sees: the products that the message names, of those that were found in the catalog. One that opens the
// catalog shows others behind them, MaxProducts in all, that of its picture first. The error says which are not there.
func (r *Rendered) Show(catalog string, found, others []*Product) error {
	const field = "template.components"
	byID := productsByID(found)
	if _, err := pickProducts(field, catalog, r.ProductIDs(), byID); err != nil {
		return err
	}
	if err := r.show(field, catalog, byID); err != nil {
		return err
	}
	if first, opens := r.OpensCatalog(); opens {
		named := map[string]*Product{}
		for _, p := range r.Products {
			named[p.RetailerID] = &p
		}
		if p, ok := byID[first]; ok && named[first] == nil {
			r.Products, named[first] = append(r.Products, *p), p
		}
		r.Products = addProducts(r.Products, named, others)
	}
	return nil
}

func (r *Rendered) show(field, catalog string, byID map[string]*Product) (err error) {
	if r.Products, err = pickProducts(field, catalog, r.ownProducts(), byID); err != nil {
		return err
	}
	for n := range r.Cards {
		if err := r.Cards[n].show(field, catalog, byID); err != nil {
			return err
		}
	}
	return nil
}

// shownProducts returns each product once, as it can be ordered.
func (r *Rendered) shownProducts() []Product {
	all := slices.Clip(r.Products)
	for n := range r.Cards {
		for _, p := range r.Cards[n].shownProducts() {
			if !slices.ContainsFunc(all, func(q Product) bool { return q.RetailerID == p.RetailerID }) {
				all = append(all, p)
			}
		}
	}
	return all
}
