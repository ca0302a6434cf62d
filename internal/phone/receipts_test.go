package phone_test

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"kabar"
	"kabar/internal/payload"
	"kabar/internal/relayserver"
)

// told returns the messages that receipts of a status named, in the order in which they came.
func (b *business) told(status string) (wires []string) {
	for _, a := range b.all(func(a arrived) bool { return a.Receipt != nil && a.Receipt.Status == status }) {
		wires = append(wires, a.Receipt.IDs...)
	}
	return wires
}

// expectTold waits until receipts have come for all messages, and wants each named once, in order.
func (b *business) expectTold(status string, want []string) {
	b.t.Helper()
	for deadline := time.Now().Add(90 * time.Second); len(b.told(status)) < len(want) && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	got := b.told(status)
	if slices.Equal(got, want) {
		return
	}
	seen := map[string]int{}
	for _, wire := range got {
		seen[wire]++
	}
	b.t.Errorf("%d receipts %q name %d messages, want %d, each once and in order", len(got), status, len(seen), len(want))
}

// envelopes is how many have come, and how many of them could not be read.
func (b *business) envelopes() (all, unread int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.ciphertext), len(b.unread)
}

// floods sends texts and returns their ids.
func (b *business) floods(to string, n int) (wires []string) {
	b.t.Helper()
	for i := range n {
		wires = append(wires, b.text(to, fmt.Sprint("text ", i)))
	}
	return wires
}

// slow starts a relay that takes so many envelopes a second from a customer.
func slow(t *testing.T, rate float64) (*handsets, *business) {
	t.Helper()
	relay := startRelay(t, relayserver.Limits{Customer: relayserver.Rates{Envelopes: rate}})
	b := newBusiness(t, relay, shop)
	return newHandsets(t, relay), b
}

// A business may send forty times faster than a customer. Its sessions change meanwhile: receipts that grew old as
// ciphertext could not be read any more.
func TestReceiptsKeepUpWithABusiness(t *testing.T) {
	h, b := slow(t, 0) // the relay's default
	ana := h.customer("Ana")
	h.patch(ana, `{"auto_read":true}`)
	const n = 3000
	wires := b.floods(ana, n)
	b.expectTold("read", wires)
	b.expectTold("delivered", wires)
	all, unread := b.envelopes()
	if all > n/2 || unread != 0 {
		t.Errorf("%d messages cost %d envelopes, of which %d could not be read", n, all, unread)
	}
	t.Logf("%d messages, %d receipts, %d envelopes", n, 2*n, all)
	delivered := map[string]bool{}
	for _, a := range b.all(func(a arrived) bool { return a.Receipt != nil }) {
		for _, wire := range a.Receipt.IDs {
			if a.Receipt.Rank() == kabar.Delivered {
				delivered[wire] = true
			} else if !delivered[wire] {
				t.Fatalf("%s is read before it is delivered", wire)
			}
		}
	}
}

// The phone stops at any moment. What it had encrypted leaves as it was; once, the relay's acceptance of everything is lost
// as well, and nothing is told twice.
func TestReceiptsOutliveRestarts(t *testing.T) {
	h, b := slow(t, 20)
	ana := h.customer("Ana")
	var wires []string
	for i := range 6 {
		wires = append(wires, b.floods(ana, 500)...)
		h.stop()
		if i == 3 {
			b.mu.Lock()
			sent := maps.Clone(b.ciphertext)
			b.mu.Unlock()
			h.unaccept(sent)
		}
		sealed := h.sealed()
		h.start()
		for id, want := range sealed {
			eventually(t, "an envelope that was encrypted", func() bool {
				b.mu.Lock()
				defer b.mu.Unlock()
				got, ok := b.ciphertext[id]
				return ok && string(got) == string(want)
			})
		}
	}
	b.expectTold("delivered", wires)
	if all, unread := b.envelopes(); all > len(wires)/2 || unread != 0 {
		t.Errorf("%d messages cost %d envelopes, of which %d could not be read", len(wires), all, unread)
	}
}

func TestReceiptsAfterBeingOffline(t *testing.T) {
	h, b := slow(t, 0)
	ana := h.customer("Ana")
	wires := b.floods(ana, 10)
	b.expectTold("delivered", wires)
	h.patch(ana, `{"online":false}`)
	last := h.expectText(ana, "text 9")["id"].(string)
	h.want(200, "POST", "/customers/"+ana+"/messages/"+last+"/read", "")
	h.writes(ana, "I shall be back")
	more := b.floods(ana, 2000)
	h.stop()
	if n := len(h.sealed()); n != 0 {
		t.Errorf("%d envelopes were encrypted long before they can leave", n)
	}
	h.start()
	h.patch(ana, `{"online":true}`)
	b.expectText("I shall be back")
	b.expectTold("read", wires)
	b.expectTold("delivered", append(wires, more...))
	if all, unread := b.envelopes(); all > (len(wires)+len(more))/2 || unread != 0 {
		t.Errorf("%d messages cost %d envelopes, of which %d could not be read", len(wires)+len(more), all, unread)
	}
}

// Receipts keep their place between the customer's own messages.
func TestReceiptsAndMessagesKeepTheirOrder(t *testing.T) {
	h, b := slow(t, 4)
	ana := h.customer("Ana")
	var want []string // messages, and the receipts that may come between them
	for round := range 4 {
		wires := b.floods(ana, 60)
		last := wires[len(wires)-1]
		eventually(t, "the last text of a round", func() (has bool) {
			h.store(func(db *sql.DB) {
				if err := db.QueryRow("SELECT EXISTS (SELECT 1 FROM messages WHERE wire = ?)", last).Scan(&has); err != nil {
					t.Fatal(err)
				}
			})
			return has
		})
		want = append(want, wires...)
		body := fmt.Sprint("mine ", round)
		h.writes(ana, body)
		want = append(want, body)
	}
	b.expectText("mine 3")
	var got []string
	for _, a := range b.all(func(a arrived) bool { return a.Receipt != nil || textOf(a) != "" }) {
		if a.Receipt != nil {
			got = append(got, a.Receipt.IDs...)
		} else {
			got = append(got, textOf(a))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("out of order: %v", got)
	}
}

// A joined envelope that could not be read is asked for under its id and comes whole, three times at most.
func TestJoinedReceiptsAreAskedForAgain(t *testing.T) {
	h, b := slow(t, 3)
	ana := h.customer("Ana")
	wires := b.floods(ana, 50)
	b.expectTold("delivered", wires)
	joined := func() []arrived {
		return b.all(func(a arrived) bool { return a.Receipt != nil && len(a.Receipt.IDs) > 1 })
	}
	first := joined()
	if len(first) == 0 {
		t.Fatal("no receipts were joined")
	}
	want := first[len(first)-1]
	lost := want.envelope
	for i := range kabar.MaxResends {
		b.post(ana, &payload.Payload{Retry: &payload.Retry{IDs: []string{lost}}})
		eventually(t, "the receipts again", func() bool { return len(joined()) == len(first)+i+1 })
		again := joined()[len(first)+i]
		if again.envelope == lost || !slices.Equal(again.Receipt.IDs, want.Receipt.IDs) {
			t.Fatalf("asked for %v, got %v", want.Receipt.IDs, again.Receipt.IDs)
		}
		lost = again.envelope
	}
	b.post(ana, &payload.Payload{Retry: &payload.Retry{IDs: []string{lost}}})
	b.expectTold("delivered", b.told("delivered"))
	h.writes(ana, "end")
	b.expectText("end")
	if n := len(joined()); n != len(first)+kabar.MaxResends {
		t.Errorf("%d envelopes of joined receipts, want %d", n, len(first)+kabar.MaxResends)
	}
}
