package phone_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/attachment"
	"kabar/internal/payload"
	"kabar/internal/phone"
	"kabar/internal/relayproto"
	"kabar/internal/relayserver"
)

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// fetch opens a medium of the customer's as the business does.
func (b *business) fetch(m *payload.Medium) []byte {
	b.t.Helper()
	var blob bytes.Buffer
	_, err := b.conn.GetBlob(b.t.Context(), m.Blob, [32]byte(m.CipherHash), &blob)
	b.must(err)
	plain, err := io.ReadAll(attachment.Decrypt(&blob, [32]byte(m.Key), m.Size))
	b.must(err)
	return plain
}

func TestMediaOfACustomer(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	picture, song := noise(200_000), noise(5)
	image := h.upload(ana, "image/jpeg", picture)
	audio := h.upload(ana, "audio/ogg; codecs=opus", song)
	for _, tt := range []struct {
		body, mime string
		kind       kabar.Kind
		content    []byte
		show       string
	}{
		{`{"type":"image","image":{"id":"` + image + `","caption":"sunset"}}`, "image/jpeg", kabar.KindImage, picture, "image"},
		{`{"type":"document","document":{"id":"` + image + `","filename":"a.jpg"}}`, "image/jpeg", kabar.KindDocument, picture, "document"},
		{`{"type":"audio","audio":{"id":"` + audio + `"}}`, "audio/ogg; codecs=opus", kabar.KindAudio, song, "audio"},
		{`{"type":"audio","audio":{"id":"` + audio + `","voice":true}}`, "audio/ogg; codecs=opus", kabar.KindAudio, song, "voice"},
		{`{"type":"voice","voice":{"id":"` + audio + `"}}`, "audio/ogg; codecs=opus", kabar.KindAudio, song, "voice"},
	} {
		id := h.want(201, "POST", "/customers/"+ana+"/messages", tt.body)["id"].(string)
		h.expectStatus(ana, id, "delivered")
		all := b.all(func(a arrived) bool { return a.Message != nil })
		m := all[len(all)-1].Message
		if m.Kind != tt.kind || m.Medium == nil || m.Medium.MIME != tt.mime || !bytes.Equal(b.fetch(m.Medium), tt.content) {
			t.Errorf("%s arrived as %s %+v", tt.body, m.Kind, m.Medium)
		}
		list := h.messages(ana)
		shown := list[len(list)-1]
		if shown["type"] != tt.show || path(shown, tt.show, "mime_type") != tt.mime || path(shown, tt.show, "sha256") != m.Medium.SHA256 {
			t.Errorf("%s is shown as %v", tt.body, shown)
		}
	}
	if all := b.all(func(a arrived) bool { return a.Message != nil }); all[0].Message.Medium.Blob != all[1].Message.Medium.Blob {
		t.Error("one medium was uploaded twice")
	}
}

func TestMediaOfTheBusiness(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	content := noise(150_000)
	image := kabar.NewMedia(kabar.KindImage)
	image.Caption = "menu"
	b.withMedium(ana, image, "image/png", content)
	m := h.expect(ana, "the image", func(m map[string]any) bool { return m["type"] == "image" })
	id, _ := path(m, "image", "id").(string)
	status, mime, got := h.download(ana, id)
	if status != 200 || mime != "image/png" || !bytes.Equal(got, content) || path(m, "image", "caption") != "menu" {
		t.Errorf("download: %d %s, %d bytes of %v", status, mime, len(got), m)
	}
	req, err := http.NewRequest("GET", h.api.URL+"/api/customers/"+ana+"/media/"+id, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Range", "bytes=10-19")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if part, _ := io.ReadAll(resp.Body); resp.StatusCode != 206 || !bytes.Equal(part, content[10:20]) {
		t.Errorf("a range: %d, %d bytes", resp.StatusCode, len(part))
	}
	withHeader := &kabar.Interactive{Type: kabar.InteractiveButton, Header: &kabar.Header{Type: kabar.KindImage, Media: kabar.NewMedia(kabar.KindImage)},
		Body: "Look", Action: kabar.Action{Buttons: []kabar.ReplyButton{{ID: "a", Title: "A"}}}}
	b.withMedium(ana, withHeader, "image/jpeg", content)
	m = h.expect(ana, "the header", func(m map[string]any) bool { return m["type"] == "interactive" })
	id, _ = path(m, "interactive", "header", "image", "id").(string)
	if status, _, got := h.download(ana, id); status != 200 || !bytes.Equal(got, content) {
		t.Errorf("the header's image: %d, %d bytes", status, len(got))
	}
}

// A medium that cannot be fetched leaves its message, which says so.
func TestAMediumThatIsGone(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	m := b.message(kabar.NewMedia(kabar.KindImage))
	m.Medium = &payload.Medium{Blob: strings.Repeat("ab", 16), Key: noise(32), CipherHash: noise(32), CipherSize: 100, Size: 10,
		SHA256: strings.Repeat("0", 64), MIME: "image/png"}
	b.post(ana, &payload.Payload{Message: m})
	shown := h.expect(ana, "the failure", func(m map[string]any) bool { return m["errors"] != nil })
	id, _ := path(shown, "image", "id").(string)
	if status, _, body := h.download(ana, id); status != 503 || !json.Valid(body) {
		t.Errorf("download: %d %s", status, body)
	}
}

// Bytes that are not what the message says are never shown.
func TestAForgedMedium(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	b.withMedium(ana, kabar.NewMedia(kabar.KindImage), "image/png", noise(1000))
	genuine := h.expect(ana, "the image", func(m map[string]any) bool { return m["type"] == "image" })
	if status, _, _ := h.download(ana, path(genuine, "image", "id").(string)); status != 200 {
		t.Fatalf("the genuine one: %d", status)
	}
	var last *payload.Payload
	b.mu.Lock()
	for _, s := range b.sent {
		if s.p.Message != nil {
			last = s.p
		}
	}
	b.mu.Unlock()
	forged := *last.Message
	medium := *forged.Medium
	medium.SHA256 = strings.Repeat("0", 64) // the bytes decrypt, and are others than the message says
	forged.ID, forged.Medium = b.newRef(), &medium
	b.post(ana, &payload.Payload{Message: &forged})
	h.expect(ana, "the refusal", func(m map[string]any) bool { return m["errors"] != nil })
	if files, err := os.ReadDir(h.options.MediaDir); err != nil || len(files) != 1 {
		t.Errorf("%d files in the media folder, want 1 (%v)", len(files), err)
	}
}

// What a crash leaves in the media folder goes with the next start; what is not the phone's stays.
func TestOrphansAreSwept(t *testing.T) {
	h, _ := together(t)
	ana := h.customer("Ana")
	id := h.upload(ana, "image/png", noise(10))
	h.stop()
	for _, name := range []string{strings.Repeat("a", 32), strings.Repeat("b", 32) + ".tmp", "README"} {
		if err := os.WriteFile(filepath.Join(h.options.MediaDir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h.start()
	if files, err := os.ReadDir(h.options.MediaDir); err != nil || len(files) != 2 {
		t.Errorf("%v in the media folder, want the upload and README (%v)", files, err)
	}
	if status, _, _ := h.download(ana, id); status != 200 {
		t.Errorf("the upload: %d", status)
	}
}

func TestMediaOffline(t *testing.T) {
	relay := startRelay(t, relayserver.NoLimits())
	b := newBusiness(t, relay, shop)
	h := newHandsets(t, relay)
	ana := h.customer("Ana")
	h.patch(ana, `{"online":false}`)
	content := []byte("just a text")
	id := h.upload(ana, "", content)
	h.want(201, "POST", "/customers/"+ana+"/messages", `{"type":"document","document":{"id":"`+id+`","filename":"note.txt"}}`)
	h.writes(ana, "see above")
	if status, mime, got := h.download(ana, id); status != 200 || mime != "text/plain" || !bytes.Equal(got, content) {
		t.Errorf("its own medium: %d %s %q", status, mime, got)
	}
	h.restart()
	h.patch(ana, `{"online":true}`)
	b.expectText("see above")
	all := b.all(func(a arrived) bool { return a.Message != nil })
	if len(all) != 2 || all[0].Message.Kind != kabar.KindDocument || !bytes.Equal(b.fetch(all[0].Message.Medium), content) {
		t.Errorf("arrived: %d messages, the first %+v", len(all), all[0].Message)
	}
}

// What a customer may upload fits into a blob, padding included.
func TestTheLargestMediumFits(t *testing.T) {
	if n := attachment.CipherSize(phone.MaxMedia); n > relayproto.MaxBlob {
		t.Errorf("%d bytes become a blob of %d, at most %d are possible", phone.MaxMedia, n, relayproto.MaxBlob)
	}
	h := alone(t)
	ana := h.customer("Ana")
	req, err := http.NewRequest("POST", h.api.URL+"/api/customers/"+ana+"/media", io.LimitReader(endless{}, phone.MaxMedia+1))
	if err != nil {
		t.Fatal(err)
	}
	status, out := h.do(req) // without a length, so that the limit is met on the way
	checkAnswer(t, "a medium that is too large", status, out, 413, "110000000")
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
