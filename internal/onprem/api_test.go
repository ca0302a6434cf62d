package onprem

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"kabar"
	"kabar/internal/golden"
)

func (e *env) do(t testing.TB, method, target string, body io.Reader, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, target, body)
	r.Header.Set("Authorization", "Bearer "+e.tokens["user"])
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	e.mux.ServeHTTP(w, r)
	return w
}

// Of many equal requests at once one is carried out, and all get its answer.
func TestConcurrentDuplicates(t *testing.T) {
	e := newEnv(t)
	const n = 20
	answers := make([]*httptest.ResponseRecorder, n)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			answers[i] = e.do(t, "POST", "/v1/messages", strings.NewReader(`{"to":"`+ana+`","text":{"body":"once"}}`), "Idempotency-Key", "k")
		})
	}
	wg.Wait()
	replayed := 0
	for _, a := range answers {
		if a.Code != http.StatusCreated || a.Body.String() != answers[0].Body.String() {
			t.Errorf("%d %s", a.Code, a.Body)
		}
		if a.Header().Get("Idempotent-Replayed") == "true" {
			replayed++
		}
	}
	events, err := e.db.Events(t.Context(), e.a.ID, 0, 100)
	must(t, err)
	if replayed != n-1 || len(events) != 1 { // the one failed outside the window
		t.Errorf("%d replayed, %d events", replayed, len(events))
	}
}

// endless is a body of zeros.
type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A large upload is not held in memory, and one over the limit is refused whether or not its length was announced.
func TestUploadIsAStream(t *testing.T) {
	e := newEnv(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	w := e.do(t, "POST", "/v1/media", io.LimitReader(endless{}, 64<<20), "Content-Type", "application/octet-stream")
	runtime.ReadMemStats(&after)
	if w.Code != http.StatusCreated {
		t.Fatalf("64 MB: %d %s", w.Code, w.Body)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
		t.Errorf("64 MB took %d MB of memory", used>>20)
	}
	w = e.do(t, "POST", "/v1/media", io.LimitReader(endless{}, 64<<20+1), "Content-Type", "application/octet-stream")
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "1009") {
		t.Errorf("one byte more: %d %s", w.Code, w.Body)
	}
	r := httptest.NewRequest("POST", "/v1/media", bytes.NewReader(make([]byte, 64<<20+1)))
	r.Header.Set("D360-API-KEY", e.key)
	rec := httptest.NewRecorder()
	e.mux.ServeHTTP(rec, r)
	if rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), "64 MB") {
		t.Errorf("announced: %d %s", rec.Code, rec.Body)
	}
}

// halfway is a body that says when its half has been read, and waits there.
type halfway struct {
	half, rest io.Reader
	reached    func()
	goOn       <-chan struct{}
}

func (h *halfway) Read(p []byte) (int, error) {
	n, err := h.half.Read(p)
	if err == nil {
		return n, nil
	}
	if h.reached != nil {
		h.reached()
		h.reached = nil
		<-h.goOn
	}
	return h.rest.Read(p)
}

// Uploads that are under way at the same time take a few buffers each. (kabar bench media measures 100 of 16 MiB with the
// real program.)
func TestUploadsAtTheSameTime(t *testing.T) {
	const uploads, each = 100, 300 << 10
	e := newEnv(t)
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var reached, done sync.WaitGroup
	goOn := make(chan struct{})
	reached.Add(uploads)
	for i := range uploads {
		half := sync.OnceFunc(reached.Done)
		body := &halfway{half: io.LimitReader(endless{}, 1<<20), rest: strings.NewReader(strconv.Itoa(i)), reached: half, goOn: goOn}
		done.Go(func() {
			defer half() // also of one that is refused before
			if w := e.do(t, "POST", "/v1/media", body, "Content-Type", "application/octet-stream"); w.Code != http.StatusCreated {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	reached.Wait()
	runtime.GC()
	runtime.ReadMemStats(&during)
	if used := int64(during.HeapAlloc) - int64(before.HeapAlloc); used > uploads*each {
		t.Errorf("%d uploads of which a MiB each has come hold %d KiB each, want %d at most", uploads, used/uploads>>10, each>>10)
	} else {
		t.Logf("%d KiB each", used/uploads>>10)
	}
	close(goOn)
	done.Wait()
}

type brokenBody struct{ sent int }

func (b *brokenBody) Read(p []byte) (int, error) {
	if b.sent++; b.sent > 3 {
		return 0, errors.New("connection reset")
	}
	return copy(p, "%PDF-1.4 and so on"), nil
}

// A body that breaks off is the client's fault, not the server's.
func TestBodyBreaksOff(t *testing.T) {
	e := newEnv(t)
	for _, target := range []string{"/v1/media", "/v1/messages"} {
		w := e.do(t, "POST", target, &brokenBody{}, "Content-Type", "application/pdf")
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "1025") {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}

// A document can be fetched in pieces by a plain client.
func TestDownloadOverHTTP(t *testing.T) {
	e := newEnv(t)
	content := bytes.Repeat([]byte("kabar "), 50_000) // five chunks
	w := e.do(t, "POST", "/v1/media", bytes.NewReader(content), "Content-Type", "text/plain", "Content-Disposition", "attachment; filename*=UTF-8''k%C3%A4se.txt")
	id := golden.FindID(w.Body.String())
	srv := httptest.NewServer(e.mux)
	defer srv.Close()
	get := func(ranges string) (*http.Response, []byte) {
		r, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL+"/v1/media/"+id+"/", nil)
		must(t, err)
		r.Header.Set("D360-API-KEY", e.key)
		if ranges != "" {
			r.Header.Set("Range", ranges)
		}
		res, err := http.DefaultClient.Do(r)
		must(t, err)
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		must(t, err)
		return res, body
	}
	res, body := get("")
	if res.StatusCode != 200 || !bytes.Equal(body, content) || !strings.Contains(res.Header.Get("Content-Disposition"), "k%C3%A4se.txt") {
		t.Errorf("%d, %d bytes, %v", res.StatusCode, len(body), res.Header)
	}
	for _, at := range []int{0, 65_535, 65_536, 131_000, len(content) - 10} {
		res, body = get(fmt.Sprintf("bytes=%d-%d", at, at+9))
		if res.StatusCode != http.StatusPartialContent || !bytes.Equal(body, content[at:at+10]) {
			t.Errorf("range at %d: %d %q", at, res.StatusCode, body)
		}
	}
}

// What cannot be rendered is an error, never a wrong body.
func TestRenderFaults(t *testing.T) {
	e := newEnv(t)
	sent, err := kabar.Snapshot(&kabar.Interactive{Type: kabar.InteractiveButton})
	must(t, err)
	for name, ev := range map[string]*kabar.Event{
		"unknown kind":      {Kind: "something"},
		"no content":        {Kind: kabar.EventMessage},
		"outbound content":  {Kind: kabar.EventMessage, Content: sent, Customer: kabar.Customer{WaID: ana}},
		"undecodable value": {Kind: kabar.EventMessage, Content: kabar.RawContent{Kind: kabar.KindText, Body: []byte("{")}},
	} {
		if body, wanted, err := e.api.Render(ev, e.a, kabar.Settings{}); err == nil || body != nil || wanted {
			t.Errorf("%s: %s %v %v", name, body, wanted, err)
		}
	}
}
