package graph

import (
	"flag"
	"fmt"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/golden"
	"kabar/internal/msgid"
	"kabar/internal/network"
)

var update = flag.Bool("update", false, "write what is seen into testdata")

// TestGolden plays the files of testdata, each on a server of its own. CONTRIBUTING.md says how a file is written. Files that also
// call /v1 are played by cmd/kabar alone: no dialect knows the other.
func TestGolden(t *testing.T) {
	for _, file := range goldenFiles(t) {
		t.Run(file.Name, func(t *testing.T) {
			t.Parallel()
			p := &player{env: newEnv(t), t: t}
			p.call(&p.names)
			if *update {
				must(t, file.Rewrite(p.step))
			} else {
				file.Play(p.step, t.Errorf)
			}
		})
	}
}

// goldenFiles are the files of testdata that call this API alone.
func goldenFiles(t testing.TB) []*golden.File {
	t.Helper()
	files, err := golden.Files("testdata")
	must(t, err)
	return slices.DeleteFunc(files, (*golden.File).CallsBoth)
}

// player plays one file.
type player struct {
	*env
	t     *testing.T
	names golden.Names
	last  *httptest.ResponseRecorder
	seq   int64 // of the last event that a webhook section has shown
	refs  int

	script  *golden.FlowScript // nil: no flow has an endpoint that answers
	handset handset
}

// step is the player's golden.Step.
func (p *player) step(s golden.Section) (want, got string, shows bool) {
	p.t.Helper()
	s.Text = golden.FillMoments(s.Text, golden.Clock())
	text, err := p.names.Fill(s.Text)
	switch s.Name {
	case "request":
		must(p.t, err)
		p.request(text)
	case "inbound":
		must(p.t, err)
		p.inbound(text)
	case "do":
		must(p.t, err)
		for line := range strings.Lines(text) {
			p.command(strings.Fields(line))
		}
	case "response":
		return s.Text, p.names.Response(p.last.Code, p.last.Header(), p.last.Body.Bytes()), true
	case "message":
		return s.Text, p.message(), true
	case "webhook":
		return s.Text, p.webhook(), true
	case "asked":
		return s.Text, p.script.Heard(), true
	case "screen":
		return s.Text, p.handset.page.Show(), true
	default:
		p.t.Fatalf("unknown section %q", s.Name)
	}
	return "", "", false
}

func (p *player) request(text string) {
	p.t.Helper()
	q, err := golden.ParseRequest(text)
	must(p.t, err)
	must(p.t, q.Identify("", p.tokens))
	path := q.URL.Path
	p.last = q.Serve(p.mux)
	if err := golden.CheckCloudHeaders(path, p.last.Header()); err != nil {
		p.t.Errorf("%s %s: %v", q.Method, path, err)
	}
	p.settle() // what follows is in a fixed order
}

// inbound has a customer write.
func (p *player) inbound(text string) {
	p.t.Helper()
	in, err := golden.ParseInbound(text)
	must(p.t, err)
	content, err := kabar.DecodeContent(in.Kind, in.Content)
	must(p.t, err)
	msg := &kabar.Incoming{Content: content, ReplyTo: p.wire(in.ReplyTo), Target: p.wire(in.Target), Forwarded: in.Forwarded, Frequent: in.Frequent}
	if in.Bytes != "" {
		md := kabar.MediumOf(content)
		msg.Medium = p.net.remote(in.Bytes, md.MIME, in.Broken)
		md.SHA256, md.Size = msg.Medium.SHA256, msg.Medium.Size
	}
	p.refs++
	p.deliver(kabar.Update{From: in.Customer(), Ref: fmt.Sprintf("%032x", p.refs), Message: msg})
}

func (p *player) deliver(u kabar.Update) {
	p.t.Helper()
	if u.At = p.now(); u.From.Handle() == "" {
		u.From = kabar.Customer{WaID: golden.Ana}
	}
	must(p.t, p.net.Deliver(p.t.Context(), u))
	p.settle()
}

// wire returns the network's id of a message with a public id.
func (p *player) wire(id string) string {
	p.t.Helper()
	outbound, _, stanza, err := msgid.DecodeWamid(id)
	if err != nil {
		return id
	}
	if outbound {
		return fmt.Sprintf("%x", stanza)
	}
	m, err := p.api.message(p.t.Context(), p.a.ID, id)
	must(p.t, err)
	return m.Wire
}

// command does one thing that no request does.
func (p *player) command(words []string) {
	p.t.Helper()
	if len(words) == 0 {
		return
	}
	arg := append(words, "", "")[1:]
	switch words[0] {
	case "advance":
		d, err := time.ParseDuration(arg[0])
		must(p.t, err)
		p.advance(d)
	case "until": // the real clock has to come to where this one stands
		if at := p.now().Format("15:04"); at != arg[0] {
			p.t.Fatalf("it is %s, not %s", at, arg[0])
		}
	case "delivered", "read":
		status := map[string]kabar.Status{"delivered": kabar.Delivered, "read": kabar.Read}[words[0]]
		p.deliver(kabar.Update{From: kabar.Customer{WaID: arg[1]}, Receipt: &kabar.Receipt{Status: status, Refs: []string{p.wire(arg[0])}}})
	case "deleted":
		p.deliver(kabar.Update{Deleted: p.wire(arg[0])})
	case "taps": // on a link: the message, and what the phones' API takes for it
		p.taps(arg[0], arg[1], append(arg, "")[2])
	case "judge": // a template: its id, and the decision as JSON
		p.judge(arg[0], arg[1])
	case "name": // that the number asks for: approve, reject with a reason, or defer
		must(p.t, p.engine.Reviews().JudgeName(p.t.Context(), p.a.ID, kabar.Ruling{Decision: arg[0], Reason: kabar.NameReason(arg[1])}, ""))
	case "verification": // of the account: approve, reject or defer
		_, err := p.engine.Reviews().Judge(p.t.Context(), p.a.Account, kabar.Ruling{Decision: arg[0]}, "")
		must(p.t, err)
	case "registration": // unverified, refused or unknown
		p.net.admit(arg[0])
	case "limits": // throughput, pair_rate or tier, and what it is
		_, err := p.engine.ChangeLimits(p.t.Context(), p.a.ID, func(l *kabar.Limits) error { return golden.SetLimits(l, arg) })
		must(p.t, err)
	case "reached": // so many customers, by the account
		statements, err := golden.Reached(arg[0], p.now())
		must(p.t, err)
		for _, s := range statements {
			p.sql(s)
		}
	case "consent": // required, advisory, or a cap of marketing
		must(p.t, p.engine.ChangeSettings(p.t.Context(), p.a.ID, func(s *kabar.Settings, _ *string) error { return golden.SetConsent(&s.Consent, arg) }))
	case "limit": // of the account's templates
		n, err := strconv.Atoi(arg[0])
		must(p.t, err)
		must(p.t, p.engine.Templates().SetPolicy(p.t.Context(), p.a.Account, kabar.TemplatePolicy{Review: kabar.ReviewManual, Limit: n}))
	case "credit": // the limit of the account's line
		limit, err := kabar.ParseMoney(arg[0])
		must(p.t, err)
		_, err = p.engine.Accounts().Draw(p.t.Context(), p.a.Account, limit, "operator")
		must(p.t, err)
	case "templates": // are created, so many
		p.createTemplates(arg[0])
	case "broken": // every message is refused by the database
		p.sql("CREATE TRIGGER broken BEFORE INSERT ON message BEGIN SELECT RAISE(ABORT, 'out of order'); END")
	case "mended":
		p.sql("DROP TRIGGER broken")
	default:
		if !p.flow(words) {
			p.t.Fatalf("unknown command %q", words)
		}
	}
}

// refusedAtWill is what the network says of a recipient: numbers that end in 000 are not on it.
func refusedAtWill(to string) error {
	if strings.HasSuffix(to, "000") {
		return &network.Refused{Reason: kabar.ReasonUnknownUser}
	}
	return nil
}

// webhook shows what endpoints are told.
func (p *player) webhook() string {
	p.t.Helper()
	p.settle()
	events, err := p.db.Events(p.t.Context(), p.a.ID, p.seq, 1000)
	must(p.t, err)
	var b strings.Builder
	for _, ev := range events {
		p.seq = ev.Seq
		body, wanted, err := p.api.Render(ev, p.a, kabar.Settings{})
		must(p.t, err)
		if !wanted {
			fmt.Fprintf(&b, "not wanted: %s %s\n", ev.Kind, ev.Status)
			continue
		}
		b.WriteString(p.names.Body(body))
	}
	return b.String()
}

// message shows the message that the last answer names.
func (p *player) message() string {
	p.t.Helper()
	m, err := p.api.message(p.t.Context(), p.a.ID, golden.FindID(p.last.Body.String()))
	must(p.t, err)
	shown, err := p.names.Message(m, p.customer(m), golden.Keys{
		Medium: func(id kabar.MediaID) string { return p.api.nodeID(int64(id)) },
		Message: func(id kabar.MessageID) (string, error) {
			m, err := p.db.Message(p.t.Context(), p.a.ID, id)
			if err != nil {
				return "", err
			}
			return golden.OnPremID(messageID(m.Direction == kabar.Outbound, p.a, p.customer(m), m.Ref)), nil
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
