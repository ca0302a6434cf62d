package onprem

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"kabar"
	"kabar/internal/msgid"
)

// inbound is a message of a customer in a golden file. Ids are the public ones.
type inbound struct {
	WaID, BSUID, Name   string // default: Ana
	Kind                kabar.Kind
	Content             json.RawMessage // as it is stored
	Bytes               string          // sample: of the medium
	Broken              bool            // the network gives other bytes
	ReplyTo, Target     string          // public id, or any text: an id of the network
	Forwarded, Frequent bool
	Referral            *kabar.Referral
}

func (p *player) inbound(data []byte) {
	p.t.Helper()
	var in inbound
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	must(p.t, d.Decode(&in))
	content, err := kabar.DecodeContent(in.Kind, in.Content)
	must(p.t, err)
	msg := &kabar.Incoming{Content: content, ReplyTo: p.wire(in.ReplyTo), Target: p.wire(in.Target), Forwarded: in.Forwarded,
		Frequent: in.Frequent, Referral: in.Referral}
	if in.Bytes != "" {
		plain := samples[in.Bytes]
		sum := sha256.Sum256(plain)
		md := kabar.MediumOf(content)
		md.SHA256, md.Size = hex.EncodeToString(sum[:]), int64(len(plain))
		msg.Medium = &kabar.RemoteMedium{Locator: []byte(in.Bytes), MIME: md.MIME, Size: md.Size, SHA256: md.SHA256}
		p.net.mu.Lock()
		p.net.media[in.Bytes] = plain
		if in.Broken {
			p.net.media[in.Bytes] = []byte("other bytes")
		}
		p.net.mu.Unlock()
	}
	from := kabar.Customer{WaID: in.WaID, BSUID: in.BSUID, Name: in.Name}
	if from.Handle() == "" {
		from = kabar.Customer{WaID: ana, Name: "Ana R"}
	}
	p.refs++
	p.deliver(kabar.Update{From: from, Ref: fmt.Sprintf("%032x", p.refs), Message: msg})
	p.settle()
}

func (p *player) deliver(u kabar.Update) {
	p.t.Helper()
	u.At = p.now()
	if u.From.Handle() == "" {
		u.From = kabar.Customer{WaID: ana}
	}
	must(p.t, p.net.in.Deliver(p.t.Context(), u, nil))
}

// update delivers an update that is no message.
func (p *player) update(what string, arg []string) {
	p.t.Helper()
	p.settle()
	yes := true
	switch what {
	case "delivered", "read", "played":
		status := map[string]kabar.Status{"delivered": kabar.Delivered, "read": kabar.Read, "played": kabar.Played}[what]
		p.deliver(kabar.Update{Receipt: &kabar.Receipt{Status: status, Refs: []string{p.wire(arg[0])}}})
	case "expired":
		p.deliver(kabar.Update{Expired: &kabar.Expired{Refs: []string{p.wire(arg[0])}}})
	case "deleted":
		p.deliver(kabar.Update{Deleted: p.wire(arg[0])})
	case "identity":
		p.deliver(kabar.Update{NewIdentity: arg[0]})
	case "block":
		p.deliver(kabar.Update{Blocked: &yes})
	default:
		p.t.Fatalf("unknown command %q", what)
	}
}

// wire returns the network's id of a message with a public id; other texts are one already.
func (p *player) wire(id string) string {
	p.t.Helper()
	outbound, _, stanza, err := msgid.Decode(id)
	if err != nil {
		return id
	}
	if outbound {
		return hex.EncodeToString(stanza)
	}
	m, err := p.api.message(p.t.Context(), p.a.ID, id)
	must(p.t, err)
	return m.Wire
}

// samples are bodies that do not fit into a text file.
var samples = map[string][]byte{
	"png":      append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"), bytes.Repeat([]byte("kabar"), 20)...),
	"jpeg":     append([]byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"), bytes.Repeat([]byte("x"), 50)...),
	"opus":     []byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x13OpusHead\x01\x01\x00\x00\x80\xbb\x00\x00\x00\x00\x00"),
	"mp4":      append([]byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"), make([]byte, 40)...),
	"pdf":      []byte("%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n"),
	"huge":     bytes.Repeat([]byte(" "), 1<<20+1),
	"bad-utf8": []byte("{\"to\":\"34600111222\",\"text\":{\"body\":\"\xff\"}}"),
	"deep":     append(bytes.Repeat([]byte(`{"text":`), 40), bytes.Repeat([]byte("}"), 40)...),
	"bigimage": append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), make([]byte, 5<<20)...),
	"text4096": []byte(`{"to":"34600111222","text":{"body":"` + string(bytes.Repeat([]byte("é"), 4096)) + `"}}`),
	"text4097": []byte(`{"to":"34600111222","text":{"body":"` + string(bytes.Repeat([]byte("é"), 4097)) + `"}}`),
}
