package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"kabar/internal/forward"
)

// eventsCmd shows events, and has them told again.
type eventsCmd struct {
	Tail   eventsTailCmd   `cmd:"" help:"Show the newest events, and with --follow those that come."`
	Replay eventsReplayCmd `cmd:"" help:"Have an endpoint told of events once more."`
}

// Help is shown by kabar events --help.
func (*eventsCmd) Help() string {
	return `Everything that happens to a number is an event in its log: a message received, delivered or failed, a template approved. Each has an id
that stays, and a type; webhooks tell of them, and GET /kabar/v1/events reads them. kabar events replay has a webhook told again, kabar
listen hands events to an application on this machine, kabar trigger makes some happen.

Examples:
  kabar events tail --follow
  kabar events tail --since 1h --type message.failed --json
  kabar events replay --endpoint ep_3k2… --since 2h`
}

// eventFlags say which events, and in whose words.
type eventFlags struct {
	Number  string `help:"Only of this number, in digits." placeholder:"DIGITS" env:"-"`
	Type    string `help:"Only of these types, with commas between them; message.* is all that begin so." placeholder:"TYPES" env:"-"`
	Dialect string `help:"In whose words: kabar, onprem (/v1) or cloud (Cloud API)." default:"kabar" enum:"kabar,onprem,cloud" env:"-"`
}

func (f *eventFlags) query() forward.Query {
	return forward.Query{Number: f.Number, Types: f.Type, Dialect: f.Dialect}
}

type eventsTailCmd struct {
	apiFlags   `embed:""`
	eventFlags `embed:""`
	Since      time.Duration `help:"Also what has happened so long ago; 10m without --follow." placeholder:"10m" env:"-"`
	Follow     bool          `short:"f" help:"Go on with what happens, until Ctrl-C." env:"-"`
	JSON       bool          `name:"json" help:"One JSON object a line, with the body as a webhook would have it." env:"-"`
}

// Help is shown by kabar events tail --help.
func (*eventsTailCmd) Help() string {
	return `One line an event: when, its type, the customer, and a few words. Without --server it asks the kabar dev that runs on --data; another
server is asked over HTTPS with a key of the scope read. Text of customers is on the screen then, and in the terminal's memory.

Examples:
  kabar events tail --follow
  kabar events tail --type 'message.*' --since 30m
  kabar events tail --follow --json --dialect cloud | jq .body
  kabar events tail --follow --server https://api.shop.example --key-file key --number 15550001111`
}

// Run prints events.
func (c *eventsTailCmd) Run(ctx context.Context, s streams) error {
	a, err := c.resolve(ctx)
	if err != nil {
		return err
	}
	client := a.client(func(err error) { tellLost(s.err, err) })
	q := c.query()
	if c.Since > 0 || !c.Follow {
		if c.Since == 0 {
			c.Since = tailSince
		}
		q.Since = c.Since.String()
	}
	if c.Follow {
		return denied(client.Follow(ctx, q, func(_ string, e *forward.Entry) error { return c.print(s.out, e) }))
	}
	shown := 0
	for more := true; more; {
		var page []*forward.Entry
		if page, q.After, more, err = client.List(ctx, q); err != nil {
			return denied(err)
		}
		q.Since = ""
		for _, e := range page {
			if err := c.print(s.out, e); err != nil {
				return err
			}
		}
		shown += len(page)
	}
	if shown == 0 {
		fmt.Fprintf(s.err, "Nothing in the last %s. kabar events tail --follow waits for what comes, kabar trigger makes something happen.\n", c.Since)
	}
	return nil
}

// tailSince is how far back is looked when nobody says.
const tailSince = 10 * time.Minute

// print writes an event; nothing for the beginning of a stream.
func (c *eventsTailCmd) print(w io.Writer, e *forward.Entry) error {
	if e == nil {
		return nil
	}
	if !c.JSON {
		_, err := fmt.Fprintln(w, e.Time.Local().Format("2006-01-02 15:04:05"), e.Line())
		return err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// tellLost says how the connection to the server is.
func tellLost(w io.Writer, err error) {
	if err != nil {
		fmt.Fprintf(w, "The connection is lost: %v. It is tried again; nothing is left out.\n", err)
	} else {
		fmt.Fprintln(w, "The connection is back.")
	}
}
