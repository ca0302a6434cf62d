package csvtable_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"kabar/internal/csvtable"
)

func columns() csvtable.Columns {
	return csvtable.Columns{Required: []string{"name", "price"}, Optional: []string{"note"}}
}

func TestRowsAreRead(t *testing.T) {
	var got []string
	faults := csvtable.Read("\ufeffPRICE, Name \r\n1, \"a, b\"\r\n\r\n 2 ,c\r\n", columns(), func(r csvtable.Row) []string {
		got = append(got, fmt.Sprintf("%d %s %s %q", r.Line, r.Get("name"), r.Get("price"), r.Get("note")))
		return nil
	})
	if want := []string{`2 a, b 1 ""`, `4 c 2 ""`}; len(faults) > 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("%q, %q", got, faults)
	}
}

// A spreadsheet parts columns as its country does.
func TestColumnsArePartedByWhatTheHeaderSays(t *testing.T) {
	for text, want := range map[string]string{
		"name;price;note\na,b;1;\n":                     `a,b|1|`,
		"\ufeffNOTE; Price ;name\r\n\"x;y\";1,5; a\r\n": `a|1,5|x;y`,
		"name\tprice\tnote\n\"a\tb\"\t\tx\n":            "a\tb||x",
		"name,price,note\na;b,1,c\td\n":                 "a;b|1|c\td",
		"name\tprice\na, b\t1\n":                        "a, b|1|",
	} {
		got := ""
		faults := csvtable.Read(text, columns(), func(r csvtable.Row) []string {
			got += r.Get("name") + "|" + r.Get("price") + "|" + r.Get("note")
			return nil
		})
		if len(faults) > 0 || got != want {
			t.Errorf("%q: %q, %q; want %q", text, got, faults, want)
		}
	}
	one := csvtable.Columns{Required: []string{"name"}, Any: true}
	if faults := csvtable.Read("name;city\na;b\n", one, func(r csvtable.Row) []string { return []string{r.Get("name") + r.Get("city")} }); len(faults) != 1 || faults[0] != "line 2: ab" {
		t.Errorf("%q", faults)
	}
}

func TestEveryFaultHasItsLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "no header row: it begins with name,price,note",
		"\xff":                   "not in UTF-8",
		"name,price\n":           "no row but its header",
		"name\na\n":              `line 1: the column "price" is missing`,
		"name,price,name\n":      `line 1: the column "name" is there twice`,
		"name;colour;price\n":    `line 1: there is no column "colour"; there are name, price, note`,
		"name;price\na;b;c\n":    "line 2: wrong number of fields",
		"name,price,colour\n":    `line 1: there is no column "colour"; there are name, price, note`,
		"name,price\na\nb,bad\n": "line 2: wrong number of fields\nline 3: price: bad",
		"name,price\na,\"1\n":    "line 2: ",
		"name,price\n" + strings.Repeat("a,bad\n", 60): "line 51: price: bad\nand 10 more",
	} {
		faults := csvtable.Read(text, columns(), func(r csvtable.Row) []string {
			if r.Get("price") == "bad" {
				return []string{"price: bad"}
			}
			return nil
		})
		if got := strings.Join(faults, "\n"); !strings.Contains(got, want) {
			t.Errorf("%.40q: %q, want %q", text, got, want)
		}
	}
}

func TestOtherColumnsAreReadWhereTheyMayBe(t *testing.T) {
	got := ""
	faults := csvtable.Read("name,Colour,price\na,red,1\n", csvtable.Columns{Required: []string{"name"}, Any: true}, func(r csvtable.Row) []string {
		got = r.Get("colour")
		return nil
	})
	if len(faults) > 0 || got != "red" {
		t.Errorf("%q, %q", got, faults)
	}
	if faults := csvtable.Read("Colour,colour\n1,2\n", csvtable.Columns{Required: []string{"name"}, Any: true}, nil); len(faults) != 2 {
		t.Errorf("faults %q", faults)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("name,price\na,1\n")
	f.Add("\ufeffPRICE,name,note\r\n1,\"a\"\"b\",\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		rows := 0
		faults := csvtable.Read(s, columns(), func(r csvtable.Row) []string { rows++; return nil })
		if rows == 0 && len(faults) == 0 {
			t.Errorf("%q has neither rows nor faults", s)
		}
	})
}
