package phone

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kabar/internal/payload"
)

// queueOf draws an outbox: messages, receipts of messages that come in order and are read after they were delivered, and
// receipts that were asked for again. said is what each row says, in order.
func queueOf(t *rapid.T) (rows []queued, said [][]string) {
	next, read := 0, 0
	ids := func(status string, from, to int) (out, says []string) {
		for i := from; i < to; i++ {
			id := fmt.Sprintf("%018x", i)
			out, says = append(out, id), append(says, status+" "+id)
		}
		return out, says
	}
	for range rapid.IntRange(0, 400).Draw(t, "rows") {
		q := queued{id: int64(len(rows)*2 + 1)}
		var says []string
		receipt := func(status string, from, to int) {
			wires, s := ids(status, from, to)
			b, err := payload.Encode(&payload.Payload{Receipt: &payload.Receipt{Status: status, IDs: wires}}, time.UnixMilli(q.id))
			if err != nil {
				t.Fatal(err)
			}
			q.payload, says = b, s
		}
		n := rapid.IntRange(1, maxReceipts).Draw(t, "ids")
		if rapid.Bool().Draw(t, "few") {
			n = n%3 + 1
		}
		switch kind := rapid.IntRange(0, 20).Draw(t, "kind"); {
		case kind == 0:
			q.message, q.payload, says = fmt.Sprint("m", q.id), []byte("a message"), []string{fmt.Sprint("m", q.id)}
		case kind < 4 && read < next:
			to := min(next, read+n)
			receipt("read", read, to)
			read = to
		default:
			receipt("delivered", next, next+n)
			next += n
		}
		if rapid.IntRange(0, 9).Draw(t, "again") == 0 {
			q.attempts = 1
		}
		rows, said = append(rows, q), append(said, says)
	}
	return rows, said
}

// What is packed says everything that was queued, once; messages keep their place among each other and before every
// receipt that came later, receipts of one kind keep theirs, and nothing is read before it is delivered.
func TestParcelsKeepOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, said := queueOf(t)
		var l load
		taken := 0
		for taken < len(rows) && l.add(rows[taken]) {
			taken++
		}
		if len(l) > sendBatch || taken < len(rows) && len(l) < sendBatch {
			t.Fatalf("%d envelopes for %d of %d rows", len(l), taken, len(rows))
		}
		var got, want []string
		for _, s := range said[:taken] {
			want = append(want, s...)
		}
		place := map[string]int{} // of what is said, in the parcels
		var carried []int64       // rows
		for i, p := range l {
			carried = append(append(carried, p.id), p.joined...)
			for _, id := range p.joined {
				if rows[id/2].attempts != p.attempts {
					t.Fatalf("row %d shares the limit of row %d", id, p.id)
				}
			}
			for _, s := range contents(t, p) {
				place[s] = i
				got = append(got, s)
			}
		}
		last := map[string]int{} // parcel, by status and number of attempts
		barrier := -1
		for i, s := range said[:taken] {
			for _, word := range s {
				if place[word] < barrier {
					t.Fatalf("%q overtakes a message", word)
				}
				if at, ok := place["delivered "+word[len(word)-min(18, len(word)):]]; ok && at > place[word] {
					t.Fatalf("%q comes before it is delivered", word)
				}
			}
			if r := receiptIn(rows[i]); r != nil {
				of := fmt.Sprint(r.Receipt.Status, rows[i].attempts)
				if place[s[0]] < last[of] {
					t.Fatalf("%q overtakes a receipt of its kind", s[0])
				}
				last[of] = place[s[0]]
			}
			if rows[i].message != "" {
				barrier = place[s[0]]
				for _, earlier := range want[:slices.Index(want, s[0])] {
					if place[earlier] >= barrier {
						t.Fatalf("%q overtakes %q", s[0], earlier)
					}
				}
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		slices.Sort(carried)
		if carried = slices.Compact(carried); len(carried) != taken {
			t.Fatalf("%d rows are carried, want %d", len(carried), taken)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("packed %d things, want %d", len(got), len(want))
		}
	})
}

// contents says what a parcel holds, and checks that it can travel and stands in the place of its first row.
func contents(t *rapid.T, p *parcel) (says []string) {
	b, err := p.plain()
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(p.joined, func(id int64) bool { return id <= p.id }) {
		t.Fatalf("row %d is joined to %v", p.id, p.joined)
	}
	if p.message != "" {
		return []string{p.message}
	}
	v, err := payload.Decode(b) // refuses more than 100 ids
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range v.Receipt.IDs {
		says = append(says, v.Receipt.Status+" "+id)
	}
	return says
}

// A thousand receipts in a row cost what a hundred a parcel cost.
func TestReceiptsFillParcels(t *testing.T) {
	for _, c := range []struct {
		name     string
		statuses []string // in turn, each of its own message
		want     int
	}{
		{"delivered", []string{"delivered"}, 10},
		{"delivered and read by turns", []string{"delivered", "read"}, 10},
	} {
		var l load
		for i := range 1000 {
			status := c.statuses[i%len(c.statuses)]
			b, err := payload.Encode(&payload.Payload{Receipt: &payload.Receipt{Status: status, IDs: []string{fmt.Sprintf("%018x", i/len(c.statuses))}}}, time.UnixMilli(1))
			if err != nil {
				t.Fatal(err)
			}
			if !l.add(queued{id: int64(i), payload: b}) {
				t.Fatalf("%s: full after %d", c.name, i)
			}
		}
		if len(l) != c.want {
			t.Errorf("%s: %d parcels, want %d", c.name, len(l), c.want)
		}
	}
}

// What is no receipt goes as it is, also what cannot be read.
func TestOtherThingsAreNotJoined(t *testing.T) {
	var l load
	for i, q := range []queued{
		{payload: []byte("nonsense")}, {payload: []byte("nonsense")}, {message: "m", payload: []byte("x")},
		{payload: []byte(`{"v":1,"at":1,"retry":{"ids":["000000000000000001"]}}`)},
		{message: "n", payload: []byte("y"), medium: sql.NullInt64{Int64: 1, Valid: true}},
	} {
		q.id = int64(i)
		l.add(q)
	}
	if len(l) != 5 {
		t.Fatalf("%d parcels, want 5", len(l))
	}
	for _, p := range l {
		if b, err := p.plain(); err != nil || string(b) != string(p.payload) {
			t.Errorf("row %d travels as %q (%v)", p.id, b, err)
		}
	}
}
