package phone_test

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"kabar"
	"kabar/internal/e2ee"
	"kabar/internal/patience"
	"kabar/internal/payload"
	"kabar/internal/relayserver"
)

// store runs f on the store of a phone that is stopped.
func (h *handsets) store(f func(db *sql.DB)) {
	h.t.Helper()
	db, err := sql.Open("sqlite", "file:"+h.options.Path)
	if err != nil {
		h.t.Fatal(err)
	}
	defer db.Close()
	f(db)
}

func (h *handsets) exec(statement string, args ...any) {
	h.t.Helper()
	h.store(func(db *sql.DB) {
		if _, err := db.Exec(statement, args...); err != nil {
			h.t.Fatal(err)
		}
	})
}

// texts are the bodies of the texts that the business got, in order.
func (b *business) texts() (out []string) {
	for _, a := range b.all(func(a arrived) bool { return textOf(a) != "" }) {
		out = append(out, textOf(a))
	}
	return out
}

func TestOfflineAndOnline(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	h.writes(ana, "0")
	b.expectText("0")
	h.patch(ana, `{"online":false}`)
	wire := b.text(ana, "are you there?")
	var ids []string
	for i := range 20 {
		ids = append(ids, h.writes(ana, fmt.Sprint(i+1)))
	}
	// Another customer's text has gone all the way: so would have those of the one who is offline.
	other := h.customer("Budi")
	h.expectStatus(other, h.writes(other, "I am here"), "delivered")
	if n := len(b.texts()); n != 2 {
		t.Errorf("%d texts arrived although the customer is offline", n)
	}
	if list := h.messages(ana); len(list) != 21 || list[20]["status"] != "accepted" {
		t.Errorf("the handset shows %d messages, the last %v", len(list), list[20])
	}
	h.patch(ana, `{"online":true}`)
	h.expectText(ana, "are you there?")
	b.expectReceipt("delivered", wire)
	h.expectStatus(ana, ids[19], "delivered")
	texts := slices.DeleteFunc(b.texts(), func(text string) bool { return text == "I am here" })
	for i, text := range texts {
		if text != fmt.Sprint(i) {
			t.Fatalf("out of order: %v", texts)
		}
	}
}

// sealed returns what a phone that is stopped has encrypted and not sent, by envelope id.
func (h *handsets) sealed() map[string][]byte {
	h.t.Helper()
	out := map[string][]byte{}
	h.store(func(db *sql.DB) {
		rows, err := db.Query("SELECT msg_id, ciphertext FROM outbox WHERE state = 1")
		if err != nil {
			h.t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var id, ciphertext []byte
			if err := rows.Scan(&id, &ciphertext); err != nil {
				h.t.Fatal(err)
			}
			out[hex.EncodeToString(id)] = ciphertext
		}
		if err := rows.Err(); err != nil {
			h.t.Fatal(err)
		}
	})
	return out
}

// unaccept puts a phone that is stopped back to where the relay's acceptance of envelopes has not been committed.
func (h *handsets) unaccept(ciphertexts map[string][]byte) {
	h.t.Helper()
	h.store(func(db *sql.DB) {
		for id, ciphertext := range ciphertexts {
			raw, err := hex.DecodeString(id)
			if err == nil {
				_, err = db.Exec("UPDATE outbox SET state = 1, ciphertext = ? WHERE msg_id = ?", ciphertext, raw)
			}
			if err != nil {
				h.t.Fatal(err)
			}
		}
	})
}

// After a crash between commit and transmission the very same bytes leave; after one between transmission and its
// commit they leave again, and the business sees one message.
func TestACrashLosesNothingAndEncryptsNothingTwice(t *testing.T) {
	h, b, relay := slow(t, 5)
	ana := h.customer("Ana")
	h.writes(ana, "first")
	b.expectText("first")
	b.mute()
	relay.hold()
	for i := range 15 { // five of them can leave
		h.writes(ana, fmt.Sprint("crash ", i))
	}
	patience.Until(t, "something is sealed that cannot leave", func() bool { return len(h.sealed()) > 0 && len(b.texts()) == 6 })
	h.stop()
	sealed := h.sealed()
	if len(sealed) == 0 {
		t.Fatal("nothing sealed is on disk")
	}
	relay.release()
	h.start()
	b.expectText("crash 14")
	b.mu.Lock()
	for id, want := range sealed {
		if !bytes.Equal(b.ciphertext[id], want) {
			t.Errorf("envelope %s left with other bytes than were committed", id)
		}
	}
	sent := maps.Clone(b.ciphertext)
	b.mu.Unlock()

	h.stop()
	h.unaccept(sent)
	h.start()
	h.writes(ana, "last")
	b.expectText("last")
	if got, unread := b.texts(), b.unreadable(); len(got) != 17 || len(unread) != 0 {
		t.Errorf("the business got %q and %d unreadable envelopes", got, len(unread))
	}
}

func TestRestartsInTheMiddleOfTraffic(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	const n = 60
	for i := range n {
		h.writes(ana, fmt.Sprintf("up %d", i))
		b.text(ana, fmt.Sprintf("down %d", i))
		if i%15 == 14 {
			h.restart()
		}
	}
	b.expectText(fmt.Sprintf("up %d", n-1))
	h.expectText(ana, fmt.Sprintf("down %d", n-1))
	for i, text := range b.texts() {
		if text != fmt.Sprintf("up %d", i) {
			t.Fatalf("the business got %q as number %d", text, i)
		}
	}
	i := 0
	for _, m := range h.messages(ana) {
		if m["from"] == shop {
			if path(m, "text", "body") != fmt.Sprintf("down %d", i) {
				t.Fatalf("the customer sees %v as number %d", m, i)
			}
			i++
		}
	}
	if i != n {
		t.Errorf("the customer sees %d messages, want %d", i, n)
	}
}

func TestDuplicatesAreShownOnce(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	m := b.message(&kabar.Text{Body: "once"})
	e := b.seal(ana, &payload.Payload{Message: m})
	b.must(b.conn.Send(t.Context(), e))
	h.expectText(ana, "once")
	b.must(b.conn.Send(t.Context(), e)) // the same envelope
	b.post(ana, &payload.Payload{Message: m})
	b.text(ana, "end")
	h.expectText(ana, "end")
	if list := h.messages(ana); len(list) != 2 {
		t.Errorf("the handset shows %v", list)
	}
	// The relay forgets that the envelope was delivered and delivers it again: acknowledged, not shown, not asked for.
	e.ID[0] ^= 1
	again := e
	again.ID[0] ^= 1
	h.stop()
	h.start()
	b.must(b.conn.Send(t.Context(), again))
	b.text(ana, "really")
	h.expectText(ana, "really")
	if list := h.messages(ana); len(list) != 3 {
		t.Errorf("the handset shows %v", list)
	}
}

func TestKeysAreToppedUpAndRotated(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	for range 15 { // takes 15 of 20 bundles
		b.open(ana)
	}
	b.text(ana, "many sessions")
	h.expectText(ana, "many sessions")
	count := func(kind int) (n, newest int) {
		h.store(func(db *sql.DB) {
			if err := db.QueryRow("SELECT count(*), max(id) FROM prekeys WHERE kind = ?", kind).Scan(&n, &newest); err != nil {
				t.Fatal(err)
			}
		})
		return n, newest
	}
	patience.Until(t, "new one-time keys", func() bool { n, _ := count(4); return n > 20 })
	h.stop()
	_, before := count(1)
	h.skew.Add(int64(8 * 24 * time.Hour))
	h.start()
	patience.Until(t, "a new signed prekey", func() bool { _, now := count(1); return now > before })
	n, _ := count(1)
	if n != 2 {
		t.Errorf("%d signed prekeys, want the new and the old one", n)
	}
	h.store(func(db *sql.DB) {
		var twice int
		if err := db.QueryRow("SELECT count(*) - count(DISTINCT id) FROM prekeys").Scan(&twice); err != nil || twice != 0 {
			t.Errorf("%d ids are used twice (%v)", twice, err)
		}
	})
	b.text(ana, "after rotation")
	h.expectText(ana, "after rotation")
}

func TestABusinessThatDoesNotExist(t *testing.T) {
	h, _ := together(t)
	ana := h.customer("Ana")
	id := h.want(201, "POST", "/customers/"+ana+"/messages", `{"to":"99988877766","text":{"body":"anybody?"}}`)["id"].(string)
	h.expectStatus(ana, id, "failed")
	if m := h.messages(ana)[0]; m["errors"] == nil {
		t.Errorf("the failure has no reason: %v", m)
	}
}

func TestTheRelayComesLate(t *testing.T) {
	dir := t.TempDir()
	h := newHandsets(t, "ws://127.0.0.1:1")
	h.stop()
	h.options.Path = filepath.Join(dir, "phone.db")
	h.start()
	ana := h.customer("Ana")
	h.writes(ana, "early")
	h.stop()
	h.options.RelayURL = startRelay(t, relayserver.NoLimits())
	b := newBusiness(t, h.options.RelayURL, shop)
	h.start()
	b.expectText("early")
}

// A store that has lost track of its key ids goes on above those the relay has seen.
func TestKeyIDsAreNotUsedAgain(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	h.stop()
	h.exec("DELETE FROM prekeys")
	h.exec("UPDATE customers SET next_key = 1")
	h.start()
	patience.Until(t, "new keys in the directory", func() (ok bool) {
		h.store(func(db *sql.DB) {
			if err := db.QueryRow("SELECT count(*) > 0 AND count(public) = 0 FROM prekeys").Scan(&ok); err != nil {
				t.Fatal(err)
			}
		})
		return ok
	})
	b.open(ana)
	b.text(ana, "with a new key")
	h.expectText(ana, "with a new key")
}

// A session that is due for renewal goes on when the relay gives no bundle for a new one.
func TestASessionThatCannotBeRenewedGoesOn(t *testing.T) {
	relay := startRelay(t, relayserver.Limits{BundlesHourly: 1})
	b := newBusiness(t, relay, shop)
	h := newHandsets(t, relay)
	ana := h.customer("Ana")
	h.expectStatus(ana, h.writes(ana, "0"), "delivered")
	h.skew.Add(int64(8 * 24 * time.Hour))
	for i := range 10 {
		h.writes(ana, fmt.Sprint(i+1))
	}
	b.expectText("10")
	for i, text := range b.texts() {
		if text != fmt.Sprint(i) {
			t.Fatalf("number %d is %q", i, text)
		}
	}
}

// One that can be renewed is.
func TestSessionsAreRenewed(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	h.expectStatus(ana, h.writes(ana, "old"), "delivered")
	h.skew.Add(int64(8 * 24 * time.Hour))
	h.expectStatus(ana, h.writes(ana, "new"), "delivered")
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.got {
		_, handshake, err := e2ee.PreKeyIDs(b.ciphertext[a.envelope])
		if textOf(a) == "new" && (!handshake || err != nil) {
			t.Errorf("the message after a week carries no handshake (%v)", err)
		}
	}
}
