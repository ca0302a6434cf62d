package relay_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"slices"

	"kabar"
	"kabar/internal/attachment"
	"kabar/internal/payload"
	"kabar/internal/relayclient"
)

// post encrypts and sends, in an envelope of its own. The caller holds busy.
func (h *handset) post(p *payload.Payload) relayclient.MsgID {
	p.Name = "Ana"
	return h.postBytes(p, must(payload.Encode(p, h.rig.now())))
}

func (h *handset) postBytes(p *payload.Payload, plain []byte) (id relayclient.MsgID) {
	if !h.peer.HasSession() {
		h.open()
	}
	ciphertext, next, err := h.peer.Encrypt(plain, h.rig.now())
	if !h.check("encrypt", err) {
		return id
	}
	h.peer = next
	return h.postRaw(p, ciphertext)
}

func (h *handset) postRaw(p *payload.Payload, ciphertext []byte) (id relayclient.MsgID) {
	_, _ = rand.Read(id[:])
	h.outbox[id] = p
	h.check("send", h.conn.Send(context.Background(), relayclient.Envelope{ID: id, To: relayclient.Address{Account: business}, Ciphertext: ciphertext}))
	return id
}

// say sends a payload and returns the id of its envelope in hex.
func (h *handset) say(p *payload.Payload) string {
	h.busy.Lock()
	defer h.busy.Unlock()
	id := h.post(p)
	return hex.EncodeToString(id[:])
}

func newID() string {
	var id [16]byte
	_, _ = rand.Read(id[:])
	return hex.EncodeToString(id[:])
}

func (h *handset) Say(text string) string {
	m := &payload.Message{ID: newID(), Kind: kabar.KindText, Content: must(payload.Strip(&kabar.Text{Body: text}))}
	h.say(&payload.Payload{Message: m})
	return m.ID
}

func (h *handset) Show(mime string, plain []byte) string {
	m := &payload.Message{ID: newID(), Kind: kabar.KindImage, Content: must(payload.Strip(kabar.NewMedia(kabar.KindImage))), Medium: h.upload(mime, plain)}
	h.say(&payload.Payload{Message: m})
	return m.ID
}

func (h *handset) upload(mime string, plain []byte) *payload.Medium {
	var blob bytes.Buffer
	s := must(attachment.Encrypt(&blob, bytes.NewReader(plain)))
	id, err := h.conn.PutBlob(context.Background(), &blob, s.CipherSize, s.CipherHash)
	h.check("upload", err)
	return &payload.Medium{Blob: id, Key: s.Key[:], CipherHash: s.CipherHash[:], CipherSize: s.CipherSize, Size: s.Size,
		SHA256: hex.EncodeToString(s.PlainHash[:]), MIME: mime}
}

func (h *handset) Ask(q *kabar.FlowQuestion) { h.say(&payload.Payload{Asked: q}) }

func (h *handset) Tap(t *kabar.LinkTap) { h.say(&payload.Payload{Tapped: t}) }

func (h *handset) Told() []*kabar.FlowStep {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.told)
}

func (h *handset) Confirm(s kabar.Status, refs ...string) {
	h.say(&payload.Payload{Receipt: &payload.Receipt{Status: s.String(), IDs: refs}})
}
