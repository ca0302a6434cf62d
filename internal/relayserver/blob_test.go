package relayserver_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kabar/internal/patience"
	"kabar/internal/relayclient"
	"kabar/internal/relayproto"
	"kabar/internal/relayserver"
)

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

func (c *client) put(data []byte) string {
	c.t.Helper()
	id, err := c.PutBlob(c.t.Context(), bytes.NewReader(data), int64(len(data)), sha256.Sum256(data))
	if err != nil {
		c.t.Fatal(err)
	}
	return id
}

func (r *relay) files() []string {
	r.t.Helper()
	list, err := filepath.Glob(filepath.Join(r.dir, "blobs", "*"))
	if err != nil {
		r.t.Fatal(err)
	}
	return list
}

func TestABlobComesBackAsItWas(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	from, other := r.business("628").dial(), r.device("6281").dial()
	ids := map[string]bool{}
	for _, size := range []int{0, 1, 5 << 20} {
		data := randomBytes(size)
		id := from.put(data)
		ids[id] = true
		var got bytes.Buffer
		n, err := other.GetBlob(t.Context(), id, sha256.Sum256(data), &got)
		if err != nil || n != int64(size) || !bytes.Equal(got.Bytes(), data) {
			t.Fatalf("%d bytes: got %d, %v", size, n, err)
		}
	}
	if len(ids) != 3 || len(r.files()) != 3 {
		t.Fatalf("ids %v, files %v", ids, r.files())
	}
}

func TestAWrongBlobLeavesNothing(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	c := r.business("628").dial()
	data := randomBytes(100_000)
	sum := sha256.Sum256(data)
	put := func(body io.Reader, size int64, sum [32]byte) error {
		_, err := c.PutBlob(t.Context(), body, size, sum)
		return err
	}
	if err := put(bytes.NewReader(data[:99_999]), 100_000, sum); err == nil {
		t.Error("a truncated upload was taken")
	}
	if err := put(bytes.NewReader(data), 99_999, sum); !errors.Is(err, relayclient.ErrCorrupt) {
		t.Errorf("a longer one: %v", err)
	}
	if err := put(bytes.NewReader(data), 100_000, sha256.Sum256(nil)); !errors.Is(err, relayclient.ErrCorrupt) {
		t.Errorf("a wrong hash: %v", err)
	}
	if err := put(bytes.NewReader(data), relayproto.MaxBlob+1, sum); !errors.Is(err, relayclient.ErrTooLarge) {
		t.Errorf("a huge one: %v", err)
	}
	slow, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { _, _ = w.Write(data[:50_000]); cancel() }()
	if _, err := c.PutBlob(ctx, slow, 100_000, sum); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled one: %v", err)
	}
	patience.Until(t, "nothing is left behind", func() bool { return len(r.files()) == 0 })
	id := c.put(data)
	if err := os.WriteFile(filepath.Join(r.dir, "blobs", id), data[:50_000], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.GetBlob(t.Context(), id, sum, io.Discard); !errors.Is(err, relayclient.ErrCorrupt) {
		t.Errorf("a file that was cut on the relay: %v", err)
	}
}

func TestBlobsOverPlainHTTP(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	data := randomBytes(1000)
	id := r.business("628").dial().put(data)
	base := "http://" + r.addr + relayproto.BlobPath
	for name, test := range map[string]struct {
		method, path, header, value string
		want                        int
		body                        string
	}{
		"whole":         {want: 200, path: "/" + id, body: string(data)},
		"range":         {want: 206, path: "/" + id, header: "Range", value: "bytes=100-199", body: string(data[100:200])},
		"tail":          {want: 206, path: "/" + id, header: "Range", value: "bytes=-10", body: string(data[990:])},
		"beyond":        {want: 416, path: "/" + id, header: "Range", value: "bytes=1000-"},
		"unknown":       {want: 404, path: "/" + strings.Repeat("A", relayproto.BlobIDSize)},
		"short id":      {want: 404, path: "/x"},
		"path":          {want: 404, path: "/..%2frelay.db"},
		"long path":     {want: 404, path: "/" + strings.Repeat("..%2f", 13) + "etc"},
		"list":          {want: 405, path: ""},
		"no ticket":     {method: "PUT", want: 401, path: ""},
		"forged ticket": {method: "PUT", want: 401, path: "", header: "Authorization", value: "Bearer " + strings.Repeat("A", 176)},
		"alive":         {want: 200, path: "/../../livez", body: "ok\n"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), test.method, base+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if test.header != "" {
			req.Header.Set(test.header, test.value)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != test.want || test.body != "" && string(body) != test.body {
			t.Errorf("%s: %s, %d bytes; want %d, %d bytes", name, resp.Status, len(body), test.want, len(test.body))
		}
	}
}

func TestBlobsEndWithTheirLifetime(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	owner := r.business("628")
	c := owner.dial()
	data := randomBytes(1000)
	old := c.put(data)
	r.shift(29 * 24 * time.Hour)
	fresh := c.put(data)
	stray := filepath.Join(r.dir, "blobs", strings.Repeat("A", relayproto.BlobIDSize))
	unfinished := filepath.Join(r.dir, "blobs", "upload-123")
	for _, name := range []string{stray, unfinished} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, time.Time{}, time.Now().Add(-2*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := c.GetBlob(t.Context(), old, sha256.Sum256(data), io.Discard); err != nil {
		t.Fatalf("after 29 days: %d, %v", n, err)
	}
	r.shift(2 * 24 * time.Hour)
	if _, err := c.GetBlob(t.Context(), old, sha256.Sum256(data), io.Discard); !errors.Is(err, relayclient.ErrNotFound) {
		t.Fatalf("after 31 days: %v", err)
	}
	_ = c.Close()
	r.stop()
	r.run(relayserver.NoLimits()) // a start sweeps what a crash has left
	if n, err := owner.dial().GetBlob(t.Context(), fresh, sha256.Sum256(data), io.Discard); err != nil {
		t.Fatalf("after a restart: %d, %v", n, err)
	}
	patience.Until(t, "one is left", func() bool { return len(r.files()) <= 1 })
}

// Where there is no room for a medium the sender waits; what has expired, or was refused, takes none. The count holds over a
// restart.
func TestBlobsHaveOnlySoMuchRoom(t *testing.T) {
	limits := relayserver.NoLimits()
	limits.BlobSpace = 1000
	r := start(t, limits)
	owner := r.business("628")
	from := owner.dial()
	refused := func(size int) {
		t.Helper()
		data := randomBytes(size)
		_, err := from.PutBlob(t.Context(), bytes.NewReader(data), int64(size), sha256.Sum256(data))
		if later, ok := errors.AsType[*relayclient.RetryAfter](err); !ok || later.After < time.Second {
			t.Errorf("%d bytes more: %v, want an answer to come back later", size, err)
		}
	}
	refused(1001)
	from.put(randomBytes(600))
	refused(401)
	from.put(randomBytes(400))
	refused(1)
	_ = from.Close()
	r.stop()
	r.run(limits)
	from = owner.dial()
	refused(1)
	r.shift(31 * 24 * time.Hour)
	from.put(randomBytes(1000))
}
