package relayclient_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"kabar/internal/relayclient"
	"kabar/internal/relayproto"
)

// faulty is a transport whose answers to downloads break off after so many bytes. Other requests pass.
type faulty struct {
	after  int64
	broken int32 // how many times
	most   int32 // break no more than that
	body   []byte
}

func (f *faulty) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(r.URL.Path, relayproto.BlobPath) {
		return http.DefaultTransport.RoundTrip(r)
	}
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
	resp := &http.Response{StatusCode: w.status, Status: http.StatusText(w.status), Header: w.header, Body: io.NopCloser(&w.body), Request: r}
	if f.broken++; f.broken <= f.most {
		resp.Body = io.NopCloser(io.MultiReader(io.LimitReader(&w.body, f.after), brokenReader{}))
	}
	return resp, nil
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, net.ErrClosed }

type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

func TestABrokenDownloadIsResumed(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789"), 1000)
	id := strings.Repeat("A", relayproto.BlobIDSize)
	f := newFake(t, func(c *relayproto.Conn) { welcome(c); hold(c) })
	for name, test := range map[string]struct {
		transport faulty
		sum       [32]byte
		want      error
	}{
		"whole":                  {transport: faulty{}, sum: sha256.Sum256(body)},
		"three times":            {transport: faulty{after: 3000, most: 3}, sum: sha256.Sum256(body)},
		"many times":             {transport: faulty{after: 100, most: 90}, sum: sha256.Sum256(body)},
		"twice without progress": {transport: faulty{after: 0, most: 2}, sum: sha256.Sum256(body)},
		"never any progress":     {transport: faulty{after: 0, most: 99}, sum: sha256.Sum256(body), want: net.ErrClosed},
		"wrong hash":             {transport: faulty{after: 3000, most: 1}, want: relayclient.ErrCorrupt},
	} {
		test.transport.body = body
		o := f.options()
		o.HTTPClient = &http.Client{Transport: &test.transport}
		c, err := relayclient.Dial(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		n, err := c.GetBlob(t.Context(), id, test.sum, &got)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
		if test.want == nil && (n != int64(len(body)) || !bytes.Equal(got.Bytes(), body)) {
			t.Errorf("%s: got %d bytes", name, n)
		}
		_ = c.Close()
	}
}

func TestBlobIDsOfOthersGetNowhere(t *testing.T) {
	f := newFake(t, func(c *relayproto.Conn) { welcome(c); hold(c) })
	c, err := f.dial()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"", "../connect", "?x=" + strings.Repeat("A", 40), "http://evil.example/"} {
		if _, err := c.GetBlob(t.Context(), id, [32]byte{}, io.Discard); !errors.Is(err, relayclient.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
}
