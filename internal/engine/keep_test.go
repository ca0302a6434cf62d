package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	pictures "image"
	"image/png"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/store"
)

// put stores a medium of these bytes.
func (v *env) put(content, mime string) kabar.MediaID {
	v.t.Helper()
	var id kabar.MediaID
	_, err := v.e.PutMedia(v.t.Context(), v.id, engine.Upload{Body: strings.NewReader(content), MIME: mime}, nil,
		func(m *store.Medium) (int, []byte, error) { id = m.ID; return 201, nil, nil })
	if err != nil {
		v.t.Fatal(err)
	}
	return id
}

func (v *env) files() []string {
	v.t.Helper()
	all, err := filepath.Glob(filepath.Join(v.dir, "media", "*"))
	if err != nil {
		v.t.Fatal(err)
	}
	return all
}

func (v *env) readMedium(id kabar.MediaID) (string, error) {
	_, r, err := v.e.Medium(v.t.Context(), v.id, id)
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(r)
	return string(b), err
}

func TestEqualBytesAreOneFile(t *testing.T) {
	v := newEnv(t)
	first, second, other := v.put("menu", "text/plain"), v.put("menu", "text/markdown"), v.put("wine", "text/plain")
	if n := len(v.files()); n != 2 {
		t.Errorf("%d files, want 2", n)
	}
	if err := v.e.RemoveMedium(t.Context(), v.id, first); err != nil {
		t.Fatal(err)
	}
	if got, err := v.readMedium(second); err != nil || got != "menu" {
		t.Errorf("the other medium reads %q (%v)", got, err)
	}
	for _, id := range []kabar.MediaID{second, other} {
		if err := v.e.RemoveMedium(t.Context(), v.id, id); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(v.files()); n != 0 {
		t.Errorf("%d files are left", n)
	}
}

// Uploads and deletions of the same bytes side by side: what was not deleted is readable, and nothing is left over.
func TestEqualBytesSideBySide(t *testing.T) {
	v := newEnv(t)
	keep := make(chan kabar.MediaID, 100)
	done := make(chan struct{})
	for i := range 10 {
		go func() {
			defer func() { done <- struct{}{} }()
			for j := range 10 {
				id := v.put("the same", "text/plain")
				if (i+j)%2 == 0 {
					keep <- id
				} else if err := v.e.RemoveMedium(t.Context(), v.id, id); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	for range 10 {
		<-done
	}
	close(keep)
	for id := range keep {
		if got, err := v.readMedium(id); err != nil || got != "the same" {
			t.Errorf("medium %d reads %q (%v)", id, got, err)
		}
	}
	if n := len(v.files()); n != 1 {
		t.Errorf("%d files, want 1", n)
	}
}

func TestALostFileComesBackWithItsBytes(t *testing.T) {
	v := newEnv(t)
	first := v.put("menu", "text/plain")
	if err := os.Remove(v.files()[0]); err != nil {
		t.Fatal(err)
	}
	second := v.put("menu", "text/plain")
	if got, err := v.readMedium(second); err != nil || got != "menu" {
		t.Errorf("the bytes that came again read %q (%v)", got, err)
	}
	if _, err := v.readMedium(first); err == nil {
		t.Error("the lost one is read")
	}
	if err := v.e.RemoveMedium(t.Context(), v.id, first); err != nil {
		t.Fatal(err)
	}
	if got, err := v.readMedium(second); err != nil || got != "menu" {
		t.Errorf("after the lost one was deleted: %q (%v)", got, err)
	}
}

func TestBrokenPicturesAreRefused(t *testing.T) {
	v := newEnv(t)
	var b bytes.Buffer
	if err := png.Encode(&b, pictures.NewGray(pictures.Rect(0, 0, 30, 30))); err != nil {
		t.Fatal(err)
	}
	v.put(b.String(), "image/png")
	_, err := v.e.PutMedia(t.Context(), v.id, engine.Upload{Body: bytes.NewReader(b.Bytes()[:b.Len()-1])}, nil,
		func(*store.Medium) (int, []byte, error) { return 201, nil, nil })
	if e, ok := errors.AsType[*kabar.Error](err); !ok || e.Reason != kabar.ReasonInvalid {
		t.Errorf("a picture without its last byte: %v", err)
	}
	if n := len(v.files()); n != 1 {
		t.Errorf("%d files, want 1", n)
	}
}

// The credentials of a provider go with its links, as the provider is when the link is fetched, and with no others.
func TestProviders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		seen := map[string]string{}
		credentials := func() string {
			mu.Lock()
			defer mu.Unlock()
			return fmt.Sprint(seen)
		}
		v, _ := newMediaEnv(t, func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			seen[r.URL.Path] = r.Header.Get("Authorization")
			return page(200, "words"), nil
		})
		v.hear(ana, "hi")
		for _, p := range []*kabar.Provider{{Name: "a", Username: "u", Password: "p"}, {Name: "b", Bearer: "t"}, {Name: "c", Bearer: "t"}} {
			if err := v.e.SaveProvider(t.Context(), v.id, p); err != nil {
				t.Fatal(err)
			}
		}
		with := func(path, provider string) kabar.Content {
			m := link("https://files.example" + path).(*kabar.Media)
			m.Provider = provider
			return m
		}
		for _, c := range [][2]string{{"/basic", "a"}, {"/bearer", "b"}, {"/none", ""}} {
			v.must(engine.Request{To: ana, Content: with(c[0], c[1])})
		}
		settle()
		if got := credentials(); got != "map[/basic:Basic dTpw /bearer:Bearer t /none:]" {
			t.Errorf("credentials: %v", got)
		}
		if _, _, err := v.send(engine.Request{To: ana, Content: with("/x", "nobody")}); err == nil {
			t.Error("an unknown provider is accepted")
		}
		v.net.SetOffline(true)
		v.must(engine.Request{To: ana, Content: with("/late", "c")})
		if err := v.e.RemoveProvider(t.Context(), v.id, "c"); err != nil {
			t.Fatal(err)
		}
		v.net.SetOffline(false)
		time.Sleep(time.Minute)
		if all := v.told(); all[len(all)-1] != "status failed "+string(kabar.ReasonMediaDownload) {
			t.Errorf("with a provider that is gone: %q", all)
		}
		if strings.Contains(credentials(), "/late") {
			t.Error("a link was fetched without its credentials")
		}
	})
}

// A text waits for its preview, others do not; a text whose link says nothing goes all the same, and is looked at once.
func TestPreviewsBesideTheLanes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.stop()
		asked := 0
		v.preview = func(ctx context.Context, url string) *kabar.Preview {
			asked++
			time.Sleep(time.Minute)
			if strings.Contains(url, "nothing") {
				return nil
			}
			return &kabar.Preview{URL: url, Title: "Warung"}
		}
		v.start()
		bela := "34600111223"
		v.hear(ana, "hi")
		v.hear(bela, "hi")
		for _, body := range []string{"https://a.example/", "https://nothing.example/", "no link"} {
			v.must(engine.Request{To: ana, Content: &kabar.Text{Body: body, PreviewURL: true}})
		}
		v.text(ana, "https://b.example/ not asked for")
		v.text(bela, "quick")
		settle()
		if ms := v.net.Messages(); len(ms) != 1 || ms[0].To != bela {
			t.Fatalf("after a moment: %+v", ms)
		}
		time.Sleep(10 * time.Minute)
		if ms := v.net.Messages(); len(ms) != 5 || asked != 2 {
			t.Errorf("%d messages, %d looks", len(ms), asked)
		}
		v.wantTold("message hi", "message hi", "status sent", "status sent", "status sent", "status sent", "status sent")
	})
}

// What the settings ask for is collected once a day, and nothing that somebody needs.
func TestCollectionByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, _ := newMediaEnv(t, nil)
		if err := v.e.ChangeSettings(t.Context(), v.id, func(s *kabar.Settings, _ *string) error { s.CollectMedia = true; return nil }); err != nil {
			t.Fatal(err)
		}
		v.hear(ana, "hi")
		settle()
		quoted := v.e.Deref(v.text(ana, "to be quoted"))
		idle, used := v.put("idle", "text/plain"), v.put("used", "text/plain")
		time.Sleep(20 * 24 * time.Hour)
		v.hear(ana, "again")
		doc := kabar.NewMedia(kabar.KindDocument)
		doc.ID = used
		v.must(engine.Request{To: ana, Content: doc, ReplyTo: quoted})
		time.Sleep(11 * 24 * time.Hour)
		if _, err := v.e.Message(t.Context(), v.id, quoted); err == nil {
			t.Error("an old message is still there")
		}
		if _, err := v.readMedium(idle); err == nil {
			t.Error("a medium that nobody uses is still there")
		}
		if got, err := v.readMedium(used); err != nil || got != "used" {
			t.Errorf("the medium that was sent reads %q (%v)", got, err)
		}
		evs, err := v.db.Events(t.Context(), v.id, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		last := kabar.MessageID(0)
		for _, e := range evs {
			if e.Kind == kabar.EventMessage {
				last = e.Message
			}
		}
		if err := v.e.MarkRead(t.Context(), v.id, last); err != nil {
			t.Errorf("mark a message whose elders are gone: %v", err)
		}
		before := len(v.net.Messages())
		v.must(engine.Request{To: ana, Content: &kabar.Template{Name: "hello", Language: kabar.Language{Code: "en"},
			Components: []kabar.Component{{Type: kabar.ComponentBody, Parameters: []kabar.Parameter{{Type: kabar.ParameterText, Text: "Ana"}}}}}})
		settle()
		if n := len(v.net.Messages()); n != before+1 {
			t.Errorf("%d messages after the collection, want %d", n, before+1)
		}
	})
}
