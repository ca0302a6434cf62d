package ui

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func openStream(t *testing.T) (*Stream, *httptest.ResponseRecorder) {
	t.Helper()
	w := httptest.NewRecorder()
	s, err := OpenStream(w)
	if err != nil {
		t.Fatal(err)
	}
	return s, w
}

func TestStreamSend(t *testing.T) {
	tests := []struct{ id, data, want string }{
		{"7", "<p>a</p>", "id: 7\ndata: <p>a</p>\n\n"},
		{"", "a\nb\n", "data: a\ndata: b\n\n"},
		{"7\nid: 8\x00", "a", "id: 7id: 8\ndata: a\n\n"},
		{"1", "a\rdata: b\r\nc", "id: 1\ndata: a\ndata: data: b\ndata: c\n\n"},
		{"1", "a\n\nid: 9", "id: 1\ndata: a\ndata: \ndata: id: 9\n\n"},
		{"1", "", "id: 1\n\n"},
	}
	for _, tt := range tests {
		s, w := openStream(t)
		w.Body.Reset()
		if err := s.Send(tt.id, []byte(tt.data)); err != nil || w.Body.String() != tt.want {
			t.Errorf("Send(%q, %q): %v\ngot  %q\nwant %q", tt.id, tt.data, err, w.Body, tt.want)
		}
	}
	_, w := openStream(t)
	if h := w.Header(); h.Get("Content-Type") != "text/event-stream" || h.Get("Cache-Control") != "no-store" || !w.Flushed {
		t.Errorf("headers %v, flushed %v", h, w.Flushed)
	}
}

func TestLastEvent(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/stream?c=1&last=5", nil)
	if got := LastEvent(r); got != "5" {
		t.Errorf("query: %q", got)
	}
	r.Header.Set("Last-Event-ID", "9") // the browser's own is the newer one
	if got := LastEvent(r); got != "9" {
		t.Errorf("header: %q", got)
	}
}

func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w := openStream(t)
		ctx, cancel := context.WithCancel(t.Context())
		changes := make(chan int, 10)
		var got [][]int
		done := make(chan error)
		go func() {
			done <- Follow(ctx, s, changes, func(batch []int) error { got = append(got, batch); return nil })
		}()
		for i := range 3 {
			changes <- i
		}
		synctest.Wait()
		if fmt.Sprint(got) != "[[0 1 2]]" {
			t.Errorf("got batches %v", got)
		}
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		if n := strings.Count(w.Body.String(), ": beat\n\n"); n != 4 {
			t.Errorf("%d heart-beats in a minute", n)
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("after cancel: %v", err)
		}
	})
}

func TestFollowEnds(t *testing.T) {
	s, _ := openStream(t)
	done := make(chan struct{})
	close(done)
	if err := Follow(Closing(t.Context(), done), s, make(chan int), nil); err != nil {
		t.Errorf("a server that closes: %v", err)
	}
	closed := make(chan int)
	close(closed)
	if err := Follow(t.Context(), s, closed, nil); err != nil {
		t.Errorf("closed channel: %v", err)
	}
	changes := make(chan int, 1)
	changes <- 1
	fault := errors.New("fault")
	if err := Follow(t.Context(), s, changes, func([]int) error { return fault }); !errors.Is(err, fault) {
		t.Errorf("got %v, want the fault", err)
	}
	full := make(chan int, 2*maxGather)
	for range 2 * maxGather {
		full <- 1
	}
	sizes := []int{}
	_ = Follow(t.Context(), s, full, func(b []int) error {
		if sizes = append(sizes, len(b)); len(sizes) == 2 {
			return fault
		}
		return nil
	})
	if fmt.Sprint(sizes) != fmt.Sprint([]int{maxGather, maxGather}) {
		t.Errorf("batches of %v", sizes)
	}
}

// A deadline that middleware has set for the answer does not cut a stream.
func TestStreamOutlivesTheWriteDeadline(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
		s, err := OpenStream(w)
		if err != nil {
			t.Error(err)
			return
		}
		time.Sleep(150 * time.Millisecond)
		if err := s.Send("1", []byte("late")); err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	res, err := srv.Client().Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		if lines.Text() == "data: late" {
			return
		}
	}
	t.Errorf("the event has not come: %v", lines.Err())
}
