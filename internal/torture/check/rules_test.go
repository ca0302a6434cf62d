package main

import (
	"slices"
	"testing"
)

// ordinary is the ordinary way of a message, in one piece.
const ordinary = `
	ask c>A#1
	answer c>A#1 201 x1
	send B A x1/1 r.0 h1
	stored B x1/1
	deliver A B x1/1 1 h1
	ack A 1
	hook w1 b1 x1:sent@A
	took w1 200
	hook w2 b2 x1:delivered@A
	took w2 200
	thread A c>A#1=x1
	quiet
`

// spoken is the ordinary way of what a customer says.
const spoken = `
	say A 1
	send A B s1/1 r.0 h1
	stored A s1/1
	said A 1 201
	deliver B A s1/1 1 h1
	ack B 1
	hook w1 b1 A#1=y1@A
	took w1 200
	thread A A#1=y1
	quiet
`

// The tests of rules have histories that each break the rules named, and their twins that break none. M2, M3 and so on are the faults
// of a product that would leave such a history.
func TestRulesOfLoss(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"an ordinary message", ordinary, nil},
		{"an ordinary saying", spoken, nil},
		{"M2: answered before it was stored", `
			ask c>A#1
			answer c>A#1 201 x1
			killed server
			thread A
			quiet`, []string{"loss", "accounting"}},
		{"no answer, and nothing stored", `
			ask c>A#1
			killed server
			thread A
			quiet`, nil},
		{"a told failure is no loss", `
			ask c>A#1
			answer c>A#1 201 x1
			hook w1 b1 x1:failed:500@A
			took w1 200
			thread A
			quiet`, nil},
		{"M3: a webhook counts as done before it was taken", `
			say A 1
			said A 1 201
			hook w1 b1 A#1=y1@A
			took w1 503
			thread A A#1=y1
			quiet`, []string{"loss"}},
		{"refused, and told again", `
			say A 1
			said A 1 201
			hook w1 b1 A#1=y1@A
			took w1 503
			hook w1 b1 A#1=y1@A
			took w1 200
			thread A A#1=y1
			quiet`, nil},
		{"M4: dropped when no answer came", `
			ask c>A#1
			answer c>A#1 201 x1
			hook w1 b1 x1:delivered@A
			took w1 0
			thread A c>A#1=x1
			quiet`, []string{"accounting"}},
		{"cut off behind the answer", `
			ask c>A#1
			answer c>A#1 201 x1
			hook w1 b1 x1:delivered@A
			took w1 0 after
			thread A c>A#1=x1
			quiet`, nil},
		{"M7: acknowledged to the relay before it was stored", `
			say A 1
			send A B s1/1 r.0 h1
			stored A s1/1
			said A 1 201
			deliver B A s1/1 1 h1
			ack B 1
			killed server
			thread A A#1=y1
			quiet`, []string{"gone"}},
		{"what waits at the relay is not gone, but lost when all had time", `
			say A 1
			send A B s1/1 r.0 h1
			stored A s1/1
			said A 1 201
			deliver B A s1/1 1 h1
			thread A A#1=y1
			quiet`, []string{"loss"}},
		{"nothing is missed in a history without end", `
			ask c>A#1
			answer c>A#1 201 x1
			say A 1
			said A 1 201`, nil},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.text, c.want) })
	}
}

func TestRulesOfUploads(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"M17: an upload whose file is gone", `
			upload c>A#1 h7
			uploaded c>A#1 201
			ask c>A#1 image
			answer c>A#1 201 x1
			hook w1 b1 x1:failed:500@A
			took w1 200
			thread A
			quiet`, []string{"upload"}},
		{"an image with other bytes", `
			upload c>A#1 h7
			uploaded c>A#1 201
			ask c>A#1 image
			answer c>A#1 201 x1
			hook w1 b1 x1:delivered@A
			took w1 200
			thread A c>A#1=x1/h8
			quiet`, []string{"upload"}},
		{"an image", `
			upload c>A#1 h7
			uploaded c>A#1 201
			ask c>A#1 image
			answer c>A#1 201 x1
			hook w1 b1 x1:delivered@A
			took w1 200
			thread A c>A#1=x1/h7
			quiet`, nil},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.text, c.want) })
	}
}

func TestRulesOfInvention(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"nobody asked", `
			thread A c>A#1=x1
			quiet`, []string{"invention"}},
		{"shown to somebody else", `
			ask c>A#1
			thread D c>A#1=x1
			quiet`, []string{"invention"}},
		{"refused, and shown", `
			ask c>A#1
			answer c>A#1 400
			thread A c>A#1=x1
			quiet`, []string{"invention"}},
		{"nobody said it", `
			hook w1 b1 A#1=y1@A
			took w1 200
			quiet`, []string{"invention"}},
		{"a question without answer may have one id", `
			ask c>A#1
			answer c>A#1 0
			hook w1 b1 x1:sent@A
			took w1 200
			quiet`, nil},
		{"and not two", `
			ask c>A#1
			answer c>A#1 0
			hook w1 b1 x1:sent@A
			took w1 200
			hook w2 b2 x2:sent@A
			took w2 200
			quiet`, []string{"invention"}},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.text, c.want) })
	}
}

// expect judges a history that is written down.
func expect(t *testing.T, text string, want []string) {
	t.Helper()
	found := judge(index(notation(t, text)))
	if got := names(found); !slices.Equal(got, want) {
		t.Errorf("broken: %q, want %q", got, want)
		for _, v := range found {
			t.Logf("%s: %s %v", v.rule, v.what, v.records)
		}
	}
}

func TestRulesOfOnce(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"M5: a key makes two messages", `
			ask c>A#1
			answer c>A#1 0
			ask c>A#1
			answer c>A#1 201 x2
			hook w1 b1 x2:delivered@A
			took w1 200
			thread A c>A#1=x1 c>A#1=x2
			quiet`, []string{"once", "idempotency"}},
		{"M5: what is delivered again is told again", `
			say A 1
			said A 1 201
			hook w1 b1 A#1=y1@A
			took w1 200
			hook w2 b2 A#1=y1@A
			took w2 200
			thread A A#1=y1
			quiet`, []string{"once"}},
		{"M5: and by another id", `
			say A 1
			said A 1 201
			hook w1 b1 A#1=y1@A
			took w1 200
			hook w2 b2 A#1=y2@A
			took w2 200
			thread A A#1=y1
			quiet`, []string{"once"}},
		{"M11: a new webhook-id for each attempt", `
			ask c>A#1
			answer c>A#1 201 x1
			hook w1 b1 x1:sent@A
			took w1 500
			hook w2 b1 x1:sent@A
			took w2 200`, []string{"once"}},
		{"M12: a body written anew", `
			ask c>A#1
			answer c>A#1 201 x1
			hook w1 b1 x1:sent@A
			took w1 500
			hook w1 b2 x1:sent@A
			took w1 200`, []string{"once"}},
		{"twice in one body", `
			ask c>A#1
			answer c>A#1 201 x1
			hook w1 b1 x1:sent@A x1:sent@A
			took w1 200`, []string{"once"}},

		{"a key with two ids", `
			ask c>A#1
			answer c>A#1 201 x1
			ask c>A#1
			answer c>A#1 201 x2`, []string{"idempotency"}},
		{"a key with two answers", `
			ask c>A#1
			answer c>A#1 201 x1
			ask c>A#1
			answer c>A#1 201 x1 another`, []string{"idempotency"}},
		{"an id with two keys", `
			ask c>A#1
			answer c>A#1 201 x1
			ask c>A#2
			answer c>A#2 201 x1`, []string{"idempotency"}},
		{"an answer given again", `
			ask c>A#1
			answer c>A#1 503
			ask c>A#1
			answer c>A#1 201 x1
			ask c>A#1
			answer c>A#1 201 x1`, nil},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.text, c.want) })
	}
}
