package engine

import (
	"context"
	"errors"
	"slices"

	"kabar"
)

// show fills in what the customer sees of a catalog. A catalog message shows the account's first one.
func (e *Engine) show(ctx context.Context, l *line, i *kabar.Interactive) error {
	a := l.number.Account
	if i.Type == kabar.InteractiveCarousel {
		i.Action.Catalog = i.Action.Cards[0].Catalog
	}
	var err error
	if i.Action.Catalog, err = e.catalog(ctx, a, "interactive.action.catalog_id", i.Action.Catalog); err != nil {
		return err
	}
	found, err := e.db.Products(ctx, a, i.Action.Catalog, i.Action.ProductIDs())
	if err != nil {
		return err
	}
	var others []*kabar.Product
	if i.Type == kabar.InteractiveCatalog {
		if others, err = e.db.Catalog(ctx, a, i.Action.Catalog, kabar.MaxProducts); err != nil {
			return err
		}
	}
	return i.Show(found, others)
}

// catalog returns the catalog of a name, which a field of the request gives; the account's first one for none.
func (e *Engine) catalog(ctx context.Context, a kabar.AccountID, field, name string) (string, error) {
	linked, err := e.db.Catalogs(ctx, a)
	switch {
	case err != nil:
		return "", err
	case len(linked) == 0:
		return "", kabar.Refuse(kabar.ReasonCatalogNone, "", "no catalog has been imported: kabar catalog import does it")
	case name == "":
		return linked[0], nil
	case !slices.Contains(linked, name):
		return "", kabar.Refuse(kabar.ReasonCatalogUnknown, field, "there is no catalog %q", name)
	}
	return name, nil
}

// showTemplate does the same for a template. A button of several products shows those of the account's first catalog, unless a
// header names another one, and one that opens the catalog shows that; without any it is a label.
func (e *Engine) showTemplate(ctx context.Context, l *line, r *kabar.Rendered) error {
	picture, opens := r.OpensCatalog()
	if !opens && !r.ShowsProducts() {
		return nil
	}
	named, err := r.CatalogID()
	if err != nil {
		return err
	}
	catalog, err := e.catalog(ctx, l.number.Account, "template.components", named)
	if refused, ok := errors.AsType[*kabar.Error](err); ok && refused.Reason == kabar.ReasonCatalogNone && !r.ShowsProducts() {
		return nil
	}
	if err != nil {
		return err
	}
	found, err := e.db.Products(ctx, l.number.Account, catalog, append(r.ProductIDs(), picture))
	if err != nil {
		return err
	}
	var others []*kabar.Product
	if opens {
		if others, err = e.db.Catalog(ctx, l.number.Account, catalog, kabar.MaxProducts); err != nil {
			return err
		}
	}
	return r.Show(catalog, found, others)
}
