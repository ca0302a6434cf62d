package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"

	"kabar"
	"kabar/internal/e2ee"
	"kabar/internal/golden"
	"kabar/internal/msgid"
	"kabar/internal/payload"
	"kabar/internal/relayproto"
)

// goldenCraft are the hands of the player where the product's phones and relay do not do what a file wants: customers have handsets
// made for it, and the line to the relay can be cut, or speak for it. Encryption, relay and server are the real ones.
type goldenCraft struct {
	*goldenPlayer
	line       *goldenLine
	handsets   map[string]*goldenHandset // by account
	identities map[string]*e2ee.Identity // by what files call them, by their fingerprints, and by the accounts of those that are not called
}

func newGoldenCraft(p *goldenPlayer) *goldenCraft {
	return &goldenCraft{p, p.server.line, map[string]*goldenHandset{}, map[string]*e2ee.Identity{}}
}

// handset returns the handset of an account. It is installed anew when a file says that its identity is another one.
func (c *goldenCraft) handset(account, identity string) *goldenHandset {
	c.t.Helper()
	h := c.handsets[account]
	if identity == "" && h != nil {
		return h
	}
	called := identity != ""
	if !called {
		identity = account
	}
	id := c.identities[identity]
	if id == nil {
		var err error
		if id, err = e2ee.GenerateIdentity(); err != nil {
			c.t.Fatal(err)
		}
		hash := id.Public().Fingerprint()
		c.identities[identity], c.identities[hash] = id, id
		if called {
			c.also[hash] = identity
		}
	}
	if h == nil || h.identity != id {
		c.handsets[account] = newGoldenHandset(c.t, c.server.relay, account, id)
	}
	return c.handsets[account]
}

// inbound has a customer write, and waits until the server has it.
func (c *goldenCraft) inbound(section string) {
	c.t.Helper()
	in, err := golden.ParseInbound(c.real(section))
	if err != nil {
		c.t.Fatal(err)
	}
	c.settle()
	h := c.writer(in)
	m := c.written(h, in)
	c.takes(h.say(&payload.Payload{Name: in.Name, Was: in.Was, Message: m}))
}

// writer returns the handset that a message comes from. Who shows a number that was hidden has it in the place of the other account.
func (c *goldenCraft) writer(in *golden.Inbound) *goldenHandset {
	c.t.Helper()
	if in.BSUID != "" && in.WaID != "" {
		in.Was = in.BSUID
		c.identities[in.WaID] = c.handset(in.BSUID, "").identity
	}
	return c.handset(in.Customer().Handle(), in.Identity)
}

// written is the message as it travels.
func (c *goldenCraft) written(h *goldenHandset, in *golden.Inbound) *payload.Message {
	c.t.Helper()
	content, err := kabar.DecodeContent(in.Kind, in.Content)
	if err != nil {
		c.t.Fatal(err)
	}
	raw, err := payload.Strip(content)
	if err != nil {
		c.t.Fatal(err)
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	m := &payload.Message{ID: hex.EncodeToString(id[:]), Kind: in.Kind, Content: raw, ReplyTo: wireID(in.ReplyTo), Target: wireID(in.Target),
		Forwarded: in.Forwarded, Frequent: in.Frequent, Referral: in.Referral, Product: in.Product}
	if in.Bytes != "" {
		plain := golden.Sample(in.Bytes)
		if in.Broken {
			plain = []byte("other bytes")
		}
		m.Medium = h.medium(plain, golden.Sample(in.Bytes), kabar.MediumOf(content).MIME)
	}
	if in.Picture != "" {
		m.Picture = h.medium(golden.Sample(in.Picture), golden.Sample(in.Picture), "video/mp4")
	}
	return m
}

// wireID returns the network's id of a message of the number; of anything else, what it is.
func wireID(id string) string {
	outbound, _, stanza, err := msgid.Decode(golden.OnPremID(id))
	if err != nil || !outbound {
		return id
	}
	return hex.EncodeToString(stanza)
}

// takes waits until the server has acknowledged an envelope.
func (c *goldenCraft) takes(envelope string) {
	c.t.Helper()
	c.eventually("the server to take what a customer says", func() error {
		if !c.line.has(envelope) {
			return errors.New("it has not acknowledged it")
		}
		return nil
	})
}

// do does what is done otherwise than by the product's phones, and reports whether that was it.
func (c *goldenCraft) do(words []string, who string) bool {
	c.t.Helper()
	arg := append(words, "")[1]
	switch words[0] {
	case "registration":
		c.registration(arg)
	case "refuse":
		c.line.refuse(map[string]*relayproto.Refused{"unknown": {Code: relayproto.Refused_UNKNOWN_RECIPIENT},
			"undeliverable": {Code: relayproto.Refused_TOO_LARGE}, "later": {Code: relayproto.Refused_LIMITED, RetryAfterMs: 50}}[arg])
	case "expired":
		c.line.expire(wireID(arg))
	case "identity":
		c.putOff()
		c.takes(c.handset(who, arg).say(&payload.Payload{Hello: &payload.Hello{}}))
	case "block":
		c.takes(c.handset(who, "").say(&payload.Payload{Blocked: &payload.Blocked{Blocked: true}}))
	case "delivered", "read", "played":
		h := c.handset(who, "")
		c.comes(h, wireID(arg))
		c.takes(h.say(&payload.Payload{Receipt: &payload.Receipt{Status: words[0], IDs: []string{wireID(arg)}}}))
	default:
		return false
	}
	return true
}

// comes waits until a customer has a message, under whichever number it was sent to.
func (c *goldenCraft) comes(h *goldenHandset, message string) {
	c.t.Helper()
	c.eventually("the customer to have "+message, func() error {
		for _, other := range c.handsets {
			if other.identity == h.identity && other.has(message) {
				return nil
			}
		}
		return errors.New("it has not come")
	})
}

// putOff waits until the oldest message that was accepted is put off: the later ones then wait behind it.
func (c *goldenCraft) putOff() {
	c.t.Helper()
	c.eventually("the server to try to send", func() error {
		if len(c.accepted) > 0 && !c.line.saw(wireID(c.accepted[0])) {
			return errors.New("it has not tried")
		}
		return nil
	})
}

// registration has the relay stand towards the number as a file says. One that has not said anything yet is unknown to a server that
// has just been started.
func (c *goldenCraft) registration(state string) {
	c.t.Helper()
	if state == "unknown" {
		c.line.cut()
		c.server.restart()
		return
	}
	c.line.admit(state)
	c.eventually("the server to be told", func() error {
		if status := c.server.health(c.mould.tokens["user"]); status != "unregistered" {
			return errors.New(status)
		}
		return nil
	})
}
