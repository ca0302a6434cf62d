package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"kabar/internal/forward"
)

// listenCmd hands events to an application on this machine.
type listenCmd struct {
	apiFlags  `embed:""`
	ForwardTo string        `help:"Where the application takes its webhooks, mostly on this machine." required:"" placeholder:"URL" env:"-"`
	Events    string        `help:"Only of these types, with commas between them; message.* is all that begin so." placeholder:"TYPES" env:"-"`
	Number    string        `help:"Only of this number, in digits." placeholder:"DIGITS" env:"-"`
	Dialect   string        `help:"In whose words: kabar, onprem (/v1) or cloud (Cloud API)." default:"kabar" enum:"kabar,onprem,cloud" env:"-"`
	FromNow   bool          `help:"Leave out what has happened since the last time." xor:"from" env:"-"`
	Since     time.Duration `help:"Begin so long ago, wherever it was." xor:"from" placeholder:"10m" env:"-"`
	State     string        `help:"Folder that remembers the secret and how far each listener is; the user's own unless it is given." type:"path" placeholder:"FOLDER" env:"-"`
}

// Help is shown by kabar listen --help.
func (*listenCmd) Help() string {
	return `Webhooks for an application that no server can reach: this command reads the server's events over an authenticated stream and posts
them from this machine, each with the body that a webhook would have. The first time it begins with what happens from then on; later
it goes on where it was, and first hands over what happened meanwhile (--from-now leaves that out, --since 1h goes back).

Every post has the headers of Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature). The secret is made once on this
machine and printed at the start; it is not that of the server's endpoints. With --dialect cloud X-Hub-Signature-256 is the server's own,
with the app's secret, if the key has the scope webhooks. Events of one customer come in order, each when the one before is answered. When nobody answers it is tried again
a few times; what was answered, whatever the status, is not: a server would try again.

Examples:
  kabar listen --forward-to http://localhost:3000/hook
  kabar listen --forward-to http://localhost:3000/hook --dialect cloud --events 'message.*,template.*'
  kabar listen --forward-to http://localhost:3000/hook --server https://api.shop.example --key-file key --number 15550001111`
}

// Run posts events until ctx ends.
func (c *listenCmd) Run(ctx context.Context, s streams) error {
	if err := forward.CheckURL(c.ForwardTo); err != nil {
		return &usageError{fmt.Errorf("--forward-to %w", err)}
	}
	a, err := c.resolve(ctx)
	if err != nil {
		return err
	}
	state, err := c.state()
	if err != nil {
		return err
	}
	secret, err := state.Secret()
	if err != nil {
		return err
	}
	place := state.Place(cmp.Or(c.Server, c.Data), a.key, c.ForwardTo, c.Number, c.Events, c.Dialect)
	q := forward.Query{Number: c.Number, Types: c.Events, Dialect: c.Dialect}
	switch {
	case c.Since > 0:
		q.Since = c.Since.String()
	case !c.FromNow:
		if q.After, err = place.Cursor(); err != nil {
			return err
		}
	}
	f := forward.NewForwarder(forward.Options{URL: c.ForwardTo, Secret: secret, HTTP: appClient(), Save: place.Save, Agent: "Kabar/" + version() + " (kabar listen)",
		Told: func(o forward.Outcome) { tellOutcome(s.out, o) }})
	began := false
	err = a.client(func(err error) { tellLost(s.err, err) }).Follow(ctx, q, func(cursor string, e *forward.Entry) error {
		if !began {
			began = true
			welcomeListener(s.out, c, a, secret, q)
		}
		return f.Take(ctx, cursor, e)
	})
	sum, saved := f.Close()
	if began {
		fmt.Fprintf(s.out, "%s. The next start goes on from here.\n", sum)
	}
	return errors.Join(denied(ended(err)), saved)
}

// state is the folder that remembers.
func (c *listenCmd) state() (forward.State, error) {
	if c.State != "" {
		return forward.State{Dir: c.State}, nil
	}
	own, err := os.UserConfigDir()
	if err != nil {
		return forward.State{}, fmt.Errorf("there is no folder of the user's own: %w. Give one with --state FOLDER", err)
	}
	return forward.State{Dir: filepath.Join(own, "kabar")}, nil
}

func welcomeListener(w io.Writer, c *listenCmd, a access, secret string, q forward.Query) {
	from := "from now on"
	if q.After != "" {
		from = "from where it was"
	} else if q.Since != "" {
		from = "from " + q.Since + " ago"
	}
	fmt.Fprintf(w, `Events of %s go to %s, %s, in the words of %s. Ctrl-C ends.
Secret: %s
`, a.server, c.ForwardTo, from, c.Dialect, secret)
}

// tellOutcome prints an attempt in one line.
func tellOutcome(w io.Writer, o forward.Outcome) {
	line := o.Entry.Line()
	switch {
	case errors.Is(o.Err, forward.ErrUntold):
		fmt.Fprintf(w, "%s → passed. GET /kabar/v1/events/%s has it once that is mended\n", line, o.Entry.ID)
	case o.Again > 0:
		fmt.Fprintf(w, "%s → no answer: %v; again in %s\n", line, o.Err, o.Again)
	case o.Err != nil:
		fmt.Fprintf(w, "%s → given up: %v. It is still there: GET /kabar/v1/events/%s\n", line, o.Err, o.Entry.ID)
	default:
		fmt.Fprintf(w, "%s → %d in %d ms\n", line, o.Status, o.Took.Round(time.Millisecond).Milliseconds())
	}
}
