package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"kabar"
	"kabar/internal/golden"
)

// The hands of the player: what customers, networks and clocks do. A handset is switched off unless it does something: what
// waits for it is sent, and not delivered.

// inbound has a customer write, and waits until the server has it.
func (p *goldenPlayer) inbound(section string) {
	p.t.Helper()
	if p.craft != nil {
		p.craft.inbound(section)
		return
	}
	in, err := golden.ParseInbound(p.real(section))
	if err != nil {
		p.t.Fatal(err)
	}
	in.ReplyTo, in.Target = golden.OnPremID(in.ReplyTo), golden.OnPremID(in.Target)
	p.settle()
	who := p.customer(in)
	p.identify(who, in.Identity)
	defer p.switchOn(who)()
	draft := p.draft(who, in)
	var sent struct{ ID string }
	p.server.phone(http.MethodPost, who+"/messages", draft, &sent)
	if in.Unheard {
		p.unheard[sent.ID] = who
		p.isSent(who, sent.ID)
		return
	}
	p.eventually("the customer's message to arrive", func() error {
		if m := p.server.shown(who, sent.ID); m.Status != "delivered" && m.Status != "read" {
			return fmt.Errorf("it is %q", m.Status)
		}
		return nil
	})
	p.written[p.server.lastFrom(who).ID] = sent.ID
	if in.Identity != "" {
		p.also[p.dialect.hash(p.mould, p.server, who)] = in.Identity
		p.identity = in.Identity
	}
}

// identify gives a handset new keys when a section says that they are other than before.
func (p *goldenPlayer) identify(who, identity string) {
	p.t.Helper()
	if identity != "" && p.identity != "" && identity != p.identity {
		p.server.phone(http.MethodPost, who+"/reinstall", map[string]any{}, nil)
	}
}

// settle waits until what was accepted has been sent, or has failed. Without a relay nothing is.
func (p *goldenPlayer) settle() {
	p.t.Helper()
	for _, id := range p.accepted {
		p.eventually(id+" to be sent", func() error {
			if p.server.cut() || p.server.trace(id).Status != "accepted" {
				return nil
			}
			return errors.New("it waits")
		})
	}
	if !p.server.cut() {
		p.accepted = nil
	}
}

// customer returns the handle of who writes, whose handset then has the name and the number that the section says.
func (p *goldenPlayer) customer(in *golden.Inbound) string {
	p.t.Helper()
	who := in.Customer().Handle()
	var list struct {
		Customers []struct {
			WaID string `json:"wa_id"`
			Name string
		}
	}
	if in.Was != "" {
		p.switchOn(in.Was) // it is switched off under its new number
		p.server.phone(http.MethodPost, in.Was+"/change_number", map[string]any{"wa_id": who}, nil)
	}
	p.server.phone(http.MethodGet, "", nil, &list)
	for _, c := range list.Customers {
		if c.WaID == who && in.Name != "" && c.Name != in.Name {
			p.server.phone(http.MethodPatch, who, map[string]any{"name": in.Name}, nil)
		}
	}
	return who
}

// switchOn switches a handset on, and returns what switches it off.
func (p *goldenPlayer) switchOn(who string) (off func()) {
	p.t.Helper()
	p.server.phone(http.MethodPatch, who, map[string]any{"online": true}, nil)
	return func() { p.server.phone(http.MethodPatch, who, map[string]any{"online": false}, nil) }
}

// has waits until a handset has a message of the business.
func (p *goldenPlayer) has(who, id string) {
	p.t.Helper()
	p.eventually("the handset to have "+id, func() error {
		if p.server.shown(who, id).ID == "" {
			return errors.New("it has not")
		}
		return nil
	})
}

// onHandset returns the phones' id of a message, which the handset then has.
func (p *goldenPlayer) onHandset(who, id string) string {
	p.t.Helper()
	if own := p.written[id]; own != "" {
		return own
	}
	p.has(who, id)
	return id
}

// draft is the body with which the phones' control API has a customer write.
func (p *goldenPlayer) draft(who string, in *golden.Inbound) map[string]any {
	p.t.Helper()
	content := map[string]any{}
	if err := json.Unmarshal(in.Content, &content); err != nil {
		p.t.Fatal(err)
	}
	kind, member := string(in.Kind), any(content)
	switch in.Kind {
	case kabar.KindImage, kabar.KindVideo, kabar.KindAudio, kabar.KindDocument, kabar.KindSticker:
		content["id"] = p.upload(who, in.Bytes, fmt.Sprint(content["mime"]))
		delete(content, "mime")
	case kabar.KindContacts:
		member = content["cards"]
	case kabar.KindReaction:
		emoji, _ := content["emoji"].(string) // none takes it back
		member = map[string]any{"message_id": p.onHandset(who, in.Target), "emoji": emoji}
	case kabar.KindReply:
		kind, member = "interactive", p.reply(content)
	case kabar.KindOrder:
		for _, item := range content["product_items"].([]any) {
			item := item.(map[string]any)
			item["item_price"] = item["item_price"].(float64) / 1000
		}
	case kabar.KindUnsupported:
		if content["ephemeral"] == true {
			kind = "ephemeral"
		}
		member = map[string]any{}
	default: // it is written as it is stored
	}
	draft := map[string]any{"type": kind, kind: member, "forwarded": in.Forwarded, "frequently_forwarded": in.Frequent}
	if in.ReplyTo != "" {
		draft["context"] = map[string]any{"message_id": p.onHandset(who, in.ReplyTo)}
	}
	if in.Product != nil {
		draft["context"] = map[string]any{"referred_product": in.Product}
	}
	if r := in.Referral; r != nil {
		referral := map[string]any{"headline": r.Headline, "body": r.Body, "source_type": r.SourceType, "source_id": r.SourceID, "source_url": r.SourceURL}
		if in.Picture != "" {
			mime := map[kabar.Kind]string{kabar.KindImage: "image/jpeg", kabar.KindVideo: "video/mp4"}[r.Kind]
			referral[string(r.Kind)] = map[string]any{"id": p.upload(who, in.Picture, mime)}
		}
		draft["referral"] = referral
	}
	return draft
}

// reply is the answer to a message with something to choose, to fill in, or to allow. Until when it is allowed is counted from the
// clock.
func (p *goldenPlayer) reply(content map[string]any) map[string]any {
	kind := fmt.Sprint(content["type"])
	delete(content, "type")
	if form, ok := content["form"].(map[string]any); ok {
		form["response_json"] = form["response"]
		delete(form, "response")
		content = form
	}
	if call, ok := content["call"].(map[string]any); ok {
		content = map[string]any{"response": call["response"], "response_source": call["source"]}
		if expires, ok := call["expires"].(float64); ok {
			content["expiration_timestamp"] = p.began.Add(time.Unix(int64(expires), 0).Sub(golden.Clock())).Unix()
		}
	}
	return map[string]any{"type": kind, kind: content}
}

// upload gives a handset a sample.
func (p *goldenPlayer) upload(who, sample, mime string) string {
	p.t.Helper()
	var out struct{ ID string }
	p.server.phoneBytes(http.MethodPost, who+"/media", mime, golden.Sample(sample), &out)
	return out.ID
}

// do does what no request and no message does.
func (p *goldenPlayer) do(words []string) {
	p.t.Helper()
	if len(words) == 0 {
		return
	}
	arg := append(words, "", "")[1:]
	arg[0] = golden.OnPremID(arg[0])
	who := golden.Ana
	if arg[1] != "" {
		who = arg[1]
	}
	p.settle()
	if p.craft != nil && p.craft.do(words, who) {
		return
	}
	switch words[0] {
	case "advance":
		p.advance(arg[0])
	case "offline":
		p.server.stopRelay()
		p.eventually("the server to notice", func() error { return p.dialect.connected(p.mould, p.server, false) })
	case "online":
		p.server.startRelay()
		p.eventually("the server to be connected", func() error { return p.dialect.connected(p.mould, p.server, true) })
	case "joins":
		p.server.joins(p.mould.tokens["other"], map[string]any{"wa_id": arg[0], "name": "New"})
	case "revoked":
		p.server.run("relay", "revoke", golden.Ours, "--data", p.server.folder("relay"))
		p.eventually("the server to notice", func() error { return p.dialect.connected(p.mould, p.server, false) })
	case "broken": // every message is refused by the database
		p.server.sql("CREATE TRIGGER broken BEFORE INSERT ON message BEGIN SELECT RAISE(ABORT, 'out of order'); END")
	case "mended":
		p.server.sql("DROP TRIGGER broken")
	case "busy":
		p.busy()
	case "idle":
		p.release()
	case "bar":
		p.bar(http.MethodPost, arg[0])
	case "unbar":
		p.bar(http.MethodDelete, arg[0])
	case "limits":
		p.server.run("number", "limits", golden.Ours, "--data", p.server.folder("server"), "--"+strings.ReplaceAll(arg[0], "_", "-"), arg[1])
	case "reached":
		statements, err := golden.Reached(arg[0], time.Now())
		if err != nil {
			p.t.Fatal(err)
		}
		for _, s := range statements {
			p.server.sql(s)
		}
	case "consent":
		p.server.run(append([]string{"consent", "policy", "--number", golden.Ours, "--data", p.server.folder("server"), "--" + words[1]}, words[2:]...)...)
	case "judge":
		p.server.judge(arg[0], arg[1])
	case "collected", "faults": // the webhook that tells of it is waited for
	case "delivered", "read":
		defer p.switchOn(who)()
		p.has(who, arg[0])
		if words[0] == "read" {
			p.server.phone(http.MethodPost, who+"/messages/"+arg[0]+"/read", map[string]any{}, nil)
		}
		p.reaches(arg[0], words[0])
	case "deleted":
		defer p.switchOn(who)()
		p.server.phone(http.MethodDelete, who+"/messages/"+p.onHandset(who, arg[0]), nil, nil)
		p.reaches(arg[0], "deleted")
	default:
		p.doCloud(words)
	}
}

// bar changes the number's block list, which only the Cloud API can do.
func (p *goldenPlayer) bar(method, who string) {
	p.t.Helper()
	list := fmt.Sprintf(`{"messaging_product":"whatsapp","block_users":[{"user":%q}]}`, who)
	p.graph(method, p.mould.cloud.ids["<phone>"]+"/block_users", list)
}

// reaches waits until a message has been at a status.
func (p *goldenPlayer) reaches(id, status string) {
	p.t.Helper()
	p.eventually("the message to be "+status, func() error {
		if m := p.server.trace(id); !m.reached(status) {
			return fmt.Errorf("it is %s", m.Status)
		}
		return nil
	})
}

// advance moves the clock of kabar dev. Moments pass by themselves, and where there is no such clock a minute does.
func (p *goldenPlayer) advance(by string) {
	p.t.Helper()
	d, err := time.ParseDuration(by)
	if err != nil {
		p.t.Fatal(err)
	}
	if d < time.Minute || d == time.Minute && !p.server.lab {
		time.Sleep(d) // what is waited for is the time itself: nothing else says that it is over
		return
	}
	p.shift(d)
}
