package onprem

import (
	"bytes"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"kabar"
	"kabar/internal/golden"
	await "kabar/internal/patience"
)

func TestThePhotoIsSquare(t *testing.T) {
	e := newEnv(t)
	if w := e.ask(e.as("admin"), "POST", "/v1/settings/profile/photo", string(golden.Sample("photo"))); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	w := e.ask(e.as("admin"), "GET", "/v1/settings/profile/photo", "")
	m, err := jpeg.Decode(w.Body)
	must(t, err)
	if b := m.Bounds(); w.Header().Get("Content-Type") != "image/jpeg" || b.Dx() != 600 || b.Dy() != 600 {
		t.Errorf("%s of %v", w.Header().Get("Content-Type"), b)
	}
	n, err := e.engine.Number(e.a.ID)
	must(t, err)
	small, err := jpeg.Decode(bytes.NewReader(n.Profile.Photo))
	must(t, err)
	if b := small.Bounds(); b.Dx() != 192 || b.Dy() != 192 {
		t.Errorf("customers get a picture of %v", b)
	}
}

// TestThePhotosLinkWorks follows the link without credentials, until the picture is another one.
func TestThePhotosLinkWorks(t *testing.T) {
	e := newEnv(t)
	link := func() string {
		t.Helper()
		w := e.ask(e.as("admin"), "GET", "/v1/settings/profile/photo?format=link", "")
		_, rest, _ := strings.Cut(w.Body.String(), `"link":"http://example.com`)
		path, _, found := strings.Cut(rest, `"`)
		if w.Code != http.StatusOK || !found {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return path
	}
	e.ask(e.as("admin"), "POST", "/v1/settings/profile/photo", string(golden.Sample("photo")))
	first := link()
	direct, linked := e.ask(e.as("admin"), "GET", "/v1/settings/profile/photo", ""), e.ask(nobody, "GET", first, "")
	if linked.Code != http.StatusOK || !bytes.Equal(direct.Body.Bytes(), linked.Body.Bytes()) {
		t.Errorf("the link answers %d with %d bytes", linked.Code, linked.Body.Len())
	}
	e.ask(e.as("other"), "POST", "/v1/settings/profile/photo", string(golden.Sample("photo")))
	for _, wrong := range []string{first[:len(first)-1] + "!", first + "A", first[:len(first)-2] + "AA", "/photo/AAAA"} {
		if w := e.ask(nobody, "GET", wrong, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", wrong, w.Code)
		}
	}
	e.advance(time.Minute)
	e.ask(e.as("admin"), "POST", "/v1/settings/profile/photo", string(golden.Sample("photo")))
	if w := e.ask(nobody, "GET", first, ""); w.Code != http.StatusNotFound {
		t.Errorf("the link of the picture before answers %d", w.Code)
	}
	if w := e.ask(nobody, "GET", link(), ""); w.Code != http.StatusOK {
		t.Errorf("the new link answers %d", w.Code)
	}
	e.ask(e.as("admin"), "DELETE", "/v1/settings/profile/photo", "")
	if n, err := e.engine.Number(e.a.ID); err != nil || n.Profile.Photo != nil {
		t.Errorf("customers still get %d bytes, %v", len(n.Profile.Photo), err)
	}
}

func (e *env) as(who string) sender { return bearer(e.tokens[who]) }

func nobody(*http.Request) {}

// slowBody holds its reader until it is let go.
type slowBody struct{ gate chan struct{} }

func (b slowBody) Read([]byte) (int, error) { <-b.gate; return 0, http.ErrBodyReadAfterClose }

func TestFewPhotosAtATime(t *testing.T) {
	e := newEnv(t)
	gate := make(chan struct{})
	var slow sync.WaitGroup
	for range maxPhotos {
		slow.Go(func() {
			r := httptest.NewRequest("POST", "http://kabar.test/v1/settings/profile/photo", slowBody{gate})
			r.Header.Set("Authorization", "Bearer "+e.tokens["admin"])
			e.mux.ServeHTTP(httptest.NewRecorder(), r)
		})
	}
	await.Until(t, "every place is taken", func() bool { return len(e.api.photos) == maxPhotos })
	w := e.ask(e.as("other"), "POST", "/v1/settings/profile/photo", string(golden.Sample("photo")))
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), `"code":1015`) {
		t.Errorf("one too many is answered %d %s", w.Code, w.Body)
	}
	close(gate)
	slow.Wait()
	if w := e.ask(e.as("other"), "POST", "/v1/settings/profile/photo", string(golden.Sample("photo"))); w.Code != http.StatusOK {
		t.Errorf("after the others: %d %s", w.Code, w.Body)
	}
}

// TestAChangedProfileFollowsWhatIsSent: a customer who has the old profile gets the new one with the next message.
func TestAChangedProfileFollowsWhatIsSent(t *testing.T) {
	e := newEnv(t)
	told := func() []kabar.Profile {
		e.settle()
		e.net.mu.Lock()
		defer e.net.mu.Unlock()
		return e.net.told
	}
	must(t, e.net.in.Deliver(t.Context(), kabar.Update{From: kabar.Customer{WaID: ana}, Ref: "r1", At: e.now(),
		Message: &kabar.Incoming{Content: &kabar.Text{Body: "hola"}}}, nil))
	send := func() {
		t.Helper()
		if w := e.ask(e.as("user"), "POST", "/v1/messages", `{"to":"`+ana+`","text":{"body":"x"}}`); w.Code != http.StatusCreated {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	send()
	if n := len(told()); n != 1 {
		t.Fatalf("the first message brought %d profiles", n)
	}
	send()
	if n := len(told()); n != 1 {
		t.Fatalf("the second message brought %d profiles", n)
	}
	e.ask(e.as("admin"), "PATCH", "/v1/settings/profile/about", `{"text":"Open"}`)
	send()
	if all := told(); len(all) != 2 || all[1].About != "Open" {
		t.Errorf("after the change there were the profiles %+v", all)
	}
}
