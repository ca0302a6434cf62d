package main

import "testing"

// unlogged is what a customer says, of which the first endpoint alone is told.
const unlogged = `
	opened
	say A 1
	said A 1 201
	say A 2
	said A 2 201
	hook w1 b1 A#1=y1@A
	took w1 200
	hook w2 b2 A#2=y2@A
	took w2 200
	`

// logged is the same, and the one of the dialect kabar is told of it, too.
const logged = unlogged + `
	log e1 c1 5@A A#1=y1@A
	logged e1 200
	log e2 c2 6@A A#2=y2@A
	logged e2 200
	`

const rest = `
	thread A A#1=y1 A#2=y2
	quiet`

// sentTwice is how the first endpoint is told of two messages to the customer.
const sentTwice = `
	ask c>A#1
	answer c>A#1 201 x1
	ask c>A#2
	answer c>A#2 201 x2
	hook w3 b3 x1:read@A
	took w3 200
	hook w4 b4 x2:read@A
	took w4 200
	`

const restOfTwo = `
	thread A A#1=y1 A#2=y2 c>A#1=x1 c>A#2=x2
	quiet`

// M23 and M24 here and below are the faults that leave such a history.
func TestRulesOfOtherEndpoints(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"two endpoints, each under ids of its own", logged + rest, nil},
		{"two logs, each with its own order and ids", unlogged + `
			log e1 c1 n1:5@A A#1=y1@A
			logged e1 200
			log e3 c3 n2:6@B
			logged e3 200
			log e4 c4 n3:20@B
			logged e4 200
			log e2 c2 n1:6@A A#2=y2@A
			logged e2 200` + rest, nil},
		{"of the second of two logs one is never told", logged + `
			log e3 c3 n2:5@B
			logged e3 200
			log e5 c5 n2:7@B
			logged e5 200` + rest, []string{"loss"}},
		{"in the second of two logs an event has two ids", logged + `
			log e3 c3 n2:5@B
			logged e3 200
			log e4 c3 n2:5@B
			logged e4 200` + rest, []string{"once"}},
		{"one that was told of nothing", unlogged + rest, []string{"loss"}},
		{"one message is never told there", unlogged + `
			log e1 c1 5@A A#1=y1@A
			logged e1 200` + rest, []string{"loss"}},
		{"never taken there", unlogged + `
			log e1 c1 5@A A#1=y1@A
			logged e1 200
			log e2 c2 6@A A#2=y2@A
			logged e2 500` + rest, []string{"loss"}},
		{"a status that is told there alone", logged + `
			ask c>A#1
			answer c>A#1 201 x1
			log e3 c3 7@A x1:delivered@A
			logged e3 200
			thread A A#1=y1 A#2=y2 c>A#1=x1
			quiet`, []string{"accounting"}},
		{"a status is missing there", logged + sentTwice + `
			log e3 c3 7@A x1:sent@A
			logged e3 200
			log e4 c4 8@A x1:read@A
			logged e4 200
			log e5 c5 9@A x2:sent@A
			logged e5 200` + restOfTwo, []string{"accounting"}},
		{"told there as failed, and shown", logged + sentTwice + `
			log e3 c3 7@A x1:read@A
			logged e3 200
			log e4 c4 8@A x2:failed:500@A
			logged e4 200` + restOfTwo, []string{"accounting"}},
		{"invented there", logged + `
			log e3 c3 7@A A#3=y3@A
			logged e3 200
			thread A A#1=y1 A#2=y2
			quiet`, []string{"invention"}},
		{"a status of what is invented there", logged + `
			log e3 c3 7@A x1:sent@A
			logged e3 200` + rest, []string{"invention"}},
		{"a retry with other bytes there", logged + `
			log e2 c9 6@A A#2=y2@A
			logged e2 200` + rest, []string{"once"}},
		{"told there of one message twice", logged + `
			log e3 c3 7@A A#2=y2@A
			logged e3 200` + rest, []string{"once"}},
		{"M24: an id of each process's own", logged + `
			killed server
			log e9 c2 6@A A#2=y2@A
			logged e9 200` + rest, []string{"once"}},
		{"the same of an event that is about no message", logged + `
			log e3 c3 7@
			logged e3 500
			killed server
			log e9 c3 7@
			logged e9 200` + rest, []string{"once", "loss"}},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.text, c.want) })
	}
}

func TestRulesOfOrderAtOtherEndpoints(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"told out of order there", unlogged + `
			log e2 c2 6@A A#2=y2@A
			logged e2 200
			log e1 c1 5@A A#1=y1@A
			logged e1 200` + rest, []string{"order"}},
		{"told there in the order of the log, which is another one", unlogged + `
			log e1 c1 5@A A#2=y2@A
			logged e1 200
			log e2 c2 6@A A#1=y1@A
			logged e2 200` + rest, []string{"order"}},
		{"an event that is about no message is overtaken", logged + `
			log e3 c3 7@A
			logged e3 500
			log e4 c4 8@A
			logged e4 200
			log e3 c3 7@A
			logged e3 200` + rest, []string{"order"}},
		{"what one client asked for is told there as sent in another order", logged + sentTwice + `
			log e3 c3 7@A x2:read@A
			logged e3 200
			log e4 c4 8@A x2:sent@A
			logged e4 200
			log e5 c5 9@A x1:sent@A
			logged e5 200
			log e6 c6 10@A x1:read@A
			logged e6 200` + restOfTwo, []string{"order", "status"}},
		{"events of nobody have no order", logged + `
			log e4 c4 8@
			log e3 c3 7@
			logged e4 200
			logged e3 200` + rest, nil},
		{"customers do not wait for each other", logged + `
			say D 1
			said D 1 201
			say A 3
			said A 3 201
			hook w3 b3 D#1=z1@D
			took w3 200
			hook w4 b4 A#3=y3@A
			took w4 200
			log e4 c4 8@A A#3=y3@A
			log e3 c3 7@D D#1=z1@D
			logged e4 200
			logged e3 200
			thread D D#1=z1
			thread A A#1=y1 A#2=y2 A#3=y3
			quiet`, nil},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.text, c.want) })
	}
}

func TestRulesOfTheLog(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"an event that is about no message is skipped", logged + `
			log e4 c4 8@
			logged e4 200` + rest, []string{"loss"}},
		{"a restore leaves a gap", logged + `
			restored 2
			log e4 c4 80@
			logged e4 200` + rest, nil},
		{"a restore leaves a gap before what had not been taken", logged + `
			log e3 c3 7@
			logged e3 500
			restored 16
			log e4 c4 80@
			logged e4 200
			log e3 c3 7@
			logged e3 200` + rest, nil},
		{"what had been told before the copy is no gap of a restore", logged + `
			log e4 c4 8@
			logged e4 200
			restored 16
			log e5 c5 80@
			logged e5 200` + rest, []string{"loss"}},
		{"what is restored is excused by each endpoint's own lateness", unlogged + `
			log e1 c1 5@A A#1=y1@A
			logged e1 200
			killed server
			restored 12
			thread A A#1=y1 A#2=y2
			quiet`, nil},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.text, c.want) })
	}
}
