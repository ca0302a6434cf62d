package main

import (
	"reflect"
	"strings"
	"testing"

	"kabar"
)

const csvHeader = "retailer_id,name,price,currency,image,availability\n"

func TestReadProducts(t *testing.T) {
	mug := kabar.Product{RetailerID: "mug-1", Name: "Kabar mug", Price: 12500, Currency: "EUR", Availability: kabar.InStock}
	full := mug
	full.Image, full.Availability = "https://shop.example/mug.png", kabar.OutOfStock
	for name, c := range map[string]struct {
		text string
		want kabar.Product
	}{
		"all columns": {csvHeader + "mug-1,Kabar mug,12.50,EUR,https://shop.example/mug.png,Out of stock\n", full},
		"the needed ones, as a spreadsheet writes them": {"\ufeffPrice, Currency ,NAME,Retailer_ID\r\n12.5,EUR,Kabar mug,mug-1\r\n", mug},
		"quoted, with room around":                      {csvHeader + "mug-1,\"Kabar mug\", 12.500 ,EUR,,\n", mug},
	} {
		all, faults := readProducts(c.text)
		if len(faults) > 0 || len(all) != 1 || !reflect.DeepEqual(*all[0], c.want) {
			t.Errorf("%s: %+v, %q", name, all, faults)
		}
	}
}

func TestFaultsOfProducts(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "no header row",
		"\xff":                        "not in UTF-8",
		"retailer_id,name,price\n":    `line 1: the column "currency" is missing`,
		"name,name\n":                 `line 1: the column "name" is there twice`,
		csvHeader:                     "the file has no row but its header",
		"colour," + csvHeader:         `line 1: there is no column "colour"`,
		csvHeader + "a,A,1,EUR,\n":    "line 2: wrong number of fields",
		csvHeader + "a,\"A,1,EUR,,":   "line 2: ",
		csvHeader + ",A,1,EUR,,\n":    "line 2: retailer_id: has 0 characters",
		csvHeader + "a,A,1,eur,,\n":   `line 2: currency: is "eur"`,
		csvHeader + "a,A,1,EUR,x,\n":  "line 2: image: must be a URL",
		csvHeader + "a,A,1,EUR,,no\n": `line 2: availability: is "no"`,
		csvHeader + "a,A,1,EUR,,\nb,B,2,EUR,,\na,A,1,EUR,,\n":                   `line 4: retailer_id "a" is there twice, first in line 2`,
		csvHeader + "a," + strings.Repeat("é", maxProductName+1) + ",1,EUR,,\n": "line 2: name: has 201 characters",
	} {
		if _, faults := readProducts(text); !strings.Contains(strings.Join(faults, "\n"), want) {
			t.Errorf("%.60q: %q, want %q", text, faults, want)
		}
	}
}

func TestPrices(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "12": 12000, "12.5": 12500, "12.50": 12500, "0.001": 1, "007.25": 7250,
		"": -1, ".5": -1, "5.": -1, "1.2345": -1, "-1": -1, "+1": -1, "1,5": -1, "1e3": -1, "1.2.3": -1, "9223372036854775807": -1} {
		got, ok := parsePrice(text)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %d, %v", text, got, ok)
		}
	}
	for thousandths, want := range map[int64]string{0: "0.00", 12500: "12.50", 1: "0.001", 7250: "7.25", 1999: "1.999"} {
		if got := priceText(thousandths); got != want {
			t.Errorf("%d: %s, want %s", thousandths, got, want)
		}
	}
}
