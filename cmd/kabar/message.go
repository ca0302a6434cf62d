package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"kabar/internal/auth"
	"kabar/internal/control"
	"kabar/internal/onprem"
	"kabar/internal/store"
	"kabar/internal/trace"
)

// newTracer tells what became of messages, by the ids that either API gives them. It calls them as /v1 does.
func newTracer(db *store.DB) *trace.Tracer {
	return trace.New(db, trace.Names{ID: onprem.MessageID, Ref: onprem.MessageRef, Own: onprem.OwnID, Code: onprem.FailureCode})
}

// ofKey says whose messages a key may see.
func ofKey(r *http.Request) trace.Of {
	who := auth.From(r)
	return trace.Of{Account: who.Account, Number: who.Number}
}

// messageCmd shows messages.
type messageCmd struct {
	Show messageShowCmd `cmd:"" help:"Show a message: content, statuses and when, what the rules judged, who was told."`
}

// messageOperations are what the commands below ask for.
func messageOperations(m *control.Mux, p *parts) {
	control.Handle(m, "message.show", p.showMessage)
}

type messageShowCmd struct {
	storeFlags `embed:""`
	JSON       bool   `name:"json" help:"Print JSON, as GET /kabar/v1/messages/ID answers it." env:"-"`
	ID         string `arg:"" help:"The message's id, as either API or a webhook has given it."`
}

// Help is shown by kabar message show --help.
func (*messageShowCmd) Help() string {
	return `Tells what became of a message, in or out: what it says, when it reached each status, whether the customer's 24-hour window was
open when it was accepted, why it failed and under which code, and how each of its events stands with the webhook: done (told, or
not wanted by the settings), waiting, retrying or parked, with the last answer.

The same over HTTP, with a key of the scope read: GET /kabar/v1/messages/ID, and GET /kabar/v1/messages?number=&wa_id= for a list.

Examples:
  kabar message show gBGGNGABESIiAgkBm_hRHvCTsKo --data server
  kabar message show gBGGNGABESIiAgkBm_hRHvCTsKo --json --data server
  kabar key add --scopes read --label support --data server`
}

type showMessage struct {
	ID string `json:"id"`
}

// Run shows a message.
func (c *messageShowCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var m trace.Message
		if err := op.Call(ctx, "message.show", showMessage{c.ID}, &m, nil); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s.out, m)
		}
		return writeMessage(s.out, &m)
	})
}

func (p *parts) showMessage(ctx context.Context, in showMessage, _ control.Report) (*trace.Message, error) {
	m, err := newTracer(p.db).Message(ctx, trace.Of{}, in.ID)
	return m, told(err)
}

// toSecond shows a time as precisely as a message needs it.
const toSecond = "2006-01-02 15:04:05 UTC"

// writeMessage shows a message to people.
func writeMessage(w io.Writer, m *trace.Message) error {
	var b strings.Builder
	from, to := m.Number, m.WaID
	if m.Direction == "inbound" {
		from, to = to, from
	}
	fmt.Fprintf(&b, "%s\n%s from %s to %s, %s\n\n  %s\n\n", m.ID, m.Type, from, to, m.Status, m.Content)
	for _, s := range m.Timeline {
		fmt.Fprintf(&b, "%-10s %s", s.Status, s.At.UTC().Format(toSecond))
		if s.Error != "" {
			b.WriteString(", " + s.Error)
		}
		b.WriteByte('\n')
	}
	j := m.Judged
	if j.WindowOpen != nil {
		fmt.Fprintf(&b, "\nWindow     %s\n", map[bool]string{true: "open", false: "closed"}[*j.WindowOpen])
	}
	if j.Category != "" {
		fmt.Fprintf(&b, "Category   %s\n", j.Category)
	}
	if j.Failure != "" {
		fmt.Fprintf(&b, "Failed     %s (%d)\n", j.Failure, j.Code)
	}
	for i, d := range m.Deliveries {
		if i == 0 {
			b.WriteString("\nWebhook\n")
		}
		fmt.Fprintf(&b, "  %-16s %s (%s), %s", d.What, orDash(d.Endpoint), d.Dialect, d.State)
		if d.Failures > 0 {
			fmt.Fprintf(&b, ", failed %d times, last answer %s", d.Failures, orDash(d.Answer))
		}
		if !d.Next.IsZero() {
			fmt.Fprintf(&b, ", next %s", d.Next.UTC().Format(toSecond))
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}
