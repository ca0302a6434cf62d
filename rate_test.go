package kabar_test

import (
	"strings"
	"testing"
	"time"

	"kabar"
)

func testCard(t *testing.T) *kabar.RateCard {
	t.Helper()
	c, err := kabar.NewRateCard([]kabar.Rate{
		{From: "2025-07-01", Currency: "USD", Market: "*", Category: kabar.CategoryUtility, Cost: 8000},
		{From: "2026-10-01", Currency: "USD", Market: "*", Category: kabar.CategoryUtility, Cost: 9000, Window: true},
		{From: "2025-07-01", Currency: "USD", Market: "ID", Category: kabar.CategoryUtility, Cost: 25000},
		{From: "2025-07-01", Currency: "USD", Market: "*", Category: kabar.CategoryMarketing, Cost: 60000, Window: true},
		{From: "2026-10-01", Currency: "USD", Market: "*", Category: kabar.CategoryService, Cost: 9000, Window: true, Free: 1000},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestARateHoldsFromItsDayOn(t *testing.T) {
	card := testCard(t)
	zone := time.FixedZone("", 7*3600)
	midnight := time.Date(2026, 10, 1, 0, 0, 0, 0, zone)
	for _, c := range []struct {
		at                time.Time
		currency, country string
		category          kabar.Category
		want              string
	}{
		{midnight.Add(-time.Second), "USD", "FR", kabar.CategoryUtility, "2025-07-01/USD/*/utility"},
		{midnight, "USD", "FR", kabar.CategoryUtility, "2026-10-01/USD/*/utility"},
		{midnight.UTC(), "USD", "FR", kabar.CategoryUtility, "2025-07-01/USD/*/utility"}, // the day is that of the time's own zone
		{midnight, "USD", "ID", kabar.CategoryUtility, "2025-07-01/USD/ID/utility"},      // a market's own rows go before
		{midnight, "USD", "", kabar.CategoryUtility, "2026-10-01/USD/*/utility"},         // a hidden number
		{midnight, "USD", "ID", kabar.CategoryMarketingLite, "2025-07-01/USD/*/marketing"},
		{midnight.Add(-time.Second), "USD", "FR", kabar.CategoryService, ""},
		{midnight, "USD", "FR", kabar.CategoryService, "2026-10-01/USD/*/service"},
		{midnight, "EUR", "FR", kabar.CategoryUtility, ""},
		{time.Date(2025, 6, 30, 23, 59, 0, 0, zone), "USD", "ID", kabar.CategoryUtility, ""},
	} {
		got := ""
		if r := card.At(c.at, c.currency, c.country, c.category); r != nil {
			got = r.ID()
		}
		if got != c.want {
			t.Errorf("%s %s %s at %s: %q, want %q", c.currency, c.country, c.category, c.at, got, c.want)
		}
	}
}

func TestWhatARateCosts(t *testing.T) {
	outside, everywhere := &kabar.Rate{Cost: 8000}, &kabar.Rate{Cost: 9000, Window: true, Entry: true}
	for name, c := range map[string]struct {
		rate  *kabar.Rate
		facts kabar.PricingFacts
		cost  kabar.Money
		why   kabar.Pricing
	}{
		"no rate":                       {nil, kabar.PricingFacts{}, 0, ""},
		"outside":                       {outside, kabar.PricingFacts{}, 8000, kabar.PricingRegular},
		"inside, free there":            {outside, kabar.PricingFacts{Window: true}, 0, kabar.PricingFreeWindow},
		"an entry point, free there":    {outside, kabar.PricingFacts{Entry: true}, 0, kabar.PricingFreeEntry},
		"both":                          {outside, kabar.PricingFacts{Window: true, Entry: true}, 0, kabar.PricingFreeEntry},
		"a rate that costs always":      {everywhere, kabar.PricingFacts{Window: true, Entry: true}, 9000, kabar.PricingRegular},
		"a rate that costs outside too": {everywhere, kabar.PricingFacts{}, 9000, kabar.PricingRegular},
	} {
		if cost, why := c.rate.Price(c.facts); cost != c.cost || why != c.why {
			t.Errorf("%s: %s %q, want %s %q", name, cost, why, c.cost, c.why)
		}
	}
}

func TestACardOfNonsenseIsRefused(t *testing.T) {
	good := kabar.Rate{From: "2026-10-01", Currency: "USD", Market: "ID", Category: kabar.CategoryUtility, Cost: 1}
	for want, change := range map[string]func(*kabar.Rate){
		"row 1: from is":           func(r *kabar.Rate) { r.From = "2026-02-30" },
		"row 1: currency is":       func(r *kabar.Rate) { r.Currency = "usd" },
		"row 1: market is":         func(r *kabar.Rate) { r.Market = "IDN" },
		"row 1: category is":       func(r *kabar.Rate) { r.Category = "inbound" },
		"row 1: price is":          func(r *kabar.Rate) { r.Cost = -1 },
		"row 1: free_per_month is": func(r *kabar.Rate) { r.Free = -1 },
		"row 2: the same day":      func(*kabar.Rate) {},
	} {
		bad := good
		change(&bad)
		if _, err := kabar.NewRateCard([]kabar.Rate{bad, good}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", bad, err, want)
		}
	}
}
