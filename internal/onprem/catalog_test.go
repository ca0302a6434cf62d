package onprem

import (
	"kabar/internal/golden"
	"kabar/internal/store"
)

// stock gives the first number's account the catalogs of the tests.
func (e *env) stock() {
	e.t.Helper()
	must(e.t, e.db.Write(e.t.Context(), nil, func(tx *store.Tx) error {
		for _, p := range golden.Products() {
			p.Account = e.a.Account
			if _, _, err := tx.SaveProduct(p); err != nil {
				return err
			}
		}
		return nil
	}))
}
