package natssink_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"kabar/internal/natssink"
	"kabar/internal/patience"
	"kabar/internal/sink"
)

// event is an event with an id.
func event(id string) sink.Event {
	return sink.Event{
		ID:    id,
		Topic: "4930123456.message.received",
		Header: http.Header{
			"Content-Type":      {"application/json"},
			"Webhook-Id":        {id},
			"Webhook-Signature": {"v1,AAAA v1,BBBB"},
			"Idempotency-Key":   nil,
		},
		Body: []byte(`{"id":"` + id + `","text":"¿qué tal?"}`),
	}
}

func TestAnEventIsPublishedOnce(t *testing.T) {
	server := start(t, "")
	stream := server.create("", jetstream.StreamConfig{})
	s := open(t, server.url("", ""))
	for range 3 {
		if err := s.Publish(patience.Context(t), event("evt_1")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Publish(patience.Context(t), event("evt_2")); err != nil {
		t.Fatal(err)
	}
	all := stored(t, stream)
	if len(all) != 2 {
		t.Fatalf("%d messages", len(all))
	}
	got, want := all[0], event("evt_1")
	if got.Subject != "kabar.4930123456.message.received" || string(got.Data) != string(want.Body) {
		t.Errorf("%s: %s", got.Subject, got.Data)
	}
	for name, value := range map[string]string{"Nats-Msg-Id": "evt_1", "webhook-id": "evt_1", "content-type": "application/json", "webhook-signature": "v1,AAAA v1,BBBB"} {
		if got.Header.Get(name) != value {
			t.Errorf("%s is %q", name, got.Header.Get(name))
		}
	}
	if _, there := got.Header["idempotency-key"]; there || len(got.Header) != 4 {
		t.Errorf("headers: %v", got.Header)
	}
}

func TestWhatIsNotPublished(t *testing.T) {
	server := start(t, "max_payload: 2000\n")
	server.create("", jetstream.StreamConfig{MaxMsgs: 1, Discard: jetstream.DiscardNew})
	s := open(t, server.url("", ""))
	publish := func(s *natssink.Sink, change func(*sink.Event)) error {
		e := event("evt_9")
		change(&e)
		return s.Publish(patience.Context(t), e)
	}
	fails(t, publish(open(t, server.url("", "/elsewhere")), func(*sink.Event) {}), "no stream takes the subject elsewhere.4930123456.message.received")
	fails(t, publish(s, func(e *sink.Event) { e.Body = make([]byte, 2001) }), "has 2001 bytes and its headers, the server takes 2000")
	fails(t, publish(s, func(e *sink.Event) { e.Topic = "*" }), "no subject")
	fails(t, publish(s, func(e *sink.Event) { e.Topic = "a..b" }), "no subject")
	fails(t, publish(s, func(e *sink.Event) { e.Topic = "a\r\nPUB b" }), "no subject")
	fails(t, publish(s, func(e *sink.Event) { e.Topic = strings.Repeat("a", 250) }), "no subject")
	fails(t, publish(s, func(e *sink.Event) { e.ID = "" }), "no id")
	if err := s.Publish(patience.Context(t), event("evt_1")); err != nil {
		t.Fatal(err)
	}
	fails(t, publish(s, func(*sink.Event) {}), "the stream does not take it: maximum messages exceeded")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 100 { // while the client still tells of the end of its connection
		fails(t, publish(s, func(*sink.Event) {}), "nats: closed")
	}
}

func TestWithoutJetStream(t *testing.T) {
	server := &server{t: t, dir: t.TempDir(), port: "-1"}
	server.find()
	server.run()
	fails(t, open(t, server.url("", "")).Publish(patience.Context(t), event("evt_1")), "or JetStream is not enabled")
}

func TestWhoMayPublish(t *testing.T) {
	server := start(t, `authorization { users: [
		{user: "kabar", password: "geheim,1"}, {user: "reader", password: "geheim2", permissions: {publish: ["$JS.API.>"]}}
	]}`)
	server.create("kabar:geheim%2C1", jetstream.StreamConfig{})
	if err := open(t, server.url("kabar:geheim%2C1", "")).Publish(patience.Context(t), event("evt_1")); err != nil {
		t.Error(err)
	}
	for _, user := range []string{"kabar:geheim2", "geheim", ""} {
		_, err := natssink.Open(t.Context(), natssink.Options{URL: server.url(user, ""), Dial: new(net.Dialer).DialContext})
		fails(t, err, "does not admit this user, password or token")
	}
	// The server answers a forbidden publication with a word on the connection, not with an answer to it.
	reader := open(t, server.url("reader:geheim2", ""))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	fails(t, reader.Publish(ctx, event("evt_2")), "the user may not publish to kabar.4930123456.message.received")
}

func TestAToken(t *testing.T) {
	server := start(t, `authorization { token: "geheim" }`)
	server.create("geheim", jetstream.StreamConfig{})
	if err := open(t, server.url("geheim", "/kabar.eu")).Publish(patience.Context(t), event("evt_1")); err != nil {
		t.Error(err)
	}
	_, err := natssink.Open(t.Context(), natssink.Options{URL: server.url("geheim3", ""), Dial: new(net.Dialer).DialContext})
	fails(t, err, "does not admit")
}

// Where connections may go is the dialer's to judge, and the caller learns what it has said. The name is not resolved before.
func TestTheDialerJudges(t *testing.T) {
	forbidden := errors.New("that address is not for you")
	asked := ""
	dial := func(_ context.Context, network, address string) (net.Conn, error) {
		asked = network + " " + address
		return nil, forbidden
	}
	_, err := natssink.Open(t.Context(), natssink.Options{URL: "tls://user:geheim@localhost", Dial: dial})
	fails(t, err, "no connection to localhost:4222: that address")
	if !errors.Is(err, forbidden) || asked != "tcp localhost:4222" {
		t.Errorf("asked for %q: %v", asked, err)
	}
}

// When the context of Open ends, so does the attempt, but not a connection that has been made.
func TestTheContextOfOpen(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		cancel()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if _, err := natssink.Open(ctx, natssink.Options{URL: "nats://nats.example", Dial: dial}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that ends meanwhile: %v", err)
	}
	server := start(t, "")
	server.create("", jetstream.StreamConfig{})
	o := natssink.Options{URL: server.url("", ""), Dial: new(net.Dialer).DialContext}
	if _, err := natssink.Open(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	s, err := natssink.Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	cancel()
	if err := s.Publish(patience.Context(t), event("evt_1")); err != nil {
		t.Error(err)
	}
}
