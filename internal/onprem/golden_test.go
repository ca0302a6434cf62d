package onprem

import (
	"bytes"
	"flag"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/golden"
)

var update = flag.Bool("update", false, "write what is seen into testdata")

// TestGolden plays the files of testdata, each on a server of its own. CONTRIBUTING.md says how a file is written. The sections that
// are steps are played by cmd/kabar, too, against the real program; this player has a hand for each.
func TestGolden(t *testing.T) {
	t.Run("files", func(t *testing.T) {
		files, expectations := goldenFiles(t), 0
		for _, file := range files {
			for _, s := range file.Sections {
				if slices.Contains([]string{"response", "message", "webhook", "batch"}, s.Name) {
					expectations++
				}
			}
			t.Run(file.Name, func(t *testing.T) {
				t.Parallel()
				p := &player{env: newEnv(t), t: t}
				if *update {
					must(t, file.Rewrite(p.step))
				} else {
					file.Play(p.step, t.Errorf)
				}
			})
		}
		if expectations < 900 {
			t.Errorf("%d expectations in %d files", expectations, len(files))
		}
	})
}

func goldenFiles(t testing.TB) []*golden.File {
	t.Helper()
	files, err := golden.Files("testdata")
	must(t, err)
	return files
}

// player plays one file.
type player struct {
	*env
	t     *testing.T
	names golden.Names
	last  *httptest.ResponseRecorder
	seq   int64 // of the last event that a webhook section has shown
	refs  int
}

// step is the player's golden.Step.
func (p *player) step(s golden.Section) (want, got string, shows bool) {
	p.t.Helper()
	switch s.Name {
	case "request":
		p.request(s.Text)
	case "response":
		return s.Text, p.names.Response(p.last.Code, p.last.Header(), p.last.Body.Bytes()), true
	case "message":
		return s.Text, p.message(), true
	case "inbound":
		p.inbound(p.fill(s.Text))
	case "do":
		for line := range strings.Lines(s.Text) {
			p.command(strings.Fields(p.fill(line)))
		}
	case "webhook":
		return s.Text, p.webhook(), true
	case "batch":
		return s.Text, p.batch(), true
	default:
		p.t.Fatalf("unknown section %q", s.Name)
	}
	return "", "", false
}

// fill replaces names by ids.
func (p *player) fill(s string) string {
	p.t.Helper()
	filled, err := p.names.Fill(s)
	must(p.t, err)
	return filled
}

// request plays a request.
func (p *player) request(text string) {
	p.t.Helper()
	q, err := golden.ParseRequest(p.fill(text))
	must(p.t, err)
	must(p.t, q.Identify(p.key, p.tokens))
	p.last = q.Serve(p.mux)
	if err := golden.CheckHeaders(q.URL.Path, p.last.Code, p.last.Header()); err != nil {
		p.t.Errorf("%s %s: %v", q.Method, q.URL.Path, err)
	}
	p.settle() // what follows is in a fixed order
}

// webhook shows what endpoints are told.
func (p *player) webhook() string {
	p.t.Helper()
	p.settle()
	n, err := p.engine.Number(p.a.ID)
	must(p.t, err)
	s, err := p.engine.Settings(p.a.ID)
	must(p.t, err)
	events, err := p.db.Events(p.t.Context(), p.a.ID, p.seq, 1000)
	must(p.t, err)
	var b strings.Builder
	for _, ev := range events {
		p.seq = ev.Seq
		body, wanted, err := p.api.Render(ev, n, s)
		must(p.t, err)
		again, _, _ := p.api.Render(ev, n, s)
		if !bytes.Equal(body, again) || wanted != (body != nil) {
			p.t.Errorf("event %d is rendered as %s and %s, wanted %v", ev.Seq, body, again, wanted)
		}
		if alone, err := p.api.Join([][]byte{body}); wanted && !bytes.Equal(alone, body) {
			p.t.Errorf("a batch of one is %s, %v; the event by itself %s", alone, err, body)
		}
		if !wanted {
			fmt.Fprintf(&b, "not wanted: %s %s\n", ev.Kind, ev.Status)
			continue
		}
		b.WriteString(p.names.Body(body))
	}
	return b.String()
}

// batch shows what endpoints with batches are told.
func (p *player) batch() string {
	p.t.Helper()
	p.settle()
	n, err := p.engine.Number(p.a.ID)
	must(p.t, err)
	s, err := p.engine.Settings(p.a.ID)
	must(p.t, err)
	events, err := p.db.Events(p.t.Context(), p.a.ID, p.seq, 1000)
	must(p.t, err)
	var out strings.Builder
	var bodies [][]byte
	kinds := map[kabar.ConversationID]kabar.EventKind{}
	flush := func() {
		joined, err := p.api.Join(bodies)
		must(p.t, err)
		out.WriteString(p.names.Body(joined))
		bodies, kinds = nil, map[kabar.ConversationID]kabar.EventKind{}
	}
	for _, ev := range events {
		p.seq = ev.Seq
		body, wanted, err := p.api.Render(ev, n, s)
		must(p.t, err)
		if !wanted {
			continue
		}
		if k, ok := kinds[ev.Conversation]; ok && !p.api.Ordered(k, ev.Kind) {
			flush()
		}
		bodies, kinds[ev.Conversation] = append(bodies, body), ev.Kind
	}
	flush()
	return out.String()
}

// message shows the message that the last answer names.
func (p *player) message() string {
	p.t.Helper()
	p.settle()
	m, err := p.api.message(p.t.Context(), p.a.ID, golden.FindID(p.last.Body.String()))
	must(p.t, err)
	shown, err := p.names.Message(m, p.customer(m), golden.Keys{
		Medium: p.api.MediaID,
		Message: func(id kabar.MessageID) (string, error) {
			m, err := p.db.Message(p.t.Context(), p.a.ID, id)
			if err != nil {
				return "", err
			}
			return MessageID(m.Direction == kabar.Outbound, p.a, p.customer(m), m.Ref), nil
		},
	})
	must(p.t, err)
	return shown
}

// customer is whom a message went to or came from.
func (p *player) customer(m *kabar.Message) kabar.Customer {
	p.t.Helper()
	c, err := p.db.Conversation(p.t.Context(), p.a.ID, m.Conversation)
	must(p.t, err)
	return c.Customer
}
