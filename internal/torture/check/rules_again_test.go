package main

import "testing"

// toldAgain is what logged tells of, once more.
const toldAgain = `
	retold e1 c1 5@A A#1=y1@A
	retaken e1 200
	retold e2 c2 6@A A#2=y2@A
	retaken e2 200
	`

func TestRulesOfWhatIsToldAgain(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"all of it", logged + `
			again 5
			agreed 5 202` + toldAgain + rest, nil},
		{"from the second on", logged + `
			again 6
			agreed 6 202
			retold e2 c2 6@A A#2=y2@A
			retaken e2 200` + rest, nil},
		{"nobody has asked", logged + toldAgain + rest, []string{"invention"}},
		{"the answer was lost: it may come or not", logged + `
			again 5
			agreed 5 0
			retold e1 c1 5@A A#1=y1@A
			retaken e1 200` + rest, nil},
		{"asked until it was agreed", logged + `
			again 5
			agreed 5 0
			again 5
			agreed 5 202` + toldAgain + rest, nil},
		{"one is left out", logged + `
			again 5
			agreed 5 202
			retold e2 c2 6@A A#2=y2@A
			retaken e2 200` + rest, []string{"replay"}},
		{"one is not taken", logged + `
			again 5
			agreed 5 202
			retold e1 c1 5@A A#1=y1@A
			retaken e1 200
			retold e2 c2 6@A A#2=y2@A
			retaken e2 500` + rest, []string{"replay"}},
		{"that is not missed before the end", logged + `
			again 5
			agreed 5 202`, nil},
		{"a store that is set back may have lost it", logged + `
			again 5
			agreed 5 202
			restored 1` + rest, nil},
		{"with other bytes", logged + `
			again 5
			agreed 5 202
			retold e1 c1 5@A A#1=y1@A
			retaken e1 200
			retold e2 c9 6@A A#2=y2@A
			retaken e2 200` + rest, []string{"once"}},
		{"under another id", logged + `
			again 5
			agreed 5 202` + toldAgain + `
			retold e9 c2 6@A A#2=y2@A
			retaken e9 200` + rest, []string{"once", "loss"}},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.text, c.want) })
	}
}

func TestRulesOfSeveralReplays(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"a second replay begins anew", logged + `
			again 5
			agreed 5 202` + toldAgain + `
			again 4
			agreed 4 202` + toldAgain + rest, nil},
		{"the same of one whose answer was lost", logged + `
			again 5
			agreed 5 0
			again 5
			agreed 5 202` + toldAgain + toldAgain + rest, nil},
		{"one for the same events is under way", logged + `
			again 5
			agreed 5 202` + toldAgain + `
			again 5
			agreed 5 202` + rest, nil},
		{"the same, though the times differ", logged + `
			again 4
			agreed 4 202
			retold e1 c1 5@A A#1=y1@A
			retaken e1 200
			again 3
			agreed 3 202
			retold e2 c2 6@A A#2=y2@A
			retaken e2 200` + rest, nil},
		{"the same place of the log, though one behind it happened before", unlogged + `
			log e1 c1 5/6@A A#1=y1@A
			logged e1 200
			log e2 c2 6/5@A A#2=y2@A
			logged e2 200
			again 5
			agreed 5 202
			retold e1 c1 5/6@A A#1=y1@A
			retaken e1 200
			retold e2 c2 6/5@A A#2=y2@A
			retaken e2 200
			again 6
			agreed 6 202` + rest, nil},
		{"another one, and it is not told", logged + `
			again 5
			agreed 5 202` + toldAgain + `
			again 6
			agreed 6 202` + rest, []string{"replay"}},
		{"from the mark on, after a kill", logged + `
			again 5
			agreed 5 202` + toldAgain + `
			killed server` + toldAgain + rest, nil},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.text, c.want) })
	}
}

func TestRulesOfOrderWhenToldAgain(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"in another order", logged + `
			again 5
			agreed 5 202
			retold e2 c2 6@A A#2=y2@A
			retaken e2 200
			retold e1 c1 5@A A#1=y1@A
			retaken e1 200
			retold e2 c2 6@A A#2=y2@A
			retaken e2 200
			retold e1 c1 5@A A#1=y1@A
			retaken e1 200` + rest, []string{"order"}},
		{"before the one before was taken", logged + `
			again 5
			agreed 5 202
			retold e1 c1 5@A A#1=y1@A
			retaken e1 500
			retold e2 c2 6@A A#2=y2@A
			retaken e2 200
			retold e1 c1 5@A A#1=y1@A
			retaken e1 200` + rest, []string{"order"}},
		{"and a third time without a reason", logged + `
			again 5
			agreed 5 202` + toldAgain + toldAgain + toldAgain + rest, []string{"order"}},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.text, c.want) })
	}
}

func TestRulesOfWhatIsToldAgainAlone(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"told again before it was told", logged + `
			say A 3
			said A 3 201
			hook w3 b3 A#3=y3@A
			took w3 200
			again 6
			agreed 6 202
			retold e2 c2 6@A A#2=y2@A
			retaken e2 200
			retold e3 c3 7@A A#3=y3@A
			retaken e3 200
			log e3 c3 7@A A#3=y3@A
			logged e3 200
			thread A A#1=y1 A#2=y2 A#3=y3
			quiet`, nil},
		{"told again, and never before, of what is about no message", logged + `
			again 6
			agreed 6 202
			retold e2 c2 6@A A#2=y2@A
			retaken e2 200
			retold e3 c3 7@
			retaken e3 200` + rest, []string{"loss"}},
		{"M23: and never told", logged + `
			say A 3
			said A 3 201
			hook w3 b3 A#3=y3@A
			took w3 200
			again 6
			agreed 6 202
			retold e2 c2 6@A A#2=y2@A
			retaken e2 200
			retold e3 c3 7@A A#3=y3@A
			retaken e3 200
			thread A A#1=y1 A#2=y2 A#3=y3
			quiet`, []string{"loss"}},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.text, c.want) })
	}
}
