package relayserver

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestInviteForm(t *testing.T) {
	form := regexp.MustCompile(`^kri_[A-Z2-7]{33}$`)
	seen := map[string]bool{}
	for range 100 {
		s := newSecret()
		if !form.MatchString(s) || !isInvite(s) || seen[s] {
			t.Fatalf("invite %q", s)
		}
		seen[s] = true
	}
	good := newSecret()
	rapid.Check(t, func(t *rapid.T) {
		b := []byte(good)
		if b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte"); isInvite(string(b)) != (string(b) == good) {
			t.Errorf("isInvite(%q) is wrong", b)
		}
	})
}

func FuzzIsInvite(f *testing.F) {
	f.Add(newSecret())
	f.Add("kri_")
	f.Fuzz(func(t *testing.T, s string) {
		if isInvite(s) && (len(s) != inviteLen || !strings.HasPrefix(s, invitePrefix)) {
			t.Errorf("%q", s)
		}
	})
}

func TestCodesAreSixDigits(t *testing.T) {
	form := regexp.MustCompile(`^[0-9]{6}$`)
	seen := map[string]bool{}
	for range 1000 {
		c := newCode()
		if !form.MatchString(c) {
			t.Fatalf("code %q", c)
		}
		seen[c] = true
	}
	if len(seen) < 990 { // by chance 999.5 differ
		t.Errorf("only %d of 1,000 codes differ", len(seen))
	}
}

func TestValidAccounts(t *testing.T) {
	for account, want := range map[string]struct{ business, customer bool }{
		"628111000200":     {true, true},
		"1234567":          {true, true},
		"123456789012345":  {true, true},
		"123456":           {},
		"1234567890123456": {},
		"0811100020":       {},
		"62811100020a":     {},
		"+62811100020":     {},
		"":                 {},
		"ID.1aB2cD":        {false, true},
		"ID.":              {},
		"IDN.1aB":          {},
		"I-.1aB":           {},
		"ID.1a-B":          {},
		"ID.1a.B":          {},
		"inv-3":            {},
	} {
		if b, c := validBusiness(account), validCustomer(account); b != want.business || c != want.customer {
			t.Errorf("%q: business %t, customer %t; want %t, %t", account, b, c, want.business, want.customer)
		}
	}
}
