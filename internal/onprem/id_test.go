package onprem

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kabar"
	"kabar/internal/golden"
	"kabar/internal/msgid"
	"kabar/internal/permute"
)

// numbers hides keys of media as the store does.
type numbers struct {
	Store
	p *permute.Permutation
}

func (n numbers) HideMedia(id kabar.MediaID) uint64    { return n.p.Hide(uint64(id)) }
func (n numbers) RevealMedia(ref uint64) kabar.MediaID { return kabar.MediaID(n.p.Reveal(ref)) }

func idAPI(t testing.TB, secret string) *API {
	p, err := permute.New([]byte("0123456789abcdef"))
	must(t, err)
	return &API{store: numbers{p: p}, secret: []byte(secret)}
}

var version4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// A media id is a UUID of version 4 that leads back to its key; one character changed, or another server's secret, is none.
func TestMediaID(t *testing.T) {
	a, other := idAPI(t, "one"), idAPI(t, "two")
	seen := map[string]kabar.MediaID{}
	rapid.Check(t, func(t *rapid.T) {
		key := kabar.MediaID(rapid.Int64Range(1, 1<<62).Draw(t, "key"))
		id := a.MediaID(key)
		if !version4.MatchString(id) {
			t.Fatalf("id %q", id)
		}
		if got, ok := a.medium(id); !ok || got != key {
			t.Fatalf("%q is %d, %v; want %d", id, got, ok, key)
		}
		if before, ok := seen[id]; ok && before != key {
			t.Fatalf("%q is the id of %d and %d", id, before, key)
		}
		seen[id] = key
		if _, ok := other.medium(id); ok {
			t.Fatal("another server accepts the id")
		}
		at := rapid.IntRange(0, len(id)-1).Draw(t, "at")
		changed := id[:at] + string(rapid.RuneFrom([]rune("0123456789abcdefABCDEF-{} ")).Draw(t, "char")) + id[at+1:]
		if _, ok := a.medium(changed); ok && changed != id {
			t.Fatalf("%q is accepted for %q", changed, id)
		}
		for _, spelling := range []string{strings.ToUpper(id), "{" + id + "}", "urn:uuid:" + id, strings.ReplaceAll(id, "-", "")} {
			if _, ok := a.medium(spelling); ok && spelling != id {
				t.Fatalf("%q is accepted", spelling)
			}
		}
	})
}

func FuzzMediaID(f *testing.F) {
	a := idAPI(f, "one")
	f.Add(a.MediaID(7))
	f.Add("6ba7b810-9dad-41d1-80b4-00c04fd430c8")
	f.Fuzz(func(t *testing.T, id string) {
		if key, ok := a.medium(id); ok && a.MediaID(key) != id {
			t.Errorf("%q and %q are the same medium", id, a.MediaID(key))
		}
	})
}

// Of a message's id every part counts: direction, digits and number.
func TestMessageIDs(t *testing.T) {
	e := newEnv(t)
	p := &player{env: e}
	p.t = t
	p.inbound(`{"Kind":"text","Content":{"body":"hola"}}`)
	p.request("POST /v1/messages\n\n{\"to\":\"" + ana + "\",\"text\":{\"body\":\"x\"}}")
	id := golden.FindID(p.last.Body.String())
	outbound, digits, stanza, err := msgid.Decode(id)
	must(t, err)
	ref, ours := msgid.Ref(stanza)
	if !outbound || digits != ana || !ours {
		t.Fatalf("id %q: %v %s %x", id, outbound, digits, stanza)
	}
	m, err := e.api.message(t.Context(), e.a.ID, id)
	if err != nil || m.Ref != ref {
		t.Fatalf("%+v, %v", m, err)
	}
	for name, wrong := range map[string]string{
		"direction":        msgid.Encode(false, digits, msgid.Stanza(ref, false)),
		"digits":           msgid.Encode(true, "34600111333", stanza),
		"number":           msgid.Encode(true, digits, msgid.Stanza(ref+1, true)),
		"foreign stanza":   msgid.Encode(false, digits, make([]byte, msgid.ForeignLen)),
		"cut":              id[:len(id)-1],
		"empty":            "",
		"padded":           id + "=",
		"with white space": " " + id,
	} {
		_, err := e.api.message(t.Context(), e.a.ID, wrong)
		var refused *kabar.Error
		if !errors.As(err, &refused) || refused.Reason != kabar.ReasonNotFound {
			t.Errorf("%s: %q: %v", name, wrong, err)
		}
	}
	if _, err := e.api.message(t.Context(), e.b.ID, id); err == nil {
		t.Error("another number finds the message")
	}
}
