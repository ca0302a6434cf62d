package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"kabar"
)

// The columns of a file of products; the first few must be there.
const (
	columns       = "retailer_id name price currency image availability"
	neededColumns = 4
)

// Limits of a product, in characters.
const (
	maxRetailerID  = 100
	maxProductName = 200
	maxImageURL    = 2000
)

// readProducts reads a file of products and names every fault with its line.
func readProducts(text string) (all []*kabar.Product, faults []string) {
	if !utf8.ValidString(text) {
		return nil, []string{"the file is not in UTF-8"}
	}
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))) // spreadsheets begin a file so
	header, err := r.Read()
	if err != nil {
		return nil, []string{"the file has no header row: it begins with " + strings.ReplaceAll(columns, " ", ",")}
	}
	if faults := checkHeader(header); faults != nil {
		return nil, faults
	}
	lines := map[string]int{}
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if bad, ok := errors.AsType[*csv.ParseError](err); ok {
			faults = append(faults, fmt.Sprintf("line %d: %v", bad.StartLine, bad.Err))
			if errors.Is(bad.Err, csv.ErrFieldCount) {
				continue
			}
			return nil, faults // a quote that does not end: what follows cannot be told apart
		}
		line, _ := r.FieldPos(0)
		p, wrong := productOf(header, fields)
		for _, w := range wrong {
			faults = append(faults, fmt.Sprintf("line %d: %s", line, w))
		}
		if first := lines[p.RetailerID]; first != 0 && p.RetailerID != "" {
			faults = append(faults, fmt.Sprintf("line %d: retailer_id %q is there twice, first in line %d", line, p.RetailerID, first))
		}
		lines[p.RetailerID] = line
		all = append(all, p)
	}
	if len(all) == 0 && len(faults) == 0 {
		faults = []string{"the file has no product"}
	}
	return all, faults
}

func checkHeader(header []string) (faults []string) {
	known := strings.Fields(columns)
	for i, name := range header {
		header[i] = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(known, header[i]) {
			faults = append(faults, fmt.Sprintf("line 1: there is no column %q; there are %s", name, strings.Join(known, ", ")))
		} else if slices.Index(header, header[i]) != i {
			faults = append(faults, fmt.Sprintf("line 1: the column %q is there twice", name))
		}
	}
	for _, name := range known[:neededColumns] {
		if !slices.Contains(header, name) {
			faults = append(faults, fmt.Sprintf("line 1: the column %q is missing", name))
		}
	}
	return faults
}

// productOf reads a line, and says what is wrong with it.
func productOf(header, fields []string) (p *kabar.Product, faults []string) {
	p = &kabar.Product{Availability: kabar.InStock}
	text := func(name, s string, limit int) string {
		if n := utf8.RuneCountInString(s); n < 1 || n > limit {
			faults = append(faults, fmt.Sprintf("%s: has %d characters, allowed are 1 to %d", name, n, limit))
		}
		return s
	}
	for i, name := range header {
		s := strings.TrimSpace(fields[i])
		switch name {
		case "retailer_id":
			p.RetailerID = text(name, s, maxRetailerID)
		case "name":
			p.Name = text(name, s, maxProductName)
		case "price":
			var ok bool
			if p.Price, ok = parsePrice(s); !ok {
				faults = append(faults, fmt.Sprintf("price: is %q; it must be a number such as 12.50", s))
			}
		case "currency":
			if p.Currency = s; len(s) != 3 || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
				faults = append(faults, fmt.Sprintf("currency: is %q; it must be three capital letters, such as EUR", s))
			}
		case "image":
			p.Image = s
			u, err := url.Parse(s)
			if s != "" && (err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || len(s) > maxImageURL) {
				faults = append(faults, "image: must be a URL that starts with http:// or https:// and a host name")
			}
		case "availability":
			faults = append(faults, availability(p, s)...)
		}
	}
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
