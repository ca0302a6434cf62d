//go:build unix

package recorders

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	waiting "kabar/internal/patience"
	"kabar/internal/torture/history"
)

// sulky starts a Moody and returns its URL.
func sulky(t *testing.T, dir string) (m *Moody, url string) {
	t.Helper()
	m = &Moody{Name: "sink-1", Addr: free(t), TLSAddr: free(t), History: dir}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	waiting.Until(t, "the sink listens", func() bool {
		conn, err := net.Dial("tcp", m.Addr)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return m, "http://" + m.Addr + "/hook"
}

// free returns an address that nobody uses now.
func free(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// tell sends a webhook and returns what a careful application's peer sees: the status, and whether the answer came as a whole.
func tell(ctx context.Context, url, id string) (status int, header http.Header, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{"statuses":[{"id":"m1","status":"sent"}]}`))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Webhook-Id", id)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	_, err = io.CopyN(io.Discard, res.Body, 64<<10)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return res.StatusCode, res.Header, err
}

func TestMoods(t *testing.T) {
	dir := t.TempDir()
	m, url := sulky(t, dir)
	for _, c := range []struct {
		mood   Mood
		status int // 0: no answer
		whole  bool
		taken  int // as recorded
		header string
	}{
		{Good, 200, true, 200, ""},
		{Broken, 500, true, 500, ""},
		{Busy, 429, true, 429, "Retry-After"},
		{Redirect, 307, true, 307, "Location"},
		{Reset, 0, false, 0, ""},
		{Torn, 200, false, 0, ""},
		{Endless, 200, true, 200, ""},
	} {
		m.Set(c.mood)
		status, header, err := tell(t.Context(), url, string(c.mood))
		// A reset may overtake the head of the answer.
		if status != c.status && (c.mood != Torn || status != 0) || (err == nil) != c.whole || c.header != "" && header.Get(c.header) == "" {
			t.Errorf("%s: %d %v, %v", c.mood, status, header, err)
		}
		if got := answered(t, dir, string(c.mood)); got.HTTP != c.taken {
			t.Errorf("%s: recorded as %d, want %d", c.mood, got.HTTP, c.taken)
		}
	}
}

// What hangs or drips goes on until its mood has changed, and then ends without a whole answer.
func TestMoodsThatLast(t *testing.T) {
	dir := t.TempDir()
	m, url := sulky(t, dir)
	for _, mood := range []Mood{Hang, Drip} {
		m.Set(mood)
		ended := make(chan error, 1)
		go func() {
			_, _, err := tell(t.Context(), url, string(mood))
			ended <- err
		}()
		waiting.Until(t, "the request has come", func() bool { return answered(t, dir, string(mood)).Op != "" })
		m.Set(Good)
		if err := <-ended; err == nil {
			t.Errorf("%s: a whole answer came", mood)
		}
		if got := answered(t, dir, string(mood)); got.HTTP != 0 {
			t.Errorf("%s: recorded as %d", mood, got.HTTP)
		}
	}
}

// Nobody who looks at certificates gets through to the one that has expired.
func TestTheCertificateHasExpired(t *testing.T) {
	m, _ := sulky(t, t.TempDir())
	_, _, err := tell(t.Context(), "https://"+m.TLSAddr+"/hook", "x")
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("%v", err)
	}
}

// A redirect that is followed ends the sink, with an error.
func TestAFollowedRedirectIsSeen(t *testing.T) {
	m := &Moody{Name: "sink-1", Addr: "127.0.0.1:0", TLSAddr: "127.0.0.1:0", History: t.TempDir()}
	m.Addr = free(t)
	ended := make(chan error, 1)
	go func() { ended <- m.Run(t.Context()) }()
	waiting.Until(t, "the sink is asked", func() bool {
		_, _, err := tell(t.Context(), "http://"+m.Addr+followed, "x")
		return err == nil || len(ended) > 0 // it may have ended before it has answered
	})
	if err := waiting.Next(t, "its end", ended); err == nil || !strings.Contains(err.Error(), "redirect") {
		t.Errorf("%v", err)
	}
}

// answered is what the sink has recorded of its answer to a webhook; the zero Record for nothing.
func answered(t *testing.T, dir, id string) history.Record {
	t.Helper()
	all, err := history.ReadOne(dir, "sink-1")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r.Op == history.Answered && r.ID == id {
			return r
		}
	}
	return history.Record{}
}
