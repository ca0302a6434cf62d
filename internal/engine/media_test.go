package engine_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/network"
	"kabar/internal/network/networktest"
	"kabar/internal/store"
)

// carrier is a fake network that carries media, one byte slice for all, and fails as told.
type carrier struct {
	*networktest.Fake
	uploads atomic.Int32
	fail    func() error // of uploads and downloads; nil: never
	plain   string       // what a download gives
}

func (c *carrier) Upload(_ context.Context, plain io.Reader, _ int64) ([]byte, time.Time, error) {
	c.uploads.Add(1)
	if c.fail != nil {
		if err := c.fail(); err != nil {
			return nil, time.Time{}, err
		}
	}
	b, err := io.ReadAll(plain)
	return b, time.Now().Add(29 * 24 * time.Hour), err
}

func (c *carrier) Download(context.Context, *kabar.RemoteMedium) (io.ReadCloser, error) {
	if c.fail != nil {
		if err := c.fail(); err != nil {
			return nil, err
		}
	}
	return io.NopCloser(strings.NewReader(c.plain)), nil
}

// web answers links without a network.
type web func(*http.Request) (*http.Response, error)

func (f web) Fetch(r *http.Request, _ int64) (*http.Response, error) { return f(r) }

func page(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Content-Type": {"text/plain"}},
		Body: io.NopCloser(strings.NewReader(body))}
}

// newMediaEnv is an env whose network carries media and whose links are answered by w.
func newMediaEnv(t *testing.T, w web) (*env, *carrier) {
	v := newEnv(t)
	c := &carrier{Fake: v.net}
	v.stop()
	v.attach = c
	v.fetch = w
	v.start()
	return v, c
}

func link(url string) kabar.Content {
	m := kabar.NewMedia(kabar.KindDocument)
	m.Link = url
	return m
}

func (v *env) must(r engine.Request) uint64 {
	v.t.Helper()
	ref, _, err := v.send(r)
	if err != nil {
		v.t.Fatal(err)
	}
	return ref
}

// drop gives a body's bytes one by one, each after a pause.
type drop struct {
	io.Reader
	pause time.Duration
}

func (d drop) Read(p []byte) (int, error) {
	time.Sleep(d.pause)
	return d.Reader.Read(p[:1])
}

// dripping is an answer whose body comes slowly.
func dripping(body io.Reader, pause time.Duration) *http.Response {
	res := page(200, "")
	res.Body = io.NopCloser(drop{body, pause})
	return res
}

func TestASlowLinkDelaysItsOwnCustomerOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, _ := newMediaEnv(t, func(*http.Request) (*http.Response, error) {
			return dripping(strings.NewReader(strings.Repeat("slow words", 2)), 12*time.Second), nil
		})
		const others = 100
		for i := range others + 1 {
			v.hear(fmt.Sprintf("34600%06d", i), "hi")
		}
		settle()
		for i := range others {
			v.must(engine.Request{To: fmt.Sprintf("34600%06d", i+1), Content: link("https://slow.example/x")})
		}
		v.text("34600000000", "quick")
		v.text("34600000001", "behind the document")
		settle()
		if ms := v.net.Messages(); len(ms) != 1 || ms[0].To != "34600000000" {
			t.Fatalf("after a moment: %+v, want the text of the customer without a document", ms)
		}
		time.Sleep(3 * time.Hour)
		if n := len(v.net.Messages()); n != others+2 {
			t.Errorf("in the end %d messages, want %d", n, others+2)
		}
	})
}

// hopeless is a fault that says of itself that it will be there the next time.
type hopeless struct{ error }

func (hopeless) Final() bool { return true }

// A link that leads nowhere holds up its customer's other messages for a moment, one that may come back for less than a minute;
// and only one that keeps on sending for longer.
func TestLinksThatFail(t *testing.T) {
	type answer func(*http.Request) (*http.Response, error)
	fault := func(err error) answer { return func(*http.Request) (*http.Response, error) { return nil, err } }
	status := func(code int) answer {
		return func(*http.Request) (*http.Response, error) { return page(code, "words"), nil }
	}
	silent := func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() }
	stalled := func(r *http.Request) (*http.Response, error) {
		res := page(200, "")
		res.Body = io.NopCloser(io.MultiReader(strings.NewReader("some"), mute{r.Context()}))
		return res, nil
	}
	endless := func(r *http.Request) (*http.Response, error) {
		return dripping(hearing{r.Context(), strings.NewReader(strings.Repeat("x", 1000))}, 10*time.Second), nil
	}
	for name, c := range map[string]struct {
		answers []answer // the last one repeats
		tries   int
		sent    bool
		within  time.Duration
	}{
		"passing fault":  {[]answer{fault(errors.New("connection reset")), status(503), status(200)}, 3, true, 11 * time.Second},
		"not found":      {[]answer{status(404)}, 1, false, time.Second},
		"gone elsewhere": {[]answer{status(302)}, 1, false, time.Second},
		"no such host":   {[]answer{fault(hopeless{errors.New("no such host")})}, 1, false, time.Second},
		"always down":    {[]answer{fault(errors.New("no route"))}, 3, false, 11 * time.Second},
		"always busy":    {[]answer{status(429)}, 3, false, 11 * time.Second},
		"silent":         {[]answer{silent}, 3, false, time.Minute},
		"stalled":        {[]answer{stalled}, 3, false, time.Minute},
		"endless":        {[]answer{endless}, 1, false, 6 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				v, _ := newMediaEnv(t, func(r *http.Request) (*http.Response, error) {
					asked++
					return c.answers[min(asked, len(c.answers))-1](r)
				})
				v.hear(ana, "hi")
				v.must(engine.Request{To: ana, Content: link("https://files.example/x")})
				v.text(ana, "next")
				time.Sleep(c.within)
				want := []string{"message hi", "status sent", "status sent"}
				if !c.sent {
					want[1] = "status failed " + string(kabar.ReasonMediaDownload)
				}
				v.wantTold(want...)
				if asked != c.tries {
					t.Errorf("the link was asked %d times, want %d", asked, c.tries)
				}
			})
		})
	}
}

// mute is a body that says nothing until its request ends.
type mute struct{ ctx context.Context }

func (m mute) Read([]byte) (int, error) {
	<-m.ctx.Done()
	return 0, m.ctx.Err()
}

// hearing is a body that ends with its request.
type hearing struct {
	ctx context.Context
	io.Reader
}

func (h hearing) Read(p []byte) (int, error) {
	if h.ctx.Err() != nil {
		return 0, h.ctx.Err()
	}
	return h.Reader.Read(p)
}

func TestTheSameBytesGoUpOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c := newMediaEnv(t, nil)
		var id kabar.MediaID
		if _, err := v.e.PutMedia(t.Context(), v.id, engine.Upload{Body: strings.NewReader("menu"), MIME: "text/plain"}, nil,
			func(m *store.Medium) (int, []byte, error) { id = m.ID; return 201, nil, nil }); err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			who := fmt.Sprintf("3460000000%02d", i)
			v.hear(who, "hi")
			m := kabar.NewMedia(kabar.KindDocument)
			m.ID = id
			v.must(engine.Request{To: who, Content: m})
		}
		settle()
		if n := len(v.net.Messages()); n != 20 || c.uploads.Load() != 1 {
			t.Errorf("%d messages with %d uploads, want 20 with 1", n, c.uploads.Load())
		}
	})
}

func TestAnInboundMediumWaitsForTheNetworkWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c := newMediaEnv(t, nil)
		c.plain = "a photograph, in words"
		sum := sha256.Sum256([]byte(c.plain))
		doc := kabar.NewMedia(kabar.KindDocument)
		c.fail = func() error { return &network.Later{After: time.Minute, Why: "limit"} }
		v.deliver(kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now(), Ref: "m1", Message: &kabar.Incoming{Content: doc,
			Medium: &kabar.RemoteMedium{Locator: []byte("x"), MIME: "text/plain", Size: int64(len(c.plain)), SHA256: hex.EncodeToString(sum[:])}}})
		v.hear(ana, "later text")
		time.Sleep(time.Hour)
		v.wantTold("message later text") // it has not waited
		v.net.SetOffline(true)
		time.Sleep(24 * time.Hour)
		v.restart()
		c.fail = nil
		v.net.SetOffline(false)
		time.Sleep(2 * time.Minute)
		v.wantTold("message later text", "message")
		evs, err := v.db.Events(t.Context(), v.id, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		content, err := evs[0].Content.Content()
		if err != nil {
			t.Fatal(err)
		}
		_, r, err := v.e.Medium(t.Context(), v.id, kabar.MediumOf(content).ID)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, []byte(c.plain)) {
			t.Errorf("the medium reads %q (%v)", got, err)
		}
	})
}

func TestBytesThatWereNotAnnouncedAreAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c := newMediaEnv(t, nil)
		c.plain = "other words"
		v.deliver(kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now(), Ref: "m1", Message: &kabar.Incoming{Content: kabar.NewMedia(kabar.KindImage),
			Medium: &kabar.RemoteMedium{Locator: []byte("x"), MIME: "image/png", Size: 3, SHA256: strings.Repeat("0", 64)}}})
		settle()
		v.wantTold("message " + string(kabar.ReasonMediaDownload))
	})
}

func TestAReceiptThatIsFasterThanTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.hear(ana, "hi")
		settle()
		v.net.Refuse(func(p networktest.Packet) error {
			if p.Purpose == network.PurposeMessage {
				go func() {
					_ = v.net.Deliver(context.Background(), kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now(),
						Receipt: &kabar.Receipt{Status: kabar.Delivered, Refs: []string{p.Ref}}})
				}()
				return errors.New("the answer of the network is lost")
			}
			return nil
		})
		v.text(ana, "quick")
		settle()
		v.wantTold("message hi", "status sent", "status delivered")
		evs, err := v.db.Events(t.Context(), v.id, 1, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range evs {
			if e.Billing == 0 || e.Category != kabar.CategoryService {
				t.Errorf("%s names no billing conversation", e.Status)
			}
		}
	})
}

func TestMarkReadTellsOfAllOlderOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		const n = 250
		for range n {
			v.hear(ana, "hi")
		}
		settle()
		evs, err := v.db.Events(t.Context(), v.id, n-1, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := v.e.MarkRead(t.Context(), v.id, evs[0].Message); err != nil {
			t.Fatal(err)
		}
		settle()
		told := map[string]bool{}
		for _, p := range v.net.Packets() {
			if p.Receipt != nil && p.Receipt.Status == kabar.Read {
				for _, ref := range p.Receipt.Refs {
					told[ref] = true
				}
			}
		}
		if len(told) != n {
			t.Errorf("told of %d messages, want %d", len(told), n)
		}
	})
}
