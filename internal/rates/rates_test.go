package rates_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/rates"
)

// TestTheCardWithinTheProgram: each priced category of each market costs between 0 and 1, and October 2026 changes what the contract
// says that it does.
func TestTheCardWithinTheProgram(t *testing.T) {
	card := rates.Default()
	for _, r := range card.Rates {
		if r.Cost <= 0 || r.Cost >= 1_000_000 {
			t.Errorf("%s costs %s", r.ID(), r.Cost)
		}
	}
	inside := kabar.PricingFacts{Window: true}
	for _, c := range []struct {
		day      string
		category kabar.Category
		free     bool // inside the window
		quota    int
	}{
		{"2026-09-30", kabar.CategoryMarketing, false, 0}, {"2026-09-30", kabar.CategoryAuthentication, false, 0},
		{"2026-09-30", kabar.CategoryUtility, true, 0}, {"2026-09-30", kabar.CategoryService, true, 0},
		{"2026-10-01", kabar.CategoryUtility, false, 0}, {"2026-10-01", kabar.CategoryService, false, 1000},
	} {
		day, err := time.Parse("2006-01-02", c.day)
		if err != nil {
			t.Fatal(err)
		}
		r := card.At(day, "USD", "ID", c.category)
		if cost, _ := r.Price(inside); (cost == 0) != c.free || r != nil && r.Free != c.quota {
			t.Errorf("%s on %s: %+v", c.category, c.day, r)
		}
	}
}

func TestACardReadsAsItWasWritten(t *testing.T) {
	var first, second bytes.Buffer
	if err := rates.Write(&first, rates.Default()); err != nil {
		t.Fatal(err)
	}
	text := first.String()
	card, err := rates.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := rates.Write(&second, card); err != nil || second.String() != text {
		t.Errorf("%v, and it is written as\n%s", err, second.String())
	}
}

// TestFaultsAreToldAtOnce names every line that is wrong.
func TestFaultsAreToldAtOnce(t *testing.T) {
	const head = "from,currency,market,category,price,in_window,entry_point,free_per_month\n"
	for text, want := range map[string][]string{
		"":                        {"no header row", "from,currency"},
		"from,currency\n":         {`line 1: the column "market" is missing`},
		head[:len(head)-1] + ",x": {`line 1: there is no column "x"`},
		head + "2026-10-01,USD,ID,utility,1.5.0,yes,no,0\n2026-10-01,USD,ID,utility,1,maybe,no,0\n2026-10-01,USD,Indonesia,utility,1,yes,no,0\n": {
			"line 2: price: ", "line 3: in_window: ", "line 4: market is"},
		head + "2026-10-01,USD,ID,utility,1,yes,no,many\n2026-10-01,USD,ID,utility,1\n":         {"line 2: free_per_month", "line 3"},
		head + "2026-10-01,USD,ID,utility,1,yes,no,0\n\n2026-10-01,USD,ID,UTILITY,2,yes,no,0\n": {"line 4: has the day, currency, market and category of line 2"},
		head + "2026-10-01,USD,ID,utility,1,yes,no,0\n2026-10-01,USD,UK,utility,1,yes,no,0\n2026-10-01,USD,XX,utility,1,yes,no,0\n2026-10-01,usd,ID,utility,1,yes,no,0\n": {
			`line 3: market is "UK": ISO 3166 has no such country; the United Kingdom is GB`, `line 4: market is "XX"`, `line 5: currency is "usd"`},
		head + strings.Repeat("x,USD,ID,utility,1,yes,no,0\n", 100): {"line 51: from is", "and 50 more"},
		head + "2026-10-01,USD,ID,utility,\"1,yes,no,0\n":           {"line 2"},
	} {
		card, err := rates.Read(text)
		if err == nil {
			t.Errorf("%q was read: %+v", text, card)
			continue
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%.200q: %v; want %q", text, err, w)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	if err := rates.Write(&b, rates.Default()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.String())
	f.Add("from,currency,market,category,price,in_window,entry_point,free_per_month\n2026-10-01,USD,*,utility,1,yes,no,0\n")
	f.Fuzz(func(t *testing.T, s string) {
		card, err := rates.Read(s)
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := rates.Write(&out, card); err != nil {
			t.Fatal(err)
		}
		if _, err := rates.Read(out.String()); err != nil {
			t.Errorf("what was written cannot be read: %v", err)
		}
	})
}
