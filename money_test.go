package kabar_test

import (
	"testing"

	"kabar"
)

func TestMoney(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0.00", "12.5": "12.50", "0.0043": "0.0043", "0.000001": "0.000001", "007.10": "7.10", "-3.25": "-3.25", "-0": "0.00",
		"1000000000": "1000000000.00", "100": "100.00", "1.120": "1.12",
	} {
		m, err := kabar.ParseMoney(text)
		if err != nil || m.String() != want {
			t.Errorf("%q is %s, %v; want %s", text, m, err, want)
		}
		if again, err := kabar.ParseMoney(m.String()); err != nil || again != m {
			t.Errorf("%s reads as %s, %v", m, again, err)
		}
	}
	for _, text := range []string{"", ".", ".5", "5.", "1,5", "1e3", "+1", "--1", "0.0000001", "1000000000.000001", "99999999999999999999", " 1", "1 ", "½", "0x1", "1.2.3", "-"} {
		if m, err := kabar.ParseMoney(text); err == nil {
			t.Errorf("%q was read as %s", text, m)
		}
	}
}

func FuzzMoney(f *testing.F) {
	for _, s := range []string{"12.50", "-0.000001", "1000000000", "1.", "9223372036854775807"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := kabar.ParseMoney(s)
		if err != nil {
			return
		}
		if again, err := kabar.ParseMoney(m.String()); err != nil || again != m {
			t.Errorf("%q is %s, which reads as %s, %v", s, m, again, err)
		}
	})
}
