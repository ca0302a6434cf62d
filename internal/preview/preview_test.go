package preview

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
)

// site answers paths of any host.
type site struct {
	pages map[string]string // by path: the type, a line break, the body
	slow  time.Duration
	asked atomic.Int32
}

func (s *site) Fetch(r *http.Request, _ int64) (*http.Response, error) {
	s.asked.Add(1)
	select {
	case <-time.After(s.slow):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	page, ok := s.pages[r.URL.Path]
	if !ok {
		return &http.Response{StatusCode: 404, Status: "404 Not Found", Body: http.NoBody}, nil
	}
	if page == "down" {
		return nil, errors.New("no route")
	}
	kind, body, _ := strings.Cut(page, "\n")
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func picture(t testing.TB, width, height int) string {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range m.Pix {
		m.Pix[i] = byte(i * 7)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestFind(t *testing.T) {
	const head = "text/html; charset=utf-8\n<!doctype html><html><head>"
	s := &site{pages: map[string]string{
		"/full": head + `<title>own</title><meta property="og:title" content="Warung &amp; more"><meta property="og:description" content="Open
			every day"><meta property="og:image" content="/p.png">`,
		"/own":      head + `<title>Its own</title><meta name="description" content="of itself">`,
		"/broken":   head + `<title>Picture is gone</title><meta property="og:image" content="https://cdn.example/none">`,
		"/body":     head + `</head><body><meta property="og:title" content="not in the head"><title>no</title>`,
		"/empty":    head,
		"/text":     "text/plain\n<title>x</title>",
		"/notype":   "\n<title>x</title>",
		"/down":     "down",
		"/schemes":  head + `<title>t</title><meta property="og:image" content="javascript:alert(1)">`,
		"/hostile":  head + "<title>a\x00b\u202ec\xff" + strings.Repeat("x", 10_000) + `</title><meta property="og:description" content="<script>alert(1)</script>">`,
		"/endless":  head + `<meta property="og:title" content="` + strings.Repeat("x", 1<<20),
		"/p.png":    "image/png\n" + picture(t, 900, 600),
		"/lie":      head + `<title>t</title><meta property="og:image" content="/lie.png">`,
		"/lie.png":  "image/png\nnot a picture",
		"/huge":     head + `<title>t</title><meta property="og:image" content="/huge.png">`,
		"/huge.png": "image/png\n" + picture(t, 2000, 1001),
	}}
	f := New(s, "test")
	for path, want := range map[string]*kabar.Preview{
		"/full": {Title: "Warung & more", Description: "Open every day", Image: []byte("there")}, "/own": {Title: "Its own", Description: "of itself"},
		"/broken": {Title: "Picture is gone"}, "/schemes": {Title: "t"}, "/lie": {Title: "t"}, "/huge": {Title: "t"},
		"/body": nil, "/empty": nil, "/text": nil, "/notype": nil, "/down": nil, "/missing": nil, "/endless": nil,
		"/hostile": {Title: "abc" + strings.Repeat("x", kabar.MaxPreviewTitle-4) + "…", Description: "<script>alert(1)</script>"},
	} {
		got := f.Find(t.Context(), "https://example.com"+path)
		if (got == nil) != (want == nil) {
			t.Errorf("%s: %+v, want %+v", path, got, want)
			continue
		}
		if want != nil && (got.Title != want.Title || got.Description != want.Description || (got.Image == nil) != (want.Image == nil) || got.URL != "https://example.com"+path) {
			t.Errorf("%s: %q, %q, %d bytes", path, got.Title, got.Description, len(got.Image))
		}
		if got == nil || got.Image == nil {
			continue
		}
		if c, err := jpeg.DecodeConfig(bytes.NewReader(got.Image)); err != nil || c.Width != 320 || c.Height != 213 {
			t.Errorf("%s: a picture of %d by %d (%v)", path, c.Width, c.Height, err)
		}
	}
}

func TestASlowSiteHasNoPreview(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &site{slow: time.Hour}
		began := time.Now()
		if p := New(s, "test").Find(t.Context(), "https://slow.example/"); p != nil || time.Since(began) != patience {
			t.Errorf("%+v after %v", p, time.Since(began))
		}
	})
}

// Many messages with one link ask once, also when there is nothing, and again after a while.
func TestASiteIsAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &site{slow: time.Second, pages: map[string]string{"/there": "text/html\n<title>x</title>"}}
		f := New(s, "test")
		ask := func() {
			var wg sync.WaitGroup
			for range 50 {
				for path, there := range map[string]bool{"/there": true, "/gone": false} {
					wg.Go(func() {
						if p := f.Find(t.Context(), "https://a.example"+path); (p != nil) != there {
							t.Errorf("%s: %+v", path, p)
						}
					})
				}
			}
			wg.Wait()
		}
		ask()
		ask()
		if n := s.asked.Load(); n != 2 {
			t.Errorf("asked %d times, want 2", n)
		}
		time.Sleep(keepFor)
		ask()
		if n := s.asked.Load(); n != 4 {
			t.Errorf("after a while asked %d times, want 4", n)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if p := f.Find(ctx, "https://a.example/other"); p != nil {
			t.Error("a preview for somebody who has gone")
		}
		synctest.Wait()
		time.Sleep(patience)
	})
}

func TestNoMoreLinksAreKept(t *testing.T) {
	f := New(&site{}, "test")
	for i := range 3 * keptLinks {
		f.Find(t.Context(), "https://a.example/"+strings.Repeat("x", i))
	}
	if n := len(f.kept); n > keptLinks {
		t.Errorf("%d links are kept", n)
	}
}

func TestThumbnails(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {320, 240}, {1, 1000}, {1000, 1}, {1400, 1400}, {100, 1900}} {
		b := thumbnail([]byte(picture(t, size[0], size[1])))
		c, err := jpeg.DecodeConfig(bytes.NewReader(b))
		if err != nil || c.Width > thumbnailWidth || c.Height > maxHeight {
			t.Errorf("%v becomes %d by %d (%v)", size, c.Width, c.Height, err)
		}
	}
	clear := image.NewNRGBA(image.Rect(0, 0, 2, 2))
	if got := average(clear, clear.Bounds()); got != (color.RGBA{0xff, 0xff, 0xff, 0xff}) {
		t.Errorf("transparent becomes %v", got)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`<title>a</title><meta property="og:title" content="b"><meta name=description content=c><body>`))
	f.Add([]byte("<title><!--"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := read(b)
		preview := (&kabar.Preview{URL: "https://example.com/", Title: p.title, Description: p.description}).Bounded()
		if preview != nil && (len([]rune(preview.Title)) > kabar.MaxPreviewTitle || len([]rune(preview.Description)) > kabar.MaxPreviewDescription) {
			t.Fatalf("%+v", preview)
		}
		resolve("https://example.com/", p.image)
	})
}
