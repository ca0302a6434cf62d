package phone_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"kabar"
	"kabar/internal/patience"
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
	got := b.told(status)
	for more := true; more && len(got) < len(want); {
		before := len(got)
		more = patience.Comes(func() bool { got = b.told(status); return len(got) > before })
	}
	if slices.Equal(got, want) {
		return
	}
	seen := map[string]int{}
	for _, wire := range got {
		seen[wire]++
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	b.t.Errorf("%d receipts %q name %d messages, want %d, each once and in order; from the %dth on they differ: %q", len(got), status, len(seen), len(want), at, got[at:min(len(got), at+5)])
}

// expectEnvelope waits for an envelope as it was encrypted.
func (b *business) expectEnvelope(id string, want []byte) {
	b.t.Helper()
	patience.Until(b.t, "envelope "+id+" comes as it was encrypted", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return bytes.Equal(b.ciphertext[id], want)
	})
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

// brake is the clock of a relay. While it stands still a customer sends one second's worth of envelopes and no more, however
// slow the machine is.
type brake struct{ at atomic.Pointer[time.Time] }

// hold stops the clock a second ahead: the second's worth is there, whatever has been sent just before.
func (b *brake) hold() {
	ahead := time.Now().Add(time.Second)
	b.at.Store(&ahead)
}

func (b *brake) release() { b.at.Store(nil) }

func (b *brake) now() time.Time {
	if at := b.at.Load(); at != nil {
		return *at
	}
	return time.Now()
}

// slow starts a relay that takes so many envelopes a second from a customer; 0 is its default.
func slow(t *testing.T, rate float64) (*handsets, *business, *brake) {
	t.Helper()
	clock, limits := &brake{}, relayserver.NoLimits()
	limits.Customer.Envelopes = rate
	_, relay := runRelay(t, relayserver.Options{Limits: limits, Admit: relayserver.OpenRegistration, Now: clock.now})
	b := newBusiness(t, relay, shop)
	return newHandsets(t, relay), b, clock
}

// receives waits until the phone has stored messages of the business, as long as more of them come.
func (h *handsets) receives(wires []string) {
	h.t.Helper()
	for i, wire := range wires {
		if i%50 != 49 && i != len(wires)-1 {
			continue
		}
		patience.Until(h.t, fmt.Sprintf("message %d arrives", i), func() (has bool) {
			h.store(func(db *sql.DB) {
				if err := db.QueryRow("SELECT EXISTS (SELECT 1 FROM messages WHERE wire = ?)", wire).Scan(&has); err != nil {
					h.t.Fatal(err)
				}
			})
			return has
		})
	}
}

// many is n, or fewer in a short run.
func many(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// A business may send forty times faster than a customer. Its sessions change meanwhile: receipts that grew old as
// ciphertext could not be read any more.
func TestReceiptsKeepUpWithABusiness(t *testing.T) {
	h, b, relay := slow(t, 0)
	ana := h.customer("Ana")
	h.patch(ana, `{"auto_read":true}`)
	n := many(3000)
	relay.hold() // the business is that much faster
	wires := b.floods(ana, n)
	h.receives(wires)
	relay.release()
	b.expectTold("read", wires)
	b.expectTold("delivered", nil) // what is read as it arrives need not be told twice
	all, unread := b.envelopes()
	if all > n/2 || unread != 0 {
		t.Errorf("%d messages cost %d envelopes, of which %d could not be read", n, all, unread)
	}
	t.Logf("%d messages, %d envelopes", n, all)
}

// The phone stops at any moment. What it had encrypted leaves as it was; once, the relay's acceptance of everything is lost
// as well, and nothing is told twice.
func TestReceiptsOutliveRestarts(t *testing.T) {
	h, b, relay := slow(t, 20)
	ana := h.customer("Ana")
	var wires []string
	for i := range 6 {
		relay.hold()
		wires = append(wires, b.floods(ana, 200)...)
		h.stop()
		if i == 3 {
			b.mu.Lock()
			sent := maps.Clone(b.ciphertext)
			b.mu.Unlock()
			h.unaccept(sent)
		}
		sealed := h.sealed()
		h.start()
		h.receives(wires)
		relay.release()
		for id, want := range sealed {
			b.expectEnvelope(id, want)
		}
	}
	b.expectTold("delivered", wires)
	if all, unread := b.envelopes(); all > len(wires)/2 || unread != 0 {
		t.Errorf("%d messages cost %d envelopes, of which %d could not be read", len(wires), all, unread)
	}
}

func TestReceiptsAfterBeingOffline(t *testing.T) {
	h, b, relay := slow(t, 0)
	ana := h.customer("Ana")
	wires := b.floods(ana, 10)
	b.expectTold("delivered", wires)
	h.patch(ana, `{"online":false}`)
	last := h.expectText(ana, "text 9")["id"].(string)
	h.want(200, "POST", "/customers/"+ana+"/messages/"+last+"/read", "")
	h.writes(ana, "I shall be back")
	more := b.floods(ana, many(2000))
	h.stop()
	if n := len(h.sealed()); n != 0 {
		t.Errorf("%d envelopes were encrypted long before they can leave", n)
	}
	h.start()
	relay.hold()
	h.patch(ana, `{"online":true}`)
	h.receives(more)
	relay.release()
	b.expectText("I shall be back")
	b.expectTold("read", wires)
	b.expectTold("delivered", append(wires, more...))
	if all, unread := b.envelopes(); all > (len(wires)+len(more))/2 || unread != 0 {
		t.Errorf("%d messages cost %d envelopes, of which %d could not be read", len(wires)+len(more), all, unread)
	}
}

// Receipts keep their place between the customer's own messages.
func TestReceiptsAndMessagesKeepTheirOrder(t *testing.T) {
	h, b, _ := slow(t, 4)
	ana := h.customer("Ana")
	var want []string // messages, and the receipts that may come between them
	for round := range 4 {
		wires := b.floods(ana, 60)
		h.receives(wires)
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
	h, b, relay := slow(t, 3)
	ana := h.customer("Ana")
	relay.hold()
	wires := b.floods(ana, 50)
	h.receives(wires)
	relay.release()
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
		patience.Until(t, "the receipts again", func() bool { return len(joined()) == len(first)+i+1 })
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
