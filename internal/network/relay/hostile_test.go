package relay_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/patience"
	"kabar/internal/payload"
)

// hostile are payloads that an honest app does not write, and what the engine may learn from them. MSG stands for the id
// of a message, MEDIUM for a medium that is there.
var hostile = []struct {
	name, payload string
	check         func(u kabar.Update) string // what is wrong with the update
}{
	{"keys and links of our own store", `{"v":1,"at":1,"message":{"id":"MSG","kind":"image","content":{"media":77,"link":"http://127.0.0.1/","provider":"p","sha256":"x","size":-1},"medium":MEDIUM}}`,
		medium(func(m *kabar.Media, r *kabar.RemoteMedium) string {
			if m.ID != 0 || m.Link != "" || m.Provider != "" || m.SHA256 != r.SHA256 || m.Size != r.Size {
				return "trusts the content"
			}
			return ""
		})},
	{"a file name with folders", `{"v":1,"at":1,"message":{"id":"MSG","kind":"document","content":{"filename":"..\\../../etc/passwd"},"medium":MEDIUM}}`,
		medium(func(m *kabar.Media, _ *kabar.RemoteMedium) string { return differs("filename", m.Filename, "passwd") })},
	{"a huge file name", `{"v":1,"at":1,"message":{"id":"MSG","kind":"document","content":{"filename":"` + strings.Repeat("ü", 50_000) + `"},"medium":MEDIUM}}`,
		medium(func(m *kabar.Media, _ *kabar.RemoteMedium) string {
			return differs("length", len(m.Filename) <= 255 && utf8.ValidString(m.Filename), true)
		})},
	{"a media type with a header in it", `{"v":1,"at":1,"message":{"id":"MSG","kind":"image","content":{"mime":"text/html"},"medium":` +
		strings.Replace(mediumJSON, "image/png", `text/html\r\nSet-Cookie: a=b`, 1) + `}}`,
		medium(func(m *kabar.Media, r *kabar.RemoteMedium) string {
			return differs("type", m.MIME+" "+r.MIME, "application/octet-stream application/octet-stream")
		})},
	{"a medium that is nowhere", `{"v":1,"at":1,"message":{"id":"MSG","kind":"video","content":{"media":5}}}`, unsupported},
	{"a template", `{"v":1,"at":1,"message":{"id":"MSG","kind":"template","content":{"name":"x","rendered":{"body":"x"}}}}`, unsupported},
	{"an interactive message", `{"v":1,"at":1,"message":{"id":"MSG","kind":"interactive","content":{"type":"button","body":"x","action":{}}}}`, unsupported},
	{"a kind of the future", `{"v":1,"at":1,"message":{"id":"MSG","kind":"hologram","content":{"x":1}}}`, unsupported},
	{"a version of the future", `{"v":2,"at":1,"message":{"id":"MSG","kind":"text","content":{"body":"x"}}}`, unsupported},
	{"no version", `{"at":1,"message":{"id":"MSG","kind":"text","content":{"body":"x"}}}`, unsupported},
	{"no time", `{"v":1,"message":{"id":"MSG","kind":"text","content":{"body":"x"}}}`, unsupported},
	{"no JSON", `hello`, unsupported},
	{"no UTF-8", "{\"v\":1,\"at\":1,\"message\":{\"id\":\"MSG\",\"kind\":\"text\",\"content\":{\"body\":\"\xff\"}}}", unsupported},
	{"two bodies", `{"v":1,"at":1,"message":{"id":"MSG","kind":"text","content":{"body":"x"}},"blocked":{"blocked":true}}`, unsupported},
	{"no body", `{"v":1,"at":1}`, unsupported},
	{"content of another kind", `{"v":1,"at":1,"message":{"id":"MSG","kind":"text","content":[1]}}`, unsupported},
	{"an id of the business's own form", `{"v":1,"at":1,"message":{"id":"010000000000000001","kind":"text","content":{"body":"x"}}}`, unsupported},
	{"an id that is none", `{"v":1,"at":1,"message":{"id":"../x","kind":"text","content":{"body":"x"}}}`, unsupported},
	{"a receipt that says failed", `{"v":1,"at":1,"receipt":{"status":"failed","ids":["010000000000000001"]}}`, unsupported},
	{"a receipt for 101 messages", `{"v":1,"at":1,"receipt":{"status":"read","ids":[` + strings.TrimSuffix(strings.Repeat(`"010000000000000001",`, 101), ",") + `]}}`, unsupported},
	{"a key in a reaction", `{"v":1,"at":1,"message":{"id":"MSG","kind":"reaction","content":{"target":9,"unknown":"x","emoji":"👍"},"target":"010000000000000001"}}`,
		func(u kabar.Update) string {
			r, ok := u.Message.Content.(*kabar.Reaction)
			if !ok || r.Target != 0 || r.Unknown != "" || u.Message.Target != "010000000000000001" {
				return fmt.Sprintf("the reaction has become %+v", u.Message.Content)
			}
			return ""
		}},
	{"a huge name", `{"v":1,"at":1,"name":"` + strings.Repeat("ü", 50_000) + `","message":{"id":"MSG","kind":"text","content":{"body":"x"}}}`,
		func(u kabar.Update) string {
			return differs("name", len(u.From.Name) <= 256 && utf8.ValidString(u.From.Name), true)
		}},
	{"another sender", `{"v":1,"at":1,"from":"62800","message":{"id":"MSG","kind":"text","content":{"body":"x"}}}`, nil},
	{"a time beyond all calendars", `{"v":1,"at":9223372036854775807,"message":{"id":"MSG","kind":"text","content":{"body":"x"}}}`, nil},
	{"a business's profile", `{"v":1,"at":1,"profile":{"name":"Bank"}}`, nothing},
	{"a tap under an id of the business's own form", `{"v":1,"at":1,"tapped":{"id":"010000000000000001","message":"010000000000000001","button":0}}`, unsupported},
	{"a tap on a button that no template has", `{"v":1,"at":1,"tapped":{"id":"MSG","message":"010000000000000001","button":10}}`, unsupported},
	{"a tap on a card that no template has", `{"v":1,"at":1,"tapped":{"id":"MSG","message":"010000000000000001","card":-1,"button":0}}`, unsupported},
	{"typing, in an envelope", `{"v":1,"at":1,"typing":{"on":true}}`, nothing},
}

var mediumJSON = string(must(json.Marshal(payload.Medium{Blob: strings.Repeat("A", 43), Key: make([]byte, 32), CipherHash: make([]byte, 32),
	CipherSize: 9, Size: 5, SHA256: strings.Repeat("ab", 32), MIME: "image/png"})))

func differs(what string, got, want any) string {
	if got == want {
		return ""
	}
	return fmt.Sprintf("%s is %v, want %v", what, got, want)
}

func unsupported(u kabar.Update) string {
	if u.Message != nil {
		if c, ok := u.Message.Content.(*kabar.Unsupported); ok && u.Message.Medium == nil && len(c.Detail) < 200 {
			return ""
		}
	}
	return fmt.Sprintf("want an unsupported message, got %+v", u)
}

func nothing(u kabar.Update) string {
	if u.Message != nil || u.Receipt != nil || u.Typing || u.Ref != "" || u.From.Name != "" {
		return fmt.Sprintf("want nothing, got %+v", u)
	}
	return ""
}

func medium(check func(*kabar.Media, *kabar.RemoteMedium) string) func(kabar.Update) string {
	return func(u kabar.Update) string {
		if u.Message == nil || u.Message.Medium == nil || kabar.MediumOf(u.Message.Content) == nil {
			return fmt.Sprintf("want a medium, got %+v", u)
		}
		return check(kabar.MediumOf(u.Message.Content), u.Message.Medium)
	}
}

func TestWhatACustomerSaysIsNeverTrusted(t *testing.T) {
	r := newRig(t)
	d, ana := r.desk(), r.handset()
	for i, c := range hostile {
		t.Run(c.name, func(t *testing.T) {
			heard := len(d.Heard(ana, anything))
			plain := strings.NewReplacer("MSG", newID(), "MEDIUM", mediumJSON).Replace(c.payload)
			ana.busy.Lock()
			ana.postBytes(nil, []byte(plain))
			ana.busy.Unlock()
			u := d.Await(ana, "an update", heard+1, anything)[heard]
			if c.check != nil {
				if wrong := c.check(u); wrong != "" {
					t.Error(wrong)
				}
			}
			if u.From.WaID != ana.account || u.From.BSUID != "" {
				t.Errorf("it comes from %+v", u.From)
			}
			ana.Say(fmt.Sprint("honest ", i)) // whatever it was, the conversation goes on
			d.Await(ana, "an honest text", heard+2, anything)
		})
	}
}

func anything(kabar.Update) bool { return true }

// A customer says where a medium lies; that must not make the driver ask for anything else, or believe what it gets.
func TestAForgedMediumIsNotDownloaded(t *testing.T) {
	r := newRig(t)
	d, ana := r.desk(), r.handset()
	carrier := d.Net.(network.MediaCarrier)
	good := ana.upload("image/png", bytes.Repeat([]byte("pixel"), 40_000))
	for name, forge := range map[string]func(m *payload.Medium){
		"none":          nil,
		"another path":  func(m *payload.Medium) { m.Blob = "../../livez" },
		"a query":       func(m *payload.Medium) { m.Blob += "?x=" },
		"unknown":       func(m *payload.Medium) { m.Blob = strings.Repeat("A", 43) },
		"another key":   func(m *payload.Medium) { m.Key = bytes.Repeat([]byte{1}, 32) },
		"a short key":   func(m *payload.Medium) { m.Key = m.Key[:5] },
		"another hash":  func(m *payload.Medium) { m.CipherHash = bytes.Repeat([]byte{1}, 32) },
		"no hash":       func(m *payload.Medium) { m.CipherHash = nil },
		"another size":  func(m *payload.Medium) { m.Size-- },
		"a larger size": func(m *payload.Medium) { m.Size = 1 << 50 },
	} {
		t.Run(name, func(t *testing.T) {
			m := *good
			if forge != nil {
				forge(&m)
			}
			body, err := carrier.Download(t.Context(), &kabar.RemoteMedium{Locator: must(json.Marshal(m)), MIME: m.MIME, Size: m.Size, SHA256: m.SHA256})
			if err == nil {
				_, err = io.Copy(io.Discard, body)
				_ = body.Close()
			}
			if (err == nil) != (forge == nil) {
				t.Errorf("error %v", err)
			}
		})
	}
	if _, err := carrier.Download(t.Context(), &kabar.RemoteMedium{Locator: []byte("{")}); err == nil {
		t.Error("a locator that is none was read")
	}
	d.Send(d.Text(ana, "still connected"))
	patience.Until(t, "it is shown", func() bool { return len(ana.Shown()) == 1 })
}
