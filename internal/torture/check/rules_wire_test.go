package main

import "testing"

func TestRulesOfKeys(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"M6: the ratchet is stored after the packet has left", `
			send B A x1/1 r.0 h1
			killed server
			send B A x2/1 r.0 h2`, []string{"keys"}},
		{"M14: a restored store goes on in the old session", `
			send B A x1/1 r.0 h1
			send B A x2/1 r.1 h2
			restored 1
			send B A x3/1 r.1 h3`, []string{"keys"}},
		{"a restored store begins a session", `
			send B A x1/1 r.0 h1
			send B A x2/1 r.1 h2
			restored 1
			send B A x3/1 s.0 h3 eph=e1 otk=1`, nil},
		{"the same again", `
			send B A x1/1 r.0 h1
			killed server
			send B A x1/1 r.0 h1`, nil},
		{"an envelope with another content", `
			send B A x1/1 r.0 h1
			send B A x1/1 r.1 h2`, []string{"resend"}},
		{"a one-time key begins two sessions", `
			send B A x1/1 r.0 h1 eph=e1 otk=7
			send B A x2/1 s.0 h2 eph=e2 otk=7`, []string{"keys"}},
		{"a session's handshake, repeated", `
			send B A x1/1 r.0 h1 eph=e1 otk=7
			send B A x2/1 r.1 h2 eph=e1 otk=7
			send B D x3/1 s.0 h3 eph=e2 otk=7`, nil},
		{"a one-time key handed out twice", `
			bundle B A 7
			bundle D A 7`, []string{"keys"}},
		{"bundles without one", `
			bundle B A 0
			bundle B A 0
			bundle B A 7
			bundle B D 7`, nil},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.text, c.want) })
	}
}

func TestRulesOfWindow(t *testing.T) {
	const asks = `
		ask c>A#1 closed
		answer c>A#1 201 x1
		`
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"fails as it must", asks + `
			hook w1 b1 x1:failed:470@A
			took w1 200
			thread A
			quiet`, nil},
		{"leaves and arrives", asks + `
			send B A x1/1 r.0 h1
			hook w1 b1 x1:delivered@A
			took w1 200
			thread A c>A#1=x1
			quiet`, []string{"window"}},
		{"leaves", asks + `
			send B A x1/1 r.0 h1`, []string{"window"}},
		{"fails otherwise", asks + `
			hook w1 b1 x1:failed:500@A
			took w1 200`, []string{"window"}},
		{"a template may go", `
			ask c>A#1 template closed
			answer c>A#1 201 x1
			send B A x1/1 r.0 h1
			hook w1 b1 x1:delivered@A
			took w1 200
			thread A c>A#1=x1
			quiet`, nil},
		{"closed to a customer who has written", `
			say A 1
			said A 1 201
			hook w1 b1 A#1=y1@A
			took w1 200
			ask c>A#1
			answer c>A#1 201 x1
			hook w2 b2 x1:failed:470@A
			took w2 200`, []string{"window"}},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.text, c.want) })
	}
}

func TestRulesOfAccounting(t *testing.T) {
	const one = `
		ask c>A#1
		answer c>A#1 201 x1
		`
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"pending at the end", one + `
			hook w1 b1 x1:sent@A
			took w1 200
			thread A c>A#1=x1
			quiet`, []string{"accounting"}},
		{"pending, as the harness says", one + `
			hook w1 b1 x1:sent@A
			took w1 200
			thread A c>A#1=x1
			quiet still under way: <c>A#1`, nil},
		{"delivered, and not shown", one + `
			hook w1 b1 x1:delivered@A
			took w1 200
			thread A
			quiet`, []string{"loss", "accounting"}},
		{"failed, and shown", one + `
			hook w1 b1 x1:failed:500@A
			took w1 200
			thread A c>A#1=x1
			quiet`, []string{"accounting"}},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.text, c.want) })
	}
}

func TestRulesOfTheRelay(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"stored and never delivered", `
			send B A x1/1 r.0 h1
			stored B x1/1
			send A B s1/1 s.0 h2
			deliver B A s1/1 1 h2
			quiet`, []string{"relay"}},
		{"who was not there gets nothing", `
			send B A x1/1 r.0 h1
			stored B x1/1
			quiet`, nil},
		{"passed by a later one", `
			send B A x1/1 r.0 h1
			stored B x1/1
			send B A x2/1 r.1 h2
			stored B x2/1
			deliver A B x2/1 2 h2`, []string{"relay"}},
		{"under way", `
			send B A x1/1 r.0 h1
			stored B x1/1
			send A B s1/1 s.0 h2`, nil},
		{"delivered to somebody else", `
			send B A x1/1 r.0 h1
			deliver D B x1/1 1 h1`, []string{"relay"}},
		{"delivered with other bytes", `
			send B A x1/1 r.0 h1
			deliver A B x1/1 1 h2`, []string{"relay"}},
		{"nobody sent it", `
			deliver A B x1/1 1 h1`, []string{"relay"}},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.text, c.want) })
	}
}

// What was under way when a store was set back is excused; what came before and behind is not.
func TestRestored(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"lost between copy and restore", `
			ask c>A#1
			answer c>A#1 201 x1
			restored 1
			thread A
			quiet`, nil},
		{"lost behind the restore", `
			restored 1
			ask c>A#1
			answer c>A#1 201 x1
			thread A
			quiet`, []string{"loss", "accounting"}},
		{"at rest before the copy, and lost", `
			ask c>A#1
			answer c>A#1 201 x1
			hook w1 b1 x1:delivered@A
			took w1 200
			killed server
			restored 5
			thread A
			quiet`, []string{"loss", "accounting"}},
		{"a key makes a message on either side", `
			ask c>A#1
			answer c>A#1 0
			restored 1
			ask c>A#1
			answer c>A#1 201 x2
			thread A c>A#1=x1 c>A#1=x2
			quiet`, nil},
		{"one message is shown twice all the same", `
			ask c>A#1
			answer c>A#1 201 x1
			restored 1
			thread A c>A#1=x1 c>A#1=x1
			quiet`, []string{"once"}},
		{"told again by the same id inside", `
			say A 1
			said A 1 201
			hook w1 b1 A#1=y1@A
			took w1 200
			restored 2
			hook w2 b2 A#1=y1@A
			took w2 200
			thread A A#1=y1
			quiet`, nil},
		{"told again long after it was told", `
			say A 1
			said A 1 201
			hook w1 b1 A#1=y1@A
			took w1 200
			killed server
			restored 5
			hook w2 b2 A#1=y1@A
			took w2 200
			thread A A#1=y1
			quiet`, []string{"once"}},
		{"two keys, one id, one life each", `
			ask c>A#1
			answer c>A#1 201 x1
			restored 1
			ask c>A#2
			answer c>A#2 201 x1`, nil},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.text, c.want) })
	}
}
