package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math"

	"kabar"
)

type productRow struct {
	account                   int64
	catalog, retailerID, name string
	price                     int64
	currency, image           string
	availability              string
}

var products = &table[productKey, productRow]{
	shape: shape{"product", cols("account_id:bigint catalog:text retailer_id:text"),
		cols("name:text price:bigint currency:text image:text availability:text")},
	key:  func(r *productRow) productKey { return productKey{r.account, r.catalog, r.retailerID} },
	args: func(k productKey) []any { return []any{k.account, k.catalog, k.retailerID} },
	fields: func(r *productRow) []any {
		return []any{&r.account, &r.catalog, &r.retailerID, &r.name, &r.price, &r.currency, &r.image, &r.availability}
	},
	order: func(a, b productKey) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.catalog, b.catalog), cmp.Compare(a.retailerID, b.retailerID))
	},
}

// WantProduct announces that the product will be asked for.
func (tx *Tx) WantProduct(a kabar.AccountID, catalog, retailerID string) {
	tx.products.want(productKey{int64(a), catalog, retailerID})
}

// SaveProduct stores a product of an account under its catalog and retailer id, new or changed, and reports which.
func (tx *Tx) SaveProduct(p *kabar.Product) (added, changed bool, err error) {
	row := productRow{int64(p.Account), p.Catalog, p.RetailerID, p.Name, p.Price, p.Currency, p.Image, string(p.Availability)}
	old, err := tx.products.get(products.key(&row))
	if err != nil || old != nil && *old == row {
		return false, false, err
	}
	return old == nil, old != nil, tx.products.put(row)
}

// RemoveProduct forgets a product. One that is not there is no error.
func (tx *Tx) RemoveProduct(p *kabar.Product) error {
	return tx.products.del(productKey{int64(p.Account), p.Catalog, p.RetailerID})
}

func openProduct(r *productRow) *kabar.Product {
	return &kabar.Product{Account: kabar.AccountID(r.account), Catalog: r.catalog, RetailerID: r.retailerID, Name: r.name, Price: r.price,
		Currency: r.currency, Image: r.image, Availability: kabar.Availability(r.availability)}
}

// Products returns those of the products that an account's catalog has, in the order in which they are asked for.
func (db *DB) Products(ctx context.Context, a kabar.AccountID, catalog string, retailerIDs []string) ([]*kabar.Product, error) {
	var all []*kabar.Product
	for _, id := range retailerIDs { // few: a message has at most 30
		row, err := readOne(ctx, db, products, "account_id = $1 AND catalog = $2 AND retailer_id = $3", int64(a), catalog, id)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, openProduct(row))
	}
	return all, nil
}

// Catalogs returns the names of an account's catalogs, in order. A catalog is there while it has a product.
func (db *DB) Catalogs(ctx context.Context, a kabar.AccountID) ([]string, error) {
	ctx, cancel := db.within(ctx)
	defer cancel()
	rows, err := db.read.QueryContext(ctx, "SELECT DISTINCT catalog FROM product WHERE account_id = $1 ORDER BY catalog", int64(a))
	if err != nil {
		return nil, fault(err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below tells of a broken read
	var all []string
	for rows.Next() {
		all = append(all, "")
		if err := rows.Scan(&all[len(all)-1]); err != nil {
			return nil, fault(err)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fault(err)
	}
	return all, nil
}

// AllProducts is a limit of Catalog that leaves none out.
const AllProducts = math.MaxInt32

// Catalog returns the first products of an account's catalog by retailer id, up to limit; of all its catalogs when catalog is
// empty.
func (db *DB) Catalog(ctx context.Context, a kabar.AccountID, catalog string, limit int) ([]*kabar.Product, error) {
	rows, err := readAll(ctx, db, products, "account_id = $1 AND ($2 = '' OR catalog = $2) ORDER BY catalog, retailer_id LIMIT $3", int64(a), catalog, limit)
	if err != nil {
		return nil, err
	}
	all := make([]*kabar.Product, len(rows))
	for i := range rows {
		all[i] = openProduct(&rows[i])
	}
	return all, nil
}
