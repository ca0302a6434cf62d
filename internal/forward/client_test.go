package forward_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kabar/internal/forward"
)

// TestFollowGoesOn: a stream that ends or breaks is taken up behind the last event, with the question unchanged otherwise.
func TestFollowGoesOn(t *testing.T) {
	var asked []string
	streams := []string{
		"retry: 1000\n\nid: c0\n\nid: c1\ndata: {\"id\":\"evt_1\",\"type\":\"message.read\",\"customer\":\"34\",\"summary\":\"text\",\"body\":{\"a\": \"\\u00e9\"}}\n\n: beat\n\nid: c2\nda",
		"id: c1\n\nid: c2\ndata: {\"id\":\"evt_2\",\"type\":\"account.reviewed\",\"body\":{}}\n\n",
		"id: c2\n\nid: c3\ndata: {\"id\":\"evt_3\",\"type\":\"account.reviewed\",\"body\":{}}\n\n",
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query().Get("after")+" "+r.URL.Query().Get("since")+" "+r.URL.Query().Get("type")+" "+r.Header.Get("Authorization"))
		if len(asked) == 2 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = fmt.Fprint(w, streams[0])
		streams = streams[1:]
	}))
	defer server.Close()
	var lost, seen []string
	c := forward.Client{Server: server.URL + "/", Key: "k", HTTP: server.Client(), Lost: func(err error) { lost = append(lost, fmt.Sprint(err)) }}
	enough := errors.New("enough")
	err := c.Follow(t.Context(), forward.Query{Types: "message.*", Since: "10m"}, func(cursor string, e *forward.Entry) error {
		if e == nil {
			seen = append(seen, cursor)
			return nil
		}
		seen = append(seen, cursor+" "+e.Line()+" "+string(e.Body))
		if e.ID == "evt_3" {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Error(err)
	}
	if got, want := strings.Join(seen, "|"), `c0|c1 message.read 34 text {"a": "\u00e9"}|c1|c2 account.reviewed {}|c2|c3 account.reviewed {}`; got != want {
		t.Errorf("seen %s\nwant %s", got, want)
	}
	if got, want := strings.Join(asked, "|"), " 10m message.* Bearer k|c1  message.* Bearer k|c1  message.* Bearer k|c2  message.* Bearer k"; got != want {
		t.Errorf("asked %s\nwant %s", got, want)
	}
	if got, want := strings.Join(lost, "|"), "the server says 502: Bad Gateway|<nil>"; got != want {
		t.Errorf("told %s\nwant %s", got, want)
	}
}

// TestFollowRefused: what the server does not give, and a server that is not there at the beginning, end it at once.
func TestFollowRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprint(w, `{"title":"access denied","detail":"the key has no scope read"}`)
	}))
	c := forward.Client{Server: server.URL, HTTP: server.Client()}
	none := func(string, *forward.Entry) error { return nil }
	err := c.Follow(t.Context(), forward.Query{}, none)
	if refused, ok := errors.AsType[*forward.RefusedError](err); !ok || refused.Status != http.StatusForbidden || refused.Detail != "access denied: the key has no scope read" {
		t.Error(err)
	}
	server.Close()
	if err := c.Follow(t.Context(), forward.Query{}, none); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Follow(ctx, forward.Query{}, none); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestCall: what goes along, what comes back, and the server's no.
func TestCall(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/no" {
			w.WriteHeader(http.StatusConflict)
			_, _ = fmt.Fprint(w, `{"title":"conflict"}`)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = fmt.Fprintf(w, `{"got":%q}`, r.Method+" "+r.Header.Get("Content-Type")+" "+string(body)+" "+r.Header.Get("Authorization"))
	}))
	defer server.Close()
	c := forward.Client{Server: server.URL + "/", Key: "k", HTTP: server.Client()}
	for in, want := range map[string]string{"": "GET   Bearer k", "2h": `POST application/json {"since":"2h"} Bearer k`} {
		var out struct{ Got string }
		method, body := http.MethodGet, any(nil)
		if in != "" {
			method, body = http.MethodPost, map[string]string{"since": in}
		}
		if err := c.Call(t.Context(), method, "/yes", body, &out); err != nil || out.Got != want {
			t.Errorf("%q, %v; want %q", out.Got, err, want)
		}
	}
	err := c.Call(t.Context(), http.MethodPost, "/no", nil, new(struct{}))
	if refused, ok := errors.AsType[*forward.RefusedError](err); !ok || refused.Status != http.StatusConflict || refused.Detail != "conflict" {
		t.Error(err)
	}
}
