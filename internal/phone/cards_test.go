package phone_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/payload"
	"kabar/internal/phone"
	"kabar/internal/relayserver"
	"kabar/internal/sqlite"
)

// carousel is a template whose cards have a picture, a film and a picture.
func carousel() *kabar.Template {
	t := &kabar.Template{Name: "sale", Language: kabar.Language{Code: "en"}, Rendered: &kabar.Rendered{Body: "Look"}}
	for _, kind := range []kabar.Kind{kabar.KindImage, kabar.KindVideo, kabar.KindImage} {
		m := kabar.NewMedia(kind)
		m.ID = 1 // which a business has no business to say
		t.Rendered.Cards = append(t.Rendered.Cards, kabar.Rendered{Header: &kabar.Header{Type: kind, Media: m}, Body: "Card"})
	}
	return t
}

// header is what a card of a shown template has above its text.
func header(m map[string]any, card int) map[string]any {
	cards, _ := path(m, "template", "cards").([]any)
	if card >= len(cards) {
		return nil
	}
	h, _ := path(cards[card], "header").(map[string]any)
	return h
}

func TestMediaOnCards(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	plain := [][]byte{noise(50_000), noise(60_001), noise(70_002)}
	mimes := []string{"image/png", "video/mp4", "image/jpeg"}
	m := b.message(carousel())
	for n := range plain {
		m.Cards = append(m.Cards, *b.put(mimes[n], plain[n]))
	}
	b.post(ana, &payload.Payload{Message: m})
	b.post(ana, &payload.Payload{Message: m}) // as after a retry request
	got := h.expect(ana, "the carousel", func(m map[string]any) bool { return m["type"] == "template" })
	for n, kind := range []string{"image", "video", "image"} {
		shown := header(got, n)
		id, _ := path(shown, kind, "id").(string)
		status, mime, content := h.download(ana, id)
		if shown["type"] != kind || status != 200 || mime != mimes[n] || !bytes.Equal(content, plain[n]) {
			t.Errorf("card %d shows %v: %d %s, %d bytes", n+1, shown, status, mime, len(content))
		}
	}
	h.restart()
	if again := h.messages(ana); len(again) != 1 || fmt.Sprint(header(again[0], 1)) != fmt.Sprint(header(got, 1)) || again[0]["errors"] != nil {
		t.Errorf("after a restart: %v", again)
	}
}

// A card whose medium cannot be fetched says so, and which card it is; the others have theirs.
func TestAMediumOfACardThatIsGone(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	plain := noise(1000)
	m := b.message(carousel())
	m.Cards = []payload.Medium{*b.put("image/png", plain), *b.put("video/mp4", plain), *b.put("image/png", plain)}
	m.Cards[1].Blob = strings.Repeat("x", len(m.Cards[1].Blob))
	m.Cards[2].SHA256 = strings.Repeat("0", 64) // not what was announced
	b.post(ana, &payload.Payload{Message: m})
	got := h.expect(ana, "two failures", func(m map[string]any) bool { all, _ := m["errors"].([]any); return len(all) == 2 })
	if said := fmt.Sprint(got["errors"]); !strings.Contains(said, "card 2: ") || !strings.Contains(said, "card 3: ") {
		t.Errorf("the errors are %s", said)
	}
	for n, want := range []int{200, 503, 503} {
		id, _ := path(header(got, n), []string{"image", "video", "image"}[n], "id").(string)
		if status, _, _ := h.download(ana, id); status != want {
			t.Errorf("the medium of card %d: %d, want %d", n+1, status, want)
		}
	}
}

// A server of before sends cards without their media.
func TestCardsWithoutTheirMedia(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	b.withMedium(ana, kabar.NewMedia(kabar.KindImage), "image/png", noise(100)) // the key 1
	b.say(ana, carousel())
	got := h.expect(ana, "the carousel", func(m map[string]any) bool { return m["type"] == "template" })
	if h := header(got, 0); h["type"] != "image" || path(h, "image", "id") != "" && path(h, "image", "id") != nil {
		t.Errorf("the first card shows %v", h)
	}
}

// A store from before there were media on cards shows its carousels as it did.
func TestAPhoneOfSchema5ShowsItsCarousels(t *testing.T) {
	content, err := kabar.EncodeContent(carousel())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "phone.db")
	db, err := sqlite.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context(), phone.Schema()[:5]); err != nil {
		t.Fatal(err)
	}
	err = db.Do(t.Context(), func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO customers (id, handle, hidden, name, online, read_receipts, auto_read, auto_reply, identity, recovery, login, next_key)
			VALUES (1, '34600111222', 0, 'Ana', 0, 1, 0, 0, x'00', x'00', 0, 1)`); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO messages (customer, business, wire, mine, at, kind, content, reply_to, target, forwarded, referral, status)
			VALUES (1, '628111000111', '01000000000000002a', 0, 1000, 'template', ?, '', '', 0, '', 0)`, content)
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	h := newHandsets(t, startRelay(t, relayserver.Limits{}))
	h.stop()
	h.options.Path = file
	h.start()
	all := h.messages("34600111222")
	if len(all) != 1 || header(all[0], 2)["type"] != "image" {
		t.Errorf("the store shows %v", all)
	}
}
