package main

import "testing"

func TestRulesOfMoney(t *testing.T) {
	const delivery = `
			draw 100
			drew 200
			ask c>A#1
			answer c>A#1 201 x1
			hook w1 b1 x1:delivered@A
			took w1 200
			thread A c>A#1=x1
			quiet
`
	const failure = `
			ask c>A#1
			answer c>A#1 201 x1
			hook w1 b1 x1:failed:500@A
			took w1 200
			thread A
			quiet
`
	money := []string{"money"}
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"paid", delivery + "books 100/93/0/7 allocate:100 reserve:7:x1 settle:7:x1", nil},
		{"failed, and given back", failure + "books 0/0/0/0 reserve:7:x1 release:7:x1", nil},
		{"failed before anything was reserved", failure + "books 0/0/0/0", nil},
		{"delivered, and never paid", delivery + "books 100/100/0/0 allocate:100", money},
		{"delivered, and still reserved", delivery + "books 100/93/7/0 allocate:100 reserve:7:x1", money},
		{"delivered, and given back", delivery + "books 100/100/0/0 allocate:100 reserve:7:x1 release:7:x1", money},
		{"at another price", delivery + "books 100/92/0/8 allocate:100 reserve:8:x1 settle:8:x1", money},
		{"failed, and paid", failure + "books 0/-7/0/7 reserve:7:x1 settle:7:x1", money},
		{"paid twice", delivery + "books 100/86/0/14 allocate:100 reserve:7:x1 settle:7:x1 settle:7:x1", money},
		{"reserved twice", delivery + "books 100/86/7/7 allocate:100 reserve:7:x1 settle:7:x1 reserve:7:x1", money},
		{"given back what was never reserved", failure + "books 0/7/-7/0 release:7:x1", money},
		{"a digit is off", delivery + "books 100/94/0/7 allocate:100 reserve:7:x1 settle:7:x1", money},
		{"spent without an entry", delivery + "books 100/92/0/8 allocate:100 reserve:7:x1 settle:7:x1", money},
		{"nobody asked for it", delivery + "books 100/86/0/14 allocate:100 reserve:7:x1 settle:7:x1 reserve:7:x2 settle:7:x2", money},
		{"no answer told that it was stored", "ask c>A#2 \n thread A \n" + failure + "books 0/-7/7/0 reserve:7:x1 release:7:x1 reserve:7:x2", nil},
		{"a limit that nobody set", delivery + "books 90/83/0/7 allocate:90 reserve:7:x1 settle:7:x1", money},
		{"a limit whose answer was lost holds", "draw 50 \n drew 200 \n draw 60 \n drew 0" + failure + "books 60/60/0/0 allocate:50 allocate:10", nil},
		{"or does not", "draw 50 \n drew 200 \n draw 60 \n drew 0" + failure + "books 50/50/0/0 allocate:50", nil},
		{"an acknowledged limit is lost", "draw 50 \n drew 200 \n draw 60 \n drew 200" + failure + "books 50/50/0/0 allocate:50", money},
		{"unless the store was set back", "draw 50 \n drew 200 \n draw 60 \n drew 200 \n restored 3" + failure + "books 50/50/0/0 allocate:50", nil},
		{"to a copy that held it", "draw 50 \n drew 200 \n draw 60 \n drew 200 \n restored 5" + failure + "books 50/50/0/0 allocate:50", money},
		{"what was under way then may be paid or not", `
			ask c>A#1
			answer c>A#1 201 x1
			restored 1
			hook w1 b1 x1:delivered@A
			took w1 200
			thread A c>A#1=x1
			quiet
			books 0/0/0/0`, nil},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.text, c.want) })
	}
}
