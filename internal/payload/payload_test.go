package payload_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/payload"
)

func TestStripLeavesTheContentAlone(t *testing.T) {
	for _, c := range contents() {
		before, err := kabar.EncodeContent(c.content)
		if err != nil {
			t.Fatal(err)
		}
		stripped, err := payload.Strip(c.content)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if after, _ := kabar.EncodeContent(c.content); string(after) != string(before) { // it has been encoded before
			t.Errorf("%s has become %s", c.name, after)
		}
		for _, secret := range []string{"77", "internal", "secret", "target", "utility", "components", "namespace"} {
			if strings.Contains(string(stripped), secret) {
				t.Errorf("%s travels with %q: %s", c.name, secret, stripped)
			}
		}
	}
}

func TestInbound(t *testing.T) {
	can := map[kabar.Kind]bool{
		kabar.KindText: true, kabar.KindImage: true, kabar.KindAudio: true, kabar.KindVideo: true, kabar.KindDocument: true,
		kabar.KindLocation: true, kabar.KindReaction: true, kabar.KindReply: true, kabar.KindButton: true, kabar.KindUnsupported: true,
		kabar.KindSticker: true, kabar.KindContacts: true, kabar.KindOrder: true,
	}
	for _, c := range contents() {
		raw, err := kabar.EncodeContent(c.content) // not stripped: the customer's app is not ours to trust
		if err != nil {
			t.Fatal(err)
		}
		got, err := payload.Inbound(&payload.Message{ID: theirs, Kind: c.content.Kind(), Content: raw, Medium: medium()})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !can[c.content.Kind()] {
			if _, ok := got.(*kabar.Unsupported); !ok {
				t.Errorf("a customer's %s arrives as %T", c.name, got)
			}
			continue
		}
		met, set := map[string]bool{}, map[string]bool{}
		walk(reflect.ValueOf(got), met, set)
		for field := range stays {
			if set[field] {
				t.Errorf("a customer's %s brings %s", c.name, field)
			}
		}
		if got.Kind() != c.content.Kind() {
			t.Errorf("a customer's %s arrives as %s", c.name, got.Kind())
		}
	}
}

func TestAnInboundMediumIsDescribedByWhatOpensIt(t *testing.T) {
	for _, c := range []struct{ mime, filename, wantMIME, wantName string }{
		{"image/png", "a.png", "image/png", "a.png"},
		{"text/plain; charset=utf-8", "", "text/plain; charset=utf-8", ""},
		{"", "/etc/passwd", "application/octet-stream", "passwd"},
		{"image", `C:\boot.ini`, "application/octet-stream", "boot.ini"},
		{"a/b\r\nX: y", "../", "application/octet-stream", ""},
		{"a/" + strings.Repeat("b", 200), strings.Repeat("é", 200), "application/octet-stream", strings.Repeat("é", 127)},
	} {
		m := &payload.Message{ID: theirs, Kind: kabar.KindDocument, Medium: medium()}
		m.Medium.MIME, m.Medium.Size = c.mime, 5
		m.Content, _ = json.Marshal(map[string]any{"mime": "a/b", "size": 9, "sha256": "x", "filename": c.filename}) // a map of plain values
		got, err := payload.Inbound(m)
		if err != nil {
			t.Errorf("%q: %v", c.mime, err)
			continue
		}
		md := got.(*kabar.Media)
		if md.MIME != c.wantMIME || md.Filename != c.wantName || md.Size != 5 || md.SHA256 != m.Medium.SHA256 {
			t.Errorf("%q, %q arrive as %+v", c.mime, c.filename, md)
		}
	}
	for _, kind := range []kabar.Kind{kabar.KindImage, kabar.KindAudio, kabar.KindVideo, kabar.KindDocument} {
		got, err := payload.Inbound(&payload.Message{ID: theirs, Kind: kind, Content: []byte(`{}`)})
		if _, ok := got.(*kabar.Unsupported); !ok || err != nil {
			t.Errorf("a %s without bytes arrives as %T, %v", kind, got, err)
		}
	}
	if _, err := payload.Inbound(&payload.Message{Kind: kabar.KindText, Content: []byte(`[]`)}); !errors.Is(err, payload.ErrMalformed) {
		t.Errorf("a text that is none: %v", err)
	}
}

func TestWhatACustomerSendsIsWhatItSaysItIs(t *testing.T) {
	order := func(items ...kabar.OrderItem) kabar.Content { return &kabar.Order{Catalog: "c1", Items: items} }
	item := kabar.OrderItem{RetailerID: "p1", Quantity: 1, Price: 1, Currency: "EUR"}
	form := func(response string) kabar.Content {
		return &kabar.Reply{Type: kabar.FormReply, Form: &kabar.Form{Name: kabar.FormFlow, Response: response}}
	}
	for name, c := range map[string]struct {
		content kabar.Content
		ok      bool
	}{
		"an order":             {order(item), true},
		"nothing ordered":      {order(), false},
		"none of a product":    {order(item, kabar.OrderItem{RetailerID: "p1"}), false},
		"less than none":       {order(kabar.OrderItem{RetailerID: "p1", Quantity: -1}), false},
		"money back":           {order(kabar.OrderItem{RetailerID: "p1", Quantity: 1, Price: -1}), false},
		"a form":               {form(`{"a":1}`), true},
		"no form":              {&kabar.Reply{Type: kabar.FormReply}, false},
		"answers of no object": {form(`[1]`), false},
		"null answers":         {form(`null`), false},
		"no answers":           {form(``), false},
		"a tap":                {&kabar.Reply{Type: kabar.ButtonReply, ID: "y"}, true},
	} {
		raw, err := kabar.EncodeContent(c.content)
		if err != nil {
			t.Fatal(err)
		}
		got, err := payload.Inbound(&payload.Message{ID: theirs, Kind: c.content.Kind(), Content: raw})
		if err != nil || (got.Kind() == c.content.Kind()) != c.ok {
			t.Errorf("%s arrives as %T, %v", name, got, err)
		}
	}
}

func TestAReferralBringsNoKeys(t *testing.T) {
	if r := payload.Referral(&payload.Message{}); r != nil {
		t.Errorf("no referral is %+v", r)
	}
	sent := &kabar.Referral{Headline: "Sale", Kind: kabar.KindImage, Medium: 77}
	for _, c := range []struct {
		picture *payload.Medium
		kind    kabar.Kind
		want    kabar.Kind
	}{{medium(), kabar.KindImage, kabar.KindImage}, {medium(), kabar.KindVideo, kabar.KindVideo}, {nil, kabar.KindImage, ""}, {medium(), kabar.KindText, ""}} {
		sent.Kind = c.kind
		got := payload.Referral(&payload.Message{Referral: sent, Picture: c.picture})
		if got.Kind != c.want || got.Medium != 0 || got.Headline != "Sale" || sent.Medium != 77 {
			t.Errorf("%s is read as %+v", c.kind, got)
		}
	}
}

// cards is the member of a message that has media on n cards.
func cards(n int, changeLast func(m *payload.Medium)) string {
	all := make([]payload.Medium, n)
	for i := range all {
		all[i] = *medium()
	}
	changeLast(&all[n-1])
	b, _ := json.Marshal(all) // strings, bytes and numbers
	return `"cards":` + string(b)
}

func TestDecodeRefuses(t *testing.T) {
	asked := func(members string) string {
		return `{"v":1,"at":1,"flow_asked":{"id":"` + theirs + `","message":"` + ours + `",` + members + `}}`
	}
	tapped := func(members string) string {
		return `{"v":1,"at":1,"tapped":{"id":"` + theirs + `","message":"` + ours + `",` + members + `}}`
	}
	step := func(members string) string {
		return `{"v":1,"at":1,"flow_step":{"question":"` + theirs + `","message":"` + ours + `",` + members + `}}`
	}
	message := func(member string) string {
		return `{"v":1,"at":1,"message":{"id":"` + theirs + `","kind":"text","content":{"body":"x"},` + member + `}}`
	}
	withMedium := func(change func(m *payload.Medium)) string {
		m := medium()
		change(m)
		b, _ := json.Marshal(m) // strings, bytes and numbers
		return message(`"medium":` + string(b))
	}
	withCards := func(n int, changeLast func(m *payload.Medium)) string { return message(cards(n, changeLast)) }
	for name, s := range map[string]string{
		"nothing":                    ``,
		"an array":                   `[]`,
		"two values":                 `{"v":1,"at":1,"hello":{}}{}`,
		"another version":            `{"v":2,"at":1,"hello":{}}`,
		"no time":                    `{"v":1,"hello":{}}`,
		"a time before 1970":         `{"v":1,"at":-5,"hello":{}}`,
		"no body":                    `{"v":1,"at":1}`,
		"a null body":                `{"v":1,"at":1,"hello":null}`,
		"two bodies":                 `{"v":1,"at":1,"hello":{},"reported":{}}`,
		"broken UTF-8":               "{\"v\":1,\"at\":1,\"name\":\"\xc3\",\"hello\":{}}",
		"too long":                   `{"v":1,"at":1,"name":"` + strings.Repeat("x", payload.MaxSize) + `","hello":{}}`,
		"an unknown receipt":         `{"v":1,"at":1,"receipt":{"status":"sent","ids":["` + ours + `"]}}`,
		"an empty receipt":           `{"v":1,"at":1,"receipt":{"status":"read","ids":[]}}`,
		"101 ids":                    `{"v":1,"at":1,"retry":{"ids":[` + strings.TrimSuffix(strings.Repeat(`"`+ours+`",`, 101), ",") + `]}}`,
		"a flow asked for nothing":   asked(`"action":"dance"`),
		"a flow asked of no message": `{"v":1,"at":1,"flow_asked":{"id":"` + theirs + `","action":"INIT"}}`,
		"a flow's data of no object": asked(`"action":"INIT","data":[]`),
		"a flow's data of null":      asked(`"action":"INIT","data":null`),
		"too much of a flow's data":  asked(`"action":"INIT","data":{"a":"` + strings.Repeat("x", kabar.MaxFlowData) + `"}`),
		"too long a screen":          asked(`"action":"INIT","screen":"` + strings.Repeat("A", 81) + `"`),
		"a flow that goes nowhere":   step(`"text":"x"`),
		"a flow of unknown fault":    step(`"fault":"rain"`),
		"a tap without an id":        `{"v":1,"at":1,"tapped":{"message":"` + ours + `","button":0}}`,
		"a tap on no message":        `{"v":1,"at":1,"tapped":{"id":"` + theirs + `","button":0}}`,
		"a tap on button -1":         tapped(`"button":-1`),
		"a tap on an 11th button":    tapped(`"button":10`),
		"a tap on half a button":     tapped(`"button":0.5`),
		"a tap on card -1":           tapped(`"card":-1,"button":0`),
		"a tap on an 11th card":      tapped(`"card":11,"button":0`),
		"a short id":                 `{"v":1,"at":1,"deleted":{"id":"01"}}`,
		"an id in capitals":          `{"v":1,"at":1,"deleted":{"id":"` + strings.ToUpper(theirs) + `"}}`,
		"a message without id":       `{"v":1,"at":1,"message":{"kind":"text","content":{"body":"x"}}}`,
		"no content":                 `{"v":1,"at":1,"message":{"id":"` + theirs + `","kind":"text"}}`,
		"content that is none":       `{"v":1,"at":1,"message":{"id":"` + theirs + `","kind":"text","content":7}}`,
		"a strange quote":            message(`"reply_to":"x"`),
		"a strange target":           message(`"target":"../.."`),
		"no blob":                    withMedium(func(m *payload.Medium) { m.Blob = "" }),
		"a short key":                withMedium(func(m *payload.Medium) { m.Key = m.Key[1:] }),
		"a short hash":               withMedium(func(m *payload.Medium) { m.CipherHash = nil }),
		"a negative size":            withMedium(func(m *payload.Medium) { m.Size = -1 }),
		"too small a blob":           withMedium(func(m *payload.Medium) { m.CipherSize = m.Size - 1 }),
		"a picture with a short key": strings.Replace(withMedium(func(m *payload.Medium) { m.Key = m.Key[1:] }), "medium", "picture", 1),
		"a hash not in hex":          withMedium(func(m *payload.Medium) { m.SHA256 = strings.Repeat("Z", 64) }),
		"media on 11 cards":          withCards(11, func(*payload.Medium) {}),
		"a card with a short key":    withCards(2, func(m *payload.Medium) { m.Key = m.Key[1:] }),
		"a card's medium of null":    message(`"cards":[null]`),
		"cards that are none":        message(`"cards":{}`),
	} {
		if _, err := payload.Decode([]byte(s)); !errors.Is(err, payload.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := payload.Decode([]byte(message(`"reply_to":"` + ours + `"`))); err != nil {
		t.Errorf("what the others are made from: %v", err)
	}
	if _, err := payload.Decode([]byte(withCards(10, func(*payload.Medium) {}))); err != nil {
		t.Errorf("media on 10 cards: %v", err)
	}
	if _, err := payload.Decode([]byte(tapped(`"card":10,"button":9`))); err != nil {
		t.Errorf("the last button of the last card: %v", err)
	}
}

// A newer peer may say more than this version understands.
func TestDecodeIsOpenToTheFuture(t *testing.T) {
	p, err := payload.Decode([]byte(`{"v":1,"at":1,"mood":"good","message":{"id":"` + theirs + `","kind":"hologram","content":{"x":[1]},"depth":3}}`))
	if err != nil {
		t.Fatal(err)
	}
	c, err := kabar.DecodeContent(p.Message.Kind, p.Message.Content)
	if u, ok := c.(*kabar.Unsupported); err != nil || !ok || !strings.Contains(u.Detail, "hologram") {
		t.Errorf("an unknown kind is read as %+v, %v", c, err)
	}
	if p, err = payload.Decode([]byte(`{"v":1,"at":1,"name":"` + strings.Repeat("é", 500) + `","hello":{}}`)); err != nil || p.Name != strings.Repeat("é", 128) {
		t.Errorf("a long name is read as %d bytes: %v", len(p.Name), err)
	}
}

func TestEncodeRefusesWhatDecodeWould(t *testing.T) {
	for _, p := range []*payload.Payload{
		{},
		{Hello: &payload.Hello{}, Typing: &payload.Typing{}},
		{Retry: &payload.Retry{}},
		{Message: &payload.Message{ID: theirs, Kind: kabar.KindText, Content: json.RawMessage("{")}},
	} {
		if _, err := payload.Encode(p, time.UnixMilli(at)); err == nil {
			t.Errorf("%+v was encoded", p)
		}
	}
	if _, err := payload.Encode(&payload.Payload{Hello: &payload.Hello{}}, time.Time{}); err == nil {
		t.Error("a payload without a time was encoded")
	}
}

func TestReceiptsRank(t *testing.T) {
	for status, want := range map[string]kabar.Status{"delivered": kabar.Delivered, "read": kabar.Read, "played": kabar.Played} {
		if got := (&payload.Receipt{Status: status}).Rank(); got != want || got.String() != status {
			t.Errorf("%s ranks as %s", status, got)
		}
	}
}

// FuzzDecode feeds any bytes. What is accepted can be written and read again, and can be handed to the engine.
func FuzzDecode(f *testing.F) {
	for _, s := range samples() {
		b, err := payload.Encode(s.payload, time.UnixMilli(at))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"v":1,"at":1,"message":{"id":"` + theirs + `","kind":"image","content":null,"medium":{}}}`))
	f.Add([]byte(`{"v":1,"at":1,"message":{"id":"` + ours + `","kind":"interactive","content":{"action":{"cards":[{"header":{"media":{}}}]}},"cards":[{}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := payload.Decode(b)
		if err != nil {
			if !errors.Is(err, payload.ErrMalformed) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		if m := p.Message; m != nil {
			if c, err := payload.Inbound(m); err != nil || kabar.MediumOf(c) != nil && (m.Medium == nil || kabar.MediumOf(c).ID != 0) {
				t.Fatalf("inbound: %+v, %v", c, err)
			}
		}
		again, err := payload.Encode(p, time.UnixMilli(p.At))
		if err != nil && len(b) < payload.MaxSize/6 { // escapes make it up to six times as long
			t.Fatalf("encode what was decoded: %v", err)
		}
		if err != nil {
			return
		}
		q, err := payload.Decode(again)
		if err != nil {
			t.Fatal(err)
		}
		if third, err := payload.Encode(q, time.UnixMilli(q.At)); err != nil || string(third) != string(again) {
			t.Fatalf("%s\nis written again as\n%s: %v", again, third, err)
		}
	})
}

// What the engine lets through must fit, with the longest of everything around it.
func TestTheLargestContentFits(t *testing.T) {
	content, err := payload.Strip(&kabar.Location{Name: strings.Repeat("x", kabar.MaxContent-100)})
	if err != nil {
		t.Fatal(err)
	}
	p := &payload.Payload{Name: strings.Repeat("n", 256), Message: &payload.Message{ID: ours, Kind: kabar.KindLocation, Content: content, ReplyTo: theirs}}
	for range kabar.MaxCards {
		m := medium()
		m.Size, m.CipherSize, m.MIME = 1<<40, 1<<40, strings.Repeat("x", 100)
		p.Message.Cards = append(p.Message.Cards, *m)
	}
	if _, err := payload.Encode(p, time.UnixMilli(1)); err != nil {
		t.Error(err)
	}
}
