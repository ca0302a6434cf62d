package phone_test

import (
	"database/sql"
	"encoding/hex"
	"fmt"
	"testing"

	"kabar"
	"kabar/internal/patience"
	"kabar/internal/payload"
	"kabar/internal/relayclient"
)

func TestAReinstallHeals(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	b.expectReceipt("delivered", b.text(ana, "before"))
	// Encrypted before, and sent behind it: a receipt whose acceptance the handset has not seen opens a new session at once.
	old := b.seal(ana, &payload.Payload{Message: b.message(&kabar.Text{Body: "lost and found"})})
	h.want(200, "POST", "/customers/"+ana+"/reinstall", "")
	b.must(b.conn.Send(t.Context(), old))
	h.expectText(ana, "lost and found")
	b.expect("a retry request", func(a arrived) bool { return a.Retry != nil })
	id := h.writes(ana, "after")
	b.expectText("after")
	h.expectStatus(ana, id, "delivered")

	h.patch(ana, `{"online":false}`) // and once more, while offline with something unsent
	h.writes(ana, "unsent")
	h.want(200, "POST", "/customers/"+ana+"/reinstall", "")
	b.text(ana, "twice") // in the old session, for the new one is not open yet
	h.patch(ana, `{"online":true}`)
	h.expectText(ana, "twice")
	b.expectText("unsent")
	h.stop()
	h.store(func(db *sql.DB) {
		var dead int
		if err := db.QueryRow("SELECT count(*) FROM dead").Scan(&dead); err != nil || dead != 2 {
			t.Errorf("%d unreadable envelopes kept, want 2 (%v)", dead, err)
		}
	})
}

func TestTheBusinessReinstalls(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	h.expectStatus(ana, h.writes(ana, "hello"), "delivered")
	b.install()
	h.writes(ana, "still there?") // the business cannot read it, and asks
	var lost []string
	patience.Until(t, "an unreadable envelope", func() bool {
		lost = b.unreadable()
		return len(lost) == 1
	})
	b.post(ana, &payload.Payload{Retry: &payload.Retry{IDs: lost}})
	b.expectText("still there?")
	h.expect(ana, "a note about the new identity", func(m map[string]any) bool { return m["type"] == "system" })
}

func TestARetryRequestIsAnsweredThreeTimes(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	b.mute()
	id := h.writes(ana, "again")
	for i := range 4 {
		want := i + 1
		patience.Until(t, fmt.Sprintf("attempt %d", want), func() bool { return len(b.texts()) == want })
		all := b.all(func(a arrived) bool { return a.Message != nil })
		h.expectStatus(ana, id, "sent")
		b.post(ana, &payload.Payload{Retry: &payload.Retry{IDs: []string{all[i].envelope}}})
	}
	h.expectStatus(ana, id, "failed")
	ids := map[string]bool{}
	for _, a := range b.all(func(a arrived) bool { return a.Message != nil }) {
		ids[a.Message.ID] = true
	}
	if len(ids) != 1 || len(b.texts()) != 4 {
		t.Errorf("%d attempts under %d ids", len(b.texts()), len(ids))
	}
}

func TestGarbageIsKeptAndAskedFor(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	b.text(ana, "fine")
	h.expectText(ana, "fine")
	for i := range 3 {
		e := b.seal(ana, &payload.Payload{Message: b.message(&kabar.Text{Body: fmt.Sprint("broken ", i)})})
		e.Ciphertext[len(e.Ciphertext)-1] ^= 1
		b.must(b.conn.Send(t.Context(), e))
	}
	for i := range 3 {
		h.expectText(ana, fmt.Sprint("broken ", i))
	}
	b.text(ana, "fine again")
	h.expectText(ana, "fine again")
	e := relayclient.Envelope{ID: relayclient.MsgID{9, 9}, To: relayclient.Address{Account: ana}, Ciphertext: []byte("nonsense")}
	b.must(b.conn.Send(t.Context(), e))
	want := hex.EncodeToString(e.ID[:])
	b.expect("a request for the nonsense", func(a arrived) bool {
		return a.Retry != nil && a.Retry.IDs[len(a.Retry.IDs)-1] == want
	})
}
