package dossier_test

import (
	"archive/zip"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/dossier"
	"kabar/internal/media"
	"kabar/internal/secrets"
	"kabar/internal/store"
	"kabar/internal/storetest"
	"kabar/internal/trace"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const ana = "34600111222"

// desk is a store with a customer, and what exports them.
type desk struct {
	*storetest.Env
	media *media.Store
	x     *dossier.Exporter
	c     *kabar.Conversation
}

func newDesk(t *testing.T, s *storetest.Env) *desk {
	t.Helper()
	d := &desk{Env: s}
	var err error
	if d.media, err = media.Open(filepath.Join(t.TempDir(), "media")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.media.Close() }) // the test has read
	tracer := trace.New(s.DB, trace.Names{ID: func(_ bool, _ *kabar.Number, _ kabar.Customer, ref uint64) string { return fmt.Sprint(ref) },
		Ref: func(string) (uint64, bool) { return 0, false }, Own: func(id string) string { return id }, Code: func(kabar.Reason) int { return 1 }})
	d.x = dossier.New(dossier.Options{Store: s.DB, Media: d.media, Trace: tracer, Now: func() time.Time { return s.Now }})
	d.Write(t, func(tx *store.Tx) (err error) {
		d.c, err = tx.CreateConversation(s.A, kabar.Customer{WaID: ana, BSUID: "ES.1", Name: "Ana <María>"})
		return err
	})
	return d
}

// put stores a medium, whose name has an extension or not.
func (d *desk) put(t *testing.T, content, name string) *store.Medium {
	t.Helper()
	m := &store.Medium{Account: d.A.Account, Number: d.A.ID, MIME: "text/plain; charset=utf-8", Filename: name, Key: secrets.NewKey(), Created: d.Now}
	info, err := d.media.Put(t.Context(), strings.NewReader(content), m.Key, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	m.File, m.Size, m.SHA256 = info.Name, info.Size, hex.EncodeToString(info.SHA256[:])
	d.Write(t, func(tx *store.Tx) error { return tx.AddMedium(m) })
	return m
}

// say adds a message of the customer.
func (d *desk) say(tx *store.Tx, text string, of *store.Medium) error {
	m := &kabar.Message{Direction: kabar.Inbound, Status: kabar.Received, At: d.Now, Content: &kabar.Text{Body: text}}
	if of != nil {
		doc := kabar.NewMedia(kabar.KindDocument)
		doc.ID, doc.Caption = of.ID, text
		m.Content = doc
	}
	return tx.AppendMessage(d.c, m)
}

// export returns the files of the archive.
func (d *desk) export(t *testing.T, handle string) (map[string]string, dossier.Done) {
	t.Helper()
	p, err := d.x.Find(t.Context(), d.A.Account, handle)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	var done dossier.Done
	if err := d.x.Write(t.Context(), &b, p, func(so dossier.Done) { done = so }); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := files[f.Name]; twice {
			t.Errorf("%s is there twice", f.Name)
		}
		if files[f.Name] = string(text); strings.HasSuffix(f.Name, ".json") && !json.Valid(text) {
			t.Errorf("%s is no JSON:\n%s", f.Name, text)
		}
	}
	return files, done
}

// More messages than one read takes, media that several name, one of which is lost: each is there once, newest first.
func TestExport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		d := newDesk(t, s)
		menu, lost, odd := d.put(t, "menu", "menu.txt"), d.put(t, "lost", ""), d.put(t, "odd", "../../x.<b>")
		if err := d.media.Remove(lost.File); err != nil {
			t.Fatal(err)
		}
		s.Write(t, func(tx *store.Tx) error {
			for i := range 250 {
				if err := d.say(tx, fmt.Sprint("text ", i), map[int]*store.Medium{0: menu, 7: menu, 8: lost, 249: odd}[i]); err != nil {
					return err
				}
			}
			return tx.AddConsentEntry(s.A.Account, ana, &kabar.ConsentEntry{State: kabar.ConsentIn, At: s.Now, Proof: "order 991"})
		})
		for _, handle := range []string{ana, "ES.1"} {
			files, done := d.export(t, handle)
			folder := "conversations/" + s.A.Digits + "/messages.json"
			name := fmt.Sprintf("media/%d", s.DB.HideMedia(menu.ID))
			oddName := fmt.Sprintf("media/%d.plain", s.DB.HideMedia(odd.ID))
			if want := []string{"README.txt", "consent.json", folder, "customer.json", name + ".txt", oddName}; !slices.Equal(slices.Sorted(maps.Keys(files)), slices.Sorted(slices.Values(want))) {
				t.Errorf("the files are %q", slices.Sorted(maps.Keys(files)))
			}
			if done != (dossier.Done{Messages: 250, Media: 2}) || files[name+".txt"] != "menu" || files[oddName] != "odd" {
				t.Errorf("%+v: %q, %q", done, files[name+".txt"], files[oddName])
			}
			var messages []struct {
				Content map[string]any
				Media   []string
			}
			if err := json.Unmarshal([]byte(files[folder]), &messages); err != nil || len(messages) != 250 {
				t.Fatalf("%d messages, %v", len(messages), err)
			}
			if first, last := messages[0], messages[249]; first.Content["caption"] != "text 249" || last.Content["caption"] != "text 0" || len(last.Media) != 1 {
				t.Errorf("%+v … %+v", first, last)
			}
			for file, words := range map[string]string{"customer.json": `"name": "Ana <María>"`, "consent.json": `"order 991"`, "README.txt": "newest first"} {
				if !strings.Contains(files[file], words) {
					t.Errorf("%s does not say %s:\n%s", file, words, files[file])
				}
			}
		}
	})
}

// Who is known by consent alone has an archive, who is not known has none, and of another account's customer nothing is told.
func TestExportOfAlmostNobody(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		d := newDesk(t, s)
		s.Write(t, func(tx *store.Tx) error {
			return tx.AddConsentEntry(s.A.Account, "4915", &kabar.ConsentEntry{State: kabar.ConsentIn, At: s.Now})
		})
		files, _ := d.export(t, "4915")
		if len(files) != 3 || !strings.Contains(files["customer.json"], `"conversations": []`) {
			t.Errorf("%q", files)
		}
		for account, handle := range map[kabar.AccountID]string{s.A.Account: "4916", s.B.Account: ana} {
			_, err := d.x.Find(t.Context(), account, handle)
			if refused, ok := errors.AsType[*kabar.Error](err); !ok || refused.Reason != kabar.ReasonNotFound {
				t.Errorf("%s of account %d: %v", handle, account, err)
			}
		}
	})
}

// An archive that cannot be written ends with the error.
func TestExportThatBreaksOff(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		d := newDesk(t, s)
		p, err := d.x.Find(t.Context(), s.A.Account, ana)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.x.Write(t.Context(), full{}, p, nil); !errors.Is(err, errFull) {
			t.Errorf("%v", err)
		}
	})
}

var errFull = errors.New("the disk is full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
