package kabar

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestTheLedgerGoesByWhatWasSaidLast(t *testing.T) {
	start := time.Date(2031, 5, 2, 12, 0, 0, 0, time.UTC)
	said := func(s ConsentState, after time.Duration, by, proof string) *ConsentEntry {
		return &ConsentEntry{State: s, At: start.Add(after), By: by, Proof: proof}
	}
	type entries []*ConsentEntry
	for name, c := range map[string]struct {
		of      entries
		want    ConsentState
		refused bool // the last of them
	}{
		"nothing":                     {nil, ConsentUnknown, false},
		"in":                          {entries{said(ConsentIn, 0, ByOperator, "")}, ConsentIn, false},
		"in and out":                  {entries{said(ConsentIn, 0, ByOperator, ""), said(ConsentOut, 1, ByCustomer, "")}, ConsentOut, false},
		"an older list":               {entries{said(ConsentOut, 2, ByCustomer, ""), said(ConsentIn, 1, ByOperator, "form")}, ConsentOut, false},
		"in again, without proof":     {entries{said(ConsentOut, 0, ByCustomer, ""), said(ConsentIn, 1, ByOperator, "")}, ConsentOut, true},
		"in again, with proof":        {entries{said(ConsentOut, 0, ByCustomer, ""), said(ConsentIn, 1, ByOperator, "form")}, ConsentIn, false},
		"in again, by the customer":   {entries{said(ConsentOut, 0, ByCustomer, ""), said(ConsentIn, 1, ByCustomer, "")}, ConsentIn, false},
		"out twice, and in":           {entries{said(ConsentOut, 0, ByCustomer, ""), said(ConsentOut, 1, ByOperator, ""), said(ConsentIn, 2, ByOperator, "")}, ConsentOut, true},
		"out by both, and in":         {entries{said(ConsentOut, 0, ByOperator, ""), said(ConsentOut, 1, ByCustomer, ""), said(ConsentIn, 2, ByOperator, "")}, ConsentOut, true},
		"out, in, out by others, in":  {entries{said(ConsentOut, 0, ByCustomer, ""), said(ConsentIn, 1, ByCustomer, ""), said(ConsentOut, 2, ByOperator, ""), said(ConsentIn, 3, ByOperator, "")}, ConsentIn, false},
		"out by the operator, and in": {entries{said(ConsentOut, 0, ByOperator, ""), said(ConsentIn, 1, ByOperator, "")}, ConsentIn, false},
	} {
		got := Consent{State: ConsentUnknown}
		for i, e := range c.of {
			was := got
			changed, err := got.Take(e)
			if last := i == len(c.of)-1; (err != nil) != (last && c.refused) || changed != (was.State != got.State || was.Own != got.Own) {
				t.Errorf("%s: entry %d: changed %v, %v", name, i, changed, err)
			}
		}
		if got.State != c.want {
			t.Errorf("%s: %s, want %s", name, got.State, c.want)
		}
	}
}

func TestConsentEntriesAreChecked(t *testing.T) {
	now := time.Date(2031, 5, 2, 12, 0, 0, 0, time.UTC)
	good := ConsentEntry{State: ConsentIn}
	if err := good.Validate(now); err != nil || good != (ConsentEntry{State: ConsentIn, For: "marketing", How: "api", At: now, Recorded: now}) {
		t.Errorf("%+v, %v", good, err)
	}
	for name, e := range map[string]ConsentEntry{
		"without a state":  {},
		"unknown":          {State: ConsentUnknown},
		"in the future":    {State: ConsentIn, At: now.Add(1)},
		"about too much":   {State: ConsentIn, For: strings.Repeat("x", MaxConsentText+1)},
		"by a long way":    {State: ConsentIn, How: strings.Repeat("x", MaxConsentText+1)},
		"with a long tale": {State: ConsentIn, Proof: strings.Repeat("x", MaxConsentProof+1)},
	} {
		if err := e.Validate(now); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestWordsOfConsent(t *testing.T) {
	spanish, err := ConsentWords{Stop: []string{" Ya  no!"}}.Plain()
	if err != nil {
		t.Fatal(err)
	}
	own := &ConsentPolicy{Words: map[string]ConsentWords{"es": spanish, "en": {}}}
	for text, want := range map[string][2]ConsentState{ // by default, and with words of one's own
		"STOP":                      {ConsentOut, ConsentUnknown},
		" stop! ":                   {ConsentOut, ConsentUnknown},
		"Stop\nAll":                 {ConsentOut, ConsentUnknown},
		"Stop by the shop today?":   {ConsentUnknown, ConsentUnknown},
		"start":                     {ConsentIn, ConsentUnknown},
		"¡BAJA!":                    {ConsentOut, ConsentUnknown},
		"Ya no.":                    {ConsentUnknown, ConsentOut},
		"Berhenti":                  {ConsentOut, ConsentOut},
		"mulai":                     {ConsentIn, ConsentIn},
		"ARRÊT":                     {ConsentOut, ConsentOut},
		"إيقاف":                     {ConsentOut, ConsentOut},
		"रोकें":                     {ConsentOut, ConsentOut},
		"cancel":                    {ConsentUnknown, ConsentUnknown},
		"":                          {ConsentUnknown, ConsentUnknown},
		"...":                       {ConsentUnknown, ConsentUnknown},
		strings.Repeat("stop ", 99): {ConsentUnknown, ConsentUnknown},
	} {
		for i, p := range []*ConsentPolicy{{}, own} {
			if got, _ := p.Heard(text); got != want[i] {
				t.Errorf("%q, policy %d: %s, want %s", text, i, got, want[i])
			}
		}
	}
	for language, w := range DefaultConsentWords() {
		if plain, err := w.Plain(); err != nil || !reflect.DeepEqual(plain, w) {
			t.Errorf("%s: %v, as they are compared %v, %v", language, w, plain, err)
		}
	}
	for _, bad := range []string{"!", strings.Repeat("x", longestWord+1), "one two three four five"} {
		if _, err := (ConsentWords{Start: []string{bad}}).Plain(); err == nil {
			t.Errorf("%q is taken, which no message can be", bad)
		}
	}
}

func TestTheCapOfMarketing(t *testing.T) {
	start := time.Date(2031, 5, 2, 12, 0, 0, 0, time.UTC)
	p, c := &ConsentPolicy{Cap: 2}, &Consent{}
	for _, step := range []struct {
		after  time.Duration
		capped bool
	}{{0, false}, {23 * time.Hour, false}, {24*time.Hour - 1, true}, {24 * time.Hour, false}, {25 * time.Hour, false}, {26 * time.Hour, true}} {
		now := start.Add(step.after)
		if got := p.Capped(c, "ID", now); got != step.capped {
			t.Errorf("after %v: capped %v", step.after, got)
		}
		if p.Capped(c, "ES", now) || p.Capped(c, "GB", now) || (&ConsentPolicy{}).Capped(c, "ID", now) {
			t.Errorf("after %v: somebody is capped who never is", step.after)
		}
		if !step.capped {
			c.Market(now)
		}
	}
	if !p.Caps("") || !p.Caps("US") || p.Caps("JP") {
		t.Error("whose marketing is capped is not as the contract says")
	}
}
