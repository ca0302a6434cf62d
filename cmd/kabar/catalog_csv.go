package main

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"kabar"
	"kabar/internal/csvtable"
)

// productColumns are those of a file of products.
func productColumns() csvtable.Columns {
	return csvtable.Columns{Required: []string{"retailer_id", "name", "price", "currency"}, Optional: []string{"image", "availability"}}
}

// Limits of a product, in characters.
const (
	maxRetailerID  = 100
	maxProductName = 200
	maxImageURL    = 2000
)

// readProducts reads a file of products and names every fault with its line.
func readProducts(text string) (all []*kabar.Product, faults []string) {
	lines := map[string]int{}
	faults = csvtable.Read(text, productColumns(), func(r csvtable.Row) []string {
		p, wrong := productOf(r)
		if first := lines[p.RetailerID]; first != 0 && p.RetailerID != "" {
			wrong = append(wrong, fmt.Sprintf("retailer_id %q is there twice, first in line %d", p.RetailerID, first))
		}
		lines[p.RetailerID] = r.Line
		all = append(all, p)
		return wrong
	})
	return all, faults
}

// productOf reads a line, and says what is wrong with it.
func productOf(r csvtable.Row) (p *kabar.Product, faults []string) {
	p = &kabar.Product{RetailerID: r.Get("retailer_id"), Name: r.Get("name"), Currency: r.Get("currency"), Image: r.Get("image"), Availability: kabar.InStock}
	for _, f := range []struct {
		name, text string
		limit      int
	}{{"retailer_id", p.RetailerID, maxRetailerID}, {"name", p.Name, maxProductName}} {
		if n := utf8.RuneCountInString(f.text); n < 1 || n > f.limit {
			faults = append(faults, fmt.Sprintf("%s: has %d characters, allowed are 1 to %d", f.name, n, f.limit))
		}
	}
	var ok bool
	if p.Price, ok = parsePrice(r.Get("price")); !ok {
		faults = append(faults, fmt.Sprintf("price: is %q; it must be a number such as 12.50", r.Get("price")))
	}
	if len(p.Currency) != 3 || strings.Trim(p.Currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		faults = append(faults, fmt.Sprintf("currency: is %q; it must be three capital letters, such as EUR", p.Currency))
	}
	u, err := url.Parse(p.Image)
	if p.Image != "" && (err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || len(p.Image) > maxImageURL) {
		faults = append(faults, "image: must be a URL that starts with http:// or https:// and a host name")
	}
	faults = append(faults, availability(p, r.Get("availability"))...)
	return p, faults
}

func availability(p *kabar.Product, s string) []string {
	if s == "" {
		return nil
	}
	p.Availability = kabar.Availability(strings.ToLower(s))
	switch p.Availability {
	case kabar.InStock, kabar.OutOfStock, kabar.AvailableForOrder, kabar.Discontinued:
		return nil
	}
	return []string{fmt.Sprintf("availability: is %q, allowed are %s, %s, %s and %s", s, kabar.InStock, kabar.OutOfStock, kabar.AvailableForOrder,
		kabar.Discontinued)}
}

// parsePrice reads an amount as thousandths.
func parsePrice(s string) (int64, bool) {
	whole, part, _ := strings.Cut(s, ".")
	if len(part) > 3 || whole == "" || strings.Trim(whole+part, "0123456789") != "" || strings.HasSuffix(s, ".") {
		return 0, false
	}
	n, err := strconv.ParseInt(whole+(part + "000")[:3], 10, 64)
	return n, err == nil
}

// priceText writes thousandths with at least two digits behind the point.
func priceText(thousandths int64) string {
	s := fmt.Sprintf("%d.%03d", thousandths/1000, thousandths%1000)
	return strings.TrimSuffix(s, "0")
}
