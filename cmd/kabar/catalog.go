package main

import (
	"context"
	"fmt"
	"strings"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/store"
)

// catalogCmd manages the catalogs of accounts.
type catalogCmd struct {
	Import catalogImportCmd `cmd:"" help:"Import products from a CSV file."`
	List   catalogListCmd   `cmd:"" help:"List the products."`
}

// Help is shown by kabar catalog --help.
func (*catalogCmd) Help() string {
	return `A catalog has the products that product messages show and customers order. It belongs to an account; messages name it by its
catalog_id and a product by its product_retailer_id.

Examples:
  kabar catalog import products.csv --data server
  kabar catalog import summer.csv --catalog 2024 --replace --data server
  kabar catalog list --data server`
}

// catalogOperations are what the commands below ask for.
func catalogOperations(m *control.Mux, p *parts) {
	control.Handle(m, "catalog.import", recorded(p.db, "catalog.imported", p.importCatalog))
	control.Handle(m, "catalog.list", p.listCatalog)
}

type catalogImportCmd struct {
	storeFlags  `embed:""`
	accountFlag `embed:""`
	Catalog     string `help:"The catalog_id." default:"main" placeholder:"ID" env:"-"`
	Replace     bool   `help:"Remove the products of the catalog that the file does not have." env:"-"`
	File        string `arg:"" help:"CSV with a header row." type:"path"`
}

// Help is shown by kabar catalog import --help.
func (*catalogImportCmd) Help() string {
	return `The file begins with a header row; its columns may stand in any order, parted by commas, semicolons or tabs:

  retailer_id,name,price,currency,image,availability
  mug-1,Kabar mug,12.50,EUR,https://cdn.example/mug.png,in stock

image and availability may be left out. price has a point and up to three digits behind it. availability is "in stock" (the default),
"out of stock", "available for order" or "discontinued".

Products that are there already, by retailer_id, are updated; those that the file does not have stay, unless --replace is given.
Nothing is stored unless every line is right; otherwise every faulty line is named.`
}

type (
	importCatalog struct {
		Account string `json:"account"`
		Catalog string `json:"catalog"`
		Replace bool   `json:"replace"`
		Text    string `json:"text"` // of the file
	}
	importedCatalog struct {
		Account   string `json:"account"`
		New       int    `json:"new"`
		Changed   int    `json:"changed"`
		Unchanged int    `json:"unchanged"`
		Removed   int    `json:"removed"`
	}
)

// Run imports products.
func (c *catalogImportCmd) Run(ctx context.Context, s streams) error {
	text, err := readInput(c.File, "import it in several files, each with the header row, and without --replace")
	if err != nil {
		return err
	}
	return c.operate(ctx, func(op *control.Client) error {
		var out importedCatalog
		if err := op.Call(ctx, "catalog.import", importCatalog{c.Account, c.Catalog, c.Replace, text}, &out, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "Catalog %s of %q: %d new, %d changed, %d unchanged, %d removed\n", c.Catalog, out.Account, out.New, out.Changed,
			out.Unchanged, out.Removed)
		return err
	})
}

func (p *parts) importCatalog(ctx context.Context, in importCatalog, _ control.Report) (out importedCatalog, err error) {
	account, err := p.oneAccount(ctx, in.Account)
	if err != nil {
		return out, err
	}
	if strings.TrimSpace(in.Catalog) == "" {
		return out, control.Refuse("--catalog: must not be empty")
	}
	all, faults := readProducts(in.Text)
	if len(faults) > 0 {
		return out, control.Refuse("nothing was imported:\n  %s", strings.Join(faults, "\n  "))
	}
	var before []*kabar.Product
	if in.Replace {
		if before, err = p.db.Catalog(ctx, account.ID, in.Catalog, store.AllProducts); err != nil {
			return out, err
		}
	}
	err = p.db.Write(ctx, nil, func(tx *store.Tx) error {
		out = importedCatalog{Account: account.Name}
		there := map[string]bool{}
		for _, product := range all {
			product.Account, product.Catalog, there[product.RetailerID] = account.ID, in.Catalog, true
			added, changed, err := tx.SaveProduct(product)
			switch {
			case err != nil:
				return err
			case added:
				out.New++
			case changed:
				out.Changed++
			default:
				out.Unchanged++
			}
		}
		for _, product := range before {
			if there[product.RetailerID] {
				continue
			}
			if err := tx.RemoveProduct(product); err != nil {
				return err
			}
			out.Removed++
		}
		return nil
	})
	return out, err
}

type catalogListCmd struct {
	storeFlags  `embed:""`
	listFlags   `embed:""`
	accountFlag `embed:""`
	Catalog     string `help:"Only this catalog." placeholder:"ID" env:"-"`
}

type listCatalog struct {
	Account string `json:"account"`
	Catalog string `json:"catalog"` // empty: all
}

// Run lists the products.
func (c *catalogListCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var all []*kabar.Product
		if err := op.Call(ctx, "catalog.list", listCatalog{c.Account, c.Catalog}, &all, nil); err != nil {
			return err
		}
		rows := make([][]string, len(all))
		for i, p := range all {
			rows[i] = []string{p.Catalog, p.RetailerID, p.Name, priceText(p.Price) + " " + p.Currency, string(p.Availability), orDash(p.Image)}
		}
		return c.print(s.out, all, "There are no products yet. Import some: kabar catalog import FILE.csv --data "+c.Data,
			"CATALOG|RETAILER ID|NAME|PRICE|AVAILABILITY|IMAGE", rows)
	})
}

func (p *parts) listCatalog(ctx context.Context, in listCatalog, _ control.Report) ([]*kabar.Product, error) {
	account, err := p.oneAccount(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	all, err := p.db.Catalog(ctx, account.ID, in.Catalog, store.AllProducts)
	if all == nil {
		all = []*kabar.Product{}
	}
	return all, err
}
