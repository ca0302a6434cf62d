package main

import "testing"

func TestRulesOfOrder(t *testing.T) {
	const two = `
		ask c>A#1
		answer c>A#1 201 x1
		ask c>A#2
		answer c>A#2 201 x2
		`
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"M9: a retry overtakes on the way to the phone", two + `
			send B A x2/1 r.0 h2
			send B A x1/1 r.1 h1
			thread A c>A#2=x2 c>A#1=x1`, []string{"order"}},
		{"encrypted again", two + `
			send B A x1/1 r.0 h1
			send B A x2/1 r.1 h2
			send B A x1/2 s.0 h3
			thread A c>A#2=x2 c>A#1=x1`, nil},
		{"two clients have no order", `
			ask c>A#1
			answer c>A#1 201 x1
			ask d>A#1
			answer d>A#1 201 x2
			thread A d>A#1=x2 c>A#1=x1`, nil},
		{"asked before the first was answered", `
			ask c>A#1
			ask c>A#2
			answer c>A#1 201 x1
			answer c>A#2 201 x2
			thread A c>A#2=x2 c>A#1=x1`, nil},
		{"M9: sent is told past a retry", two + `
			hook w1 b1 x1:sent@A
			took w1 500
			hook w2 b2 x2:sent@A
			took w2 200
			hook w1 b1 x1:sent@A
			took w1 200`, []string{"order"}},
		{"in one body", two + `
			hook w1 b1 x1:sent@A x2:sent@A
			took w1 500
			hook w1 b1 x1:sent@A x2:sent@A
			took w1 200`, nil},
		{"in one body, the wrong way round", two + `
			hook w1 b1 x2:sent@A x1:sent@A
			took w1 200`, []string{"order"}},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.text, c.want) })
	}
}

func TestOrderOfSayings(t *testing.T) {
	const says = `
		say A 1
		said A 1 201
		say A 2
		said A 2 201
		`
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"M9: a saying overtakes", says + `
			hook w1 b1 A#1=y1@A
			took w1 500
			hook w2 b2 A#2=y2@A
			took w2 200
			hook w1 b1 A#1=y1@A
			took w1 200`, []string{"order"}},
		{"one after the other", says + `
			hook w1 b1 A#1=y1@A
			took w1 500
			hook w1 b1 A#1=y1@A
			took w1 200
			hook w2 b2 A#2=y2@A
			took w2 200`, nil},
		{"an image waits for its bytes", `
			say A 1 image h1
			said A 1 201
			say A 2
			said A 2 201
			hook w2 b2 A#2=y2@A
			took w2 200
			hook w1 b1 A#1=y1/h1@A
			took w1 200`, nil},
		{"and does not overtake", `
			say A 1
			said A 1 201
			say A 2 image h1
			said A 2 201
			hook w2 b2 A#2=y2/h1@A
			took w2 200
			hook w1 b1 A#1=y1@A
			took w1 200`, []string{"order"}},
		{"several customers do not wait for each other", `
			say A 1
			said A 1 201
			say D 1
			said D 1 201
			hook w1 b1 A#1=y1@A
			hook w2 b2 D#1=y2@D
			took w2 200
			took w1 200`, nil},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.text, c.want) })
	}
}

func TestOrderOfWhatIsAskedForAgain(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"unreadable, and asked for again in a fresh session", `
			send A B s0/1 q.0 h0 eph=e1
			stored A s0/1
			stored A s0/1
			stored A s0/1
			stored A s0/1
			stored A s0/1
			say A 1
			said A 1 201
			send B A z/1 p.0 h5 eph=e2
			say A 2
			said A 2 201
			hook w2 b2 A#2=y2@A
			took w2 200
			hook w1 b1 A#1=y1@A
			took w1 200`, nil},
		{"the same soon after the first session, behind a restore", `
			send A B s0/1 q.0 h0 eph=e1
			restored 1
			say A 1
			said A 1 201
			send B A z/1 p.0 h5 eph=e2
			say A 2
			said A 2 201
			hook w2 b2 A#2=y2@A
			took w2 200
			hook w1 b1 A#1=y1@A
			took w1 200`, nil},
		{"two sessions begun at once are no excuse", `
			send A B s0/1 q.0 h0 eph=e1
			say A 1
			said A 1 201
			send B A z/1 p.0 h5 eph=e2
			say A 2
			said A 2 201
			hook w2 b2 A#2=y2@A
			took w2 200
			hook w1 b1 A#1=y1@A
			took w1 200`, []string{"order"}},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.text, c.want) })
	}
}

func TestRulesOfStatus(t *testing.T) {
	const one = `
		ask c>A#1
		answer c>A#1 201 x1
		`
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"M10: by arrival", one + `
			hook w1 b1 x1:read@A
			took w1 200
			hook w2 b2 x1:delivered@A
			took w2 200`, []string{"status"}},
		{"forward", one + `
			hook w1 b1 x1:sent@A
			took w1 200
			hook w2 b2 x1:delivered@A x1:read@A
			took w2 200`, nil},
		{"told before the one before was taken", one + `
			hook w1 b1 x1:sent@A
			took w1 500
			hook w2 b2 x1:delivered@A
			took w2 200
			hook w1 b1 x1:sent@A
			took w1 200`, []string{"status"}},
		{"sent, and failed", one + `
			hook w1 b1 x1:sent@A
			took w1 200
			hook w2 b2 x1:failed:500@A
			took w2 200`, nil},
		{"failed, and sent", one + `
			hook w1 b1 x1:failed:500@A
			took w1 200
			hook w2 b2 x1:sent@A
			took w2 200`, []string{"status"}},
		{"delivered, and failed", one + `
			hook w1 b1 x1:delivered@A
			took w1 200
			hook w2 b2 x1:failed:500@A
			took w2 200`, []string{"status"}},
		{"no such status", one + `
			hook w1 b1 x1:lost@A
			took w1 200`, []string{"status"}},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.text, c.want) })
	}
}
