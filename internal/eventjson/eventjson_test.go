package eventjson_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"kabar"
	"kabar/internal/eventjson"
)

var update = flag.Bool("update", false, "write what is seen into testdata")

const goldenFile = "testdata/events.txtar"

// ids are those of a server that hides nothing.
type ids struct{}

func (ids) EventID(n kabar.NumberID, seq int64, at time.Time) string {
	return fmt.Sprintf("evt_%d_%d_%d", n, seq, at.UnixMilli())
}

func (ids) Node(key int64) uint64 { return 100_000_000_000_000 + uint64(key) }

func dialect() *eventjson.Dialect {
	return eventjson.New(ids{}, func(id kabar.MediaID) string { return fmt.Sprintf("medium-%d", id) })
}

var number = kabar.Number{ID: 7, Account: 3, Digits: "15550001111"}

func render(t testing.TB, ev *kabar.Event) []byte {
	t.Helper()
	body, wanted, err := dialect().Render(ev, &number, kabar.Settings{})
	if err != nil || !wanted {
		t.Fatalf("%s: wanted %v, %v", ev.Type(), wanted, err)
	}
	return body
}

// TestGolden: how each type of event looks, with each kind of content and what else there may be.
func TestGolden(t *testing.T) {
	archive, err := txtar.ParseFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	seen := &txtar.Archive{Comment: archive.Comment}
	for _, c := range cases(t) {
		var out bytes.Buffer
		if err := json.Indent(&out, render(t, c.event), "", "  "); err != nil {
			t.Fatal(err)
		}
		seen.Files = append(seen.Files, txtar.File{Name: c.name, Data: append(out.Bytes(), '\n')})
	}
	if *update {
		if err := os.WriteFile(goldenFile, txtar.Format(seen), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if len(archive.Files) != len(seen.Files) {
		t.Fatalf("%s has %d objects, there are %d", goldenFile, len(archive.Files), len(seen.Files))
	}
	for i, f := range seen.Files {
		if want := archive.Files[i]; want.Name != f.Name || !bytes.Equal(want.Data, f.Data) {
			t.Errorf("%s: want %s:\n%s\ngot:\n%s", f.Name, want.Name, want.Data, f.Data)
		}
	}
}

// Every type of event and every kind that a customer can send has a golden object.
func TestGoldenIsWhole(t *testing.T) {
	types, kinds := kabar.EventTypes(), []kabar.Kind{kabar.KindText, kabar.KindImage, kabar.KindAudio, kabar.KindVideo, kabar.KindDocument,
		kabar.KindSticker, kabar.KindLocation, kabar.KindContacts, kabar.KindReaction, kabar.KindReply, kabar.KindButton, kabar.KindOrder, kabar.KindUnsupported}
	for _, c := range cases(t) {
		types = slices.DeleteFunc(types, func(e kabar.EventType) bool { return e == c.event.Type() })
		kinds = slices.DeleteFunc(kinds, func(k kabar.Kind) bool { return k == c.event.Content.Kind })
	}
	if len(types)+len(kinds) > 0 {
		t.Errorf("no object for the types %q, the kinds %q", types, kinds)
	}
}

// An event that is read from the log again has the same bytes, and settings of /v1 change nothing.
func TestEqualEventsGiveEqualBytes(t *testing.T) {
	for _, c := range cases(t) {
		stored, err := json.Marshal(c.event)
		if err != nil {
			t.Fatal(err)
		}
		again := &kabar.Event{Account: c.event.Account, Number: c.event.Number, Seq: c.event.Seq, Conversation: c.event.Conversation}
		if err := json.Unmarshal(stored, again); err != nil {
			t.Fatal(err)
		}
		body, _, err := dialect().Render(again, &number, kabar.Settings{SentEvents: true, ShowSecurity: true, NotifyChange: true})
		if err != nil || !bytes.Equal(body, render(t, c.event)) {
			t.Errorf("%s: %s, %v", c.name, body, err)
		}
	}
}

func TestRefusesWhatNoCustomerSends(t *testing.T) {
	content, err := kabar.Snapshot(&kabar.Interactive{})
	if err != nil {
		t.Fatal(err)
	}
	for name, ev := range map[string]*kabar.Event{
		"a kind of event that is new": {Kind: "weather"},
		"a content of the business":   {Kind: kabar.EventMessage, Content: content},
		"a content without a kind":    {Kind: kabar.EventMessage},
		"a change without it":         {Kind: kabar.EventTemplate},
	} {
		if body, wanted, err := dialect().Render(ev, &number, kabar.Settings{}); err == nil || wanted || body != nil {
			t.Errorf("%s: %s, %v, %v", name, body, wanted, err)
		}
	}
}

// Codes of errors are words that stay apart, whatever the reason.
func TestCodesAreDistinct(t *testing.T) {
	codes := map[string]kabar.Reason{}
	for _, r := range reasons(t) {
		var e struct {
			Error struct{ Code, Title string }
		}
		if err := json.Unmarshal(render(t, &kabar.Event{Kind: kabar.EventFault, Failure: r}), &e); err != nil {
			t.Fatal(err)
		}
		if strings.Trim(e.Error.Code, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" || e.Error.Title != string(r) {
			t.Errorf("%q is %+v", r, e.Error)
		}
		if other, taken := codes[e.Error.Code]; taken {
			t.Errorf("%q and %q are both %s", r, other, e.Error.Code)
		}
		codes[e.Error.Code] = r
	}
	if len(codes) < 60 {
		t.Errorf("only %d reasons", len(codes))
	}
}

// FuzzRender: what stands in the log is rendered or refused, and what is rendered is an object with its type.
func FuzzRender(f *testing.F) {
	for _, c := range cases(f) {
		b, err := json.Marshal(c.event)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"kind":"fault"}`))
	f.Add([]byte(`{"kind":"credit"}`))
	f.Fuzz(func(t *testing.T, stored []byte) {
		ev := new(kabar.Event)
		if json.Unmarshal(stored, ev) != nil {
			return
		}
		body, wanted, err := dialect().Render(ev, &number, kabar.Settings{})
		if err != nil {
			return
		}
		var shown struct{ Type kabar.EventType }
		if err := json.Unmarshal(body, &shown); err != nil || !wanted || shown.Type != ev.Type() {
			t.Fatalf("%s: %v, %v", body, wanted, err)
		}
	})
}
