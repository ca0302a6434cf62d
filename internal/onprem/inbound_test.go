package onprem

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/golden"
	"kabar/internal/msgid"
)

func (p *player) inbound(text string) {
	p.t.Helper()
	in, err := golden.ParseInbound(text)
	must(p.t, err)
	content, err := kabar.DecodeContent(in.Kind, in.Content)
	must(p.t, err)
	msg := &kabar.Incoming{Content: content, ReplyTo: p.wire(in.ReplyTo), Target: p.wire(in.Target), Forwarded: in.Forwarded,
		Frequent: in.Frequent, Referral: in.Referral, Product: in.Product}
	if in.Bytes != "" {
		md := kabar.MediumOf(content)
		msg.Medium = p.remote(in.Bytes, md.MIME, in.Broken)
		md.SHA256, md.Size = msg.Medium.SHA256, msg.Medium.Size
	}
	if in.Picture != "" {
		msg.Picture = p.remote(in.Picture, "image/jpeg", in.Broken)
	}
	p.refs++
	p.deliver(kabar.Update{From: in.Customer(), Ref: fmt.Sprintf("%032x", p.refs), Message: msg, Was: in.Was, NewIdentity: in.Identity})
	p.settle()
}

// remote puts a sample on the network.
func (p *player) remote(sample, mime string, broken bool) *kabar.RemoteMedium {
	plain := golden.Sample(sample)
	sum := sha256.Sum256(plain)
	p.net.mu.Lock()
	defer p.net.mu.Unlock()
	p.net.media[sample] = plain
	if broken {
		p.net.media[sample] = []byte("other bytes")
	}
	return &kabar.RemoteMedium{Locator: []byte(sample), MIME: mime, Size: int64(len(plain)), SHA256: hex.EncodeToString(sum[:])}
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
		p.deliver(kabar.Update{From: kabar.Customer{WaID: arg[1]}, Receipt: &kabar.Receipt{Status: status, Refs: []string{p.wire(arg[0])}}})
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

// Another network may have ids that are none of ours: they are told as they are.
func TestAQuoteOfANetworksOwn(t *testing.T) {
	p := &player{env: newEnv(t), t: t}
	p.inbound(`{"Kind":"text","Content":{"body":"to what?"},"ReplyTo":"something else"}`)
	if got := p.webhook(); !strings.Contains(got, "\"context\": {\n        \"id\": \"something else\"\n") {
		t.Error(got)
	}
}
