package phone_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kabar/internal/patience"
	"kabar/internal/phone"
	"kabar/internal/relayserver"
)

const shop = "6281100000001"

// startRelay runs a relay that admits everybody, and returns its address.
func startRelay(t testing.TB, limits relayserver.Limits) string {
	t.Helper()
	_, address := runRelay(t, relayserver.Options{Limits: limits, Admit: relayserver.OpenRegistration})
	return address
}

// runRelay runs a relay on a loopback port, in a folder of its own, until the test ends.
func runRelay(t testing.TB, o relayserver.Options) (server *relayserver.Server, address string) {
	t.Helper()
	o.Dir = t.TempDir()
	server, err := relayserver.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("relay: %v", err)
		}
		_ = server.Close()
	})
	return server, "ws://" + ln.Addr().String()
}

// handsets is a phone with its control API, which can be stopped and started again on the same store.
type handsets struct {
	*phone.Phone
	t       testing.TB
	options phone.Options
	skew    atomic.Int64
	api     *httptest.Server
	stop    func()
}

func newHandsets(t testing.TB, relayURL string) *handsets {
	t.Helper()
	h := &handsets{t: t}
	dir := t.TempDir()
	h.options = phone.Options{
		Path: filepath.Join(dir, "phone.db"), MediaDir: filepath.Join(dir, "media"), RelayURL: relayURL, Businesses: []string{shop},
		Now: func() time.Time { return time.Now().Add(time.Duration(h.skew.Load())) },
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	h.start()
	return h
}

func (h *handsets) start() {
	h.t.Helper()
	p, err := phone.Open(h.t.Context(), h.options)
	if err != nil {
		h.t.Fatal(err)
	}
	h.Phone = p
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	h.api = httptest.NewServer(p.Handler())
	h.stop = sync.OnceFunc(func() {
		h.api.Close()
		cancel()
		if err := <-done; err != nil {
			h.t.Errorf("Run: %v", err)
		}
		if err := p.Close(); err != nil {
			h.t.Errorf("Close: %v", err)
		}
	})
	h.t.Cleanup(h.stop)
}

// restart opens the same store again.
func (h *handsets) restart() {
	h.t.Helper()
	h.stop()
	h.start()
}

// call makes a call of the control API and returns its status and JSON.
func (h *handsets) call(method, path, body string) (int, map[string]any) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.api.URL+"/api"+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	return h.do(req)
}

func (h *handsets) do(req *http.Request) (int, map[string]any) {
	h.t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		h.t.Fatalf("%s %s answered %d with %q: %v", req.Method, req.URL.Path, resp.StatusCode, raw, err)
	}
	return resp.StatusCode, out
}

// want makes a call that must succeed with a status and returns its JSON.
func (h *handsets) want(status int, method, path, body string) map[string]any {
	h.t.Helper()
	got, out := h.call(method, path, body)
	if got != status {
		h.t.Fatalf("%s %s %s: %d %v, want %d", method, path, body, got, out, status)
	}
	return out
}

// customer makes a customer and returns the wa_id.
func (h *handsets) customer(name string) string {
	h.t.Helper()
	return h.want(201, "POST", "/customers", fmt.Sprintf(`{"name":%q}`, name))["wa_id"].(string)
}

// patch changes a handset.
func (h *handsets) patch(customer, body string) {
	h.t.Helper()
	h.want(200, "PATCH", "/customers/"+customer, body)
}

// writes sends a text and returns its id.
func (h *handsets) writes(customer, body string) string {
	h.t.Helper()
	return h.want(201, "POST", "/customers/"+customer+"/messages", fmt.Sprintf(`{"text":{"body":%q}}`, body))["id"].(string)
}

// messages lists all of a handset.
func (h *handsets) messages(customer string) (out []map[string]any) {
	h.t.Helper()
	for _, m := range h.want(200, "GET", "/customers/"+customer+"/messages?limit=100000", "")["messages"].([]any) {
		out = append(out, m.(map[string]any))
	}
	return out
}

// expect waits for the first message that satisfies want.
func (h *handsets) expect(customer, what string, want func(m map[string]any) bool) (got map[string]any) {
	h.t.Helper()
	patience.Until(h.t, customer+" sees "+what, func() bool {
		for _, m := range h.messages(customer) {
			if want(m) {
				got = m
				return true
			}
		}
		return false
	})
	return got
}

// expectText waits for a text of the business.
func (h *handsets) expectText(customer, body string) map[string]any {
	h.t.Helper()
	return h.expect(customer, "the text "+body, func(m map[string]any) bool { return m["from"] == shop && path(m, "text", "body") == body })
}

func (h *handsets) expectStatus(customer, id, status string) {
	h.t.Helper()
	h.expect(customer, id+" "+status, func(m map[string]any) bool { return m["id"] == id && m["status"] == status })
}

// path looks a value up in nested objects.
func path(v any, keys ...string) any {
	for _, k := range keys {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[k]
	}
	return v
}

// upload puts a medium and returns its id.
func (h *handsets) upload(customer, mime string, content []byte) string {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), "POST", h.api.URL+"/api/customers/"+customer+"/media", bytes.NewReader(content))
	if err != nil {
		h.t.Fatal(err)
	}
	if mime != "" {
		req.Header.Set("Content-Type", mime)
	}
	status, out := h.do(req)
	if status != 201 {
		h.t.Fatalf("upload: %d %v", status, out)
	}
	return out["id"].(string)
}

// download fetches a medium.
func (h *handsets) download(customer, id string) (status int, mime string, content []byte) {
	h.t.Helper()
	resp, err := http.Get(h.api.URL + "/api/customers/" + customer + "/media/" + id)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err = io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), content
}

// together starts a relay, a business and the phone.
func together(t testing.TB) (*handsets, *business) {
	t.Helper()
	relay := startRelay(t, relayserver.NoLimits())
	b := newBusiness(t, relay, shop)
	return newHandsets(t, relay), b
}
