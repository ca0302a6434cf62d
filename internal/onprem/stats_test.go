package onprem

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"kabar"
)

// fakeOperations is a machine that is always the same.
type fakeOperations struct{}

func (fakeOperations) Callbacks(context.Context, kabar.NumberID) (int64, error) { return 2, nil }
func (fakeOperations) Waiting() int                                             { return 2 }
func (fakeOperations) Node() string                                             { return "node-1" }
func (fakeOperations) Support(context.Context) (Support, error) {
	return Support{DBEngine: "SQLITE", DBInfo: []string{"SQLite 3.51.3"}, Description: "Kabar", FreeData: "7 GiB", FreeIncoming: "7 GiB",
		FreeOutgoing: "7 GiB", OSName: "linux", OSVersion: "6.1", Schema: map[string]int{"kabar": 5}}, nil
}

func TestStatsAreTheNumbers(t *testing.T) {
	e := newEnv(t)
	must(t, e.net.in.Deliver(t.Context(), kabar.Update{From: kabar.Customer{WaID: ana}, Ref: strings.Repeat("0a", 16), At: e.now(),
		Message: &kabar.Incoming{Content: &kabar.Text{Body: "hola"}}}, nil))
	e.ask(e.as("user"), "POST", "/v1/messages", `{"to":"`+ana+`","text":{"body":"x"}}`)
	e.settle()
	e.stats.Told(e.a.ID, kabar.EventStatus, 500, errors.New("answered 500"), 20*time.Millisecond)
	e.stats.Told(e.a.ID, kabar.EventMessage, 200, nil, 10*time.Millisecond)
	mine := e.ask(e.as("user"), "GET", "/v1/stats/app?format=prometheus", "").Body.String()
	for _, line := range []string{"in_message_from_server 1", "in_message_persisted 1", "out_message_persisted 1", `out_message_status{status="sent"} 1`,
		"out_message_sent_duration_ms_count 1", `callback_requests{type="status_change",result="500"} 1`, `callback_requests{type="inbound_message",result="success"} 1`,
		"callback_requests_duration_ms_sum 30", "pending_callbacks 2", "pending_messages 0"} {
		if !strings.Contains(mine, "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, mine)
		}
	}
	theirs := e.ask(e.as("other"), "GET", "/v1/stats/app?format=prometheus", "").Body.String()
	for _, line := range []string{"in_message_from_server 0", "out_message_persisted 0"} {
		if !strings.Contains(theirs, "\n"+line+"\n") || strings.Contains(theirs, "callback_requests{") {
			t.Errorf("the other number sees\n%s", theirs)
		}
	}
	db := e.ask(e.as("user"), "GET", "/v1/stats/db?format=prometheus", "").Body.String()
	for _, line := range []string{`db_messages{type="incoming"} 1`, `db_messages{type="outgoing"} 1`, `db_contacts{type="whatsapp_user"} 1`} {
		if !strings.Contains(db, "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, db)
		}
	}
}

func TestRowsAreCountedForOneAtATime(t *testing.T) {
	e := newEnv(t)
	e.api.counting <- struct{}{}
	if w := e.ask(e.as("user"), "GET", "/v1/stats/db", ""); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "1" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	<-e.api.counting
	if w := e.ask(e.as("user"), "GET", "/v1/stats/db", ""); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestConnectionsAreCounted(t *testing.T) {
	s := NewStats(time.Now())
	var conns []net.Conn
	for range 3 {
		c, other := net.Pipe()
		defer c.Close()
		defer other.Close()
		conns = append(conns, c)
		s.Conn(c, http.StateNew)
	}
	s.Conn(conns[0], http.StateActive)
	s.Conn(conns[1], http.StateActive)
	s.Conn(conns[1], http.StateIdle)
	s.Conn(conns[2], http.StateClosed)
	if len(s.conns) != 2 || s.most != 3 || s.started != 3 {
		t.Errorf("%d connections, %d at most, %d in all", len(s.conns), s.most, s.started)
	}
}

func TestCallbackResults(t *testing.T) {
	for _, c := range []struct {
		status int
		err    error
		want   string
	}{
		{200, nil, "success"}, {301, errors.New("answered 301"), "301"}, {0, fmt.Errorf("x: %w", &net.DNSError{}), "6"},
		{0, fmt.Errorf("x: %w", &tls.CertificateVerificationError{Err: errors.New("y")}), "60"}, {0, context.DeadlineExceeded, "28"}, {0, errors.New("refused"), "7"},
	} {
		if got := callbackResult(c.status, c.err); got != c.want {
			t.Errorf("%d, %v: %q, want %q", c.status, c.err, got, c.want)
		}
	}
}
