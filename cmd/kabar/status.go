package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"kabar/internal/control"
)

// statusCmd asks a running server how it is.
type statusCmd struct {
	Data      string `help:"The server's data folder." required:"" type:"path"`
	listFlags `embed:""`
	Quiet     bool `help:"Print nothing: the exit status tells, 0 when the server is ready." env:"-"`
}

// Help is shown by kabar status --help.
func (*statusCmd) Help() string {
	return `Asks the server that runs on the data folder, through the control socket in it. The exit status is 0 when it is ready, as
/readyz says, and 1 when it is not, or does not run. kabar doctor looks deeper, and says what to do.

Examples:
  kabar status --data server
  kabar status --data server --quiet || echo "look at it"`
}

type (
	serverStatus struct {
		Version string         `json:"version"`
		Since   time.Time      `json:"since"`
		Ready   bool           `json:"ready"`
		Checks  []checkStatus  `json:"checks"`
		Numbers []numberStatus `json:"numbers"`
		Queue   int            `json:"queued_writes"`
	}
	checkStatus struct {
		Name string `json:"name"`
		Text string `json:"text"` // "ok", or what is wrong
	}
	numberStatus struct {
		Number    string    `json:"number"`
		Connected bool      `json:"connected"`
		Since     time.Time `json:"since"`
		Webhook   string    `json:"webhook"`
		Waiting   int64     `json:"events_waiting"`
		Failing   string    `json:"failing,omitempty"` // the last answer
	}
)

// statusTime is how long an answer may take. A server that does not manage that is not well.
const statusTime = 5 * time.Second

var errSilent = errors.New("the server runs, and does not answer: kabar doctor looks what is wrong")

// errNotReady ends the command with 1; what is wrong has been printed.
var errNotReady = errors.New("the server is not ready")

// Run asks and prints.
func (c *statusCmd) Run(ctx context.Context, s streams) error {
	op, err := control.Dial(ctx, c.Data)
	if _, missing := os.Stat(filepath.Join(c.Data, "server", "kabar.db")); err != nil && missing == nil {
		return &usageError{fmt.Errorf("--data %[1]s is a folder of kabar dev: give --data %[1]s/server", c.Data)}
	}
	if err != nil {
		return fmt.Errorf("--data %s: %w", c.Data, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, statusTime, errSilent)
	defer cancel()
	var st serverStatus
	if err := op.Call(ctx, "status", struct{}{}, &st, nil); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return err
	}
	switch {
	case c.Quiet:
	case c.JSON:
		err = printJSON(s.out, st)
	default:
		err = st.print(s.out, time.Now())
	}
	if err == nil && !st.Ready {
		err = errNotReady
	}
	return err
}

func (st *serverStatus) print(w io.Writer, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "kabar\t%s, up %s\n", st.Version, now.Sub(st.Since).Round(time.Second))
	for _, c := range st.Checks {
		fmt.Fprintf(t, "%s\t%s\n", c.Name, c.Text)
	}
	for _, n := range st.Numbers {
		link := "connected since "
		if !n.Connected {
			link = "NOT connected since "
		}
		fmt.Fprintf(t, "%s\t%s%s\n", n.Number, link, n.Since.UTC().Format(time.DateTime))
		switch {
		case n.Webhook == "":
			fmt.Fprintf(t, "\tno webhook URL; %d events wait\n", n.Waiting)
		case n.Failing != "":
			fmt.Fprintf(t, "\t%s is failing: %s; %d events wait\n", n.Webhook, n.Failing, n.Waiting)
		default:
			fmt.Fprintf(t, "\t%s, %d events wait\n", n.Webhook, n.Waiting)
		}
	}
	return t.Flush()
}

// inspect is what the command asks for.
func (s *server) inspect(ctx context.Context, _ struct{}, _ control.Report) (serverStatus, error) {
	out := serverStatus{Version: version(), Since: s.started, Ready: true}
	out.Queue, _ = s.db.Waiting()
	for _, c := range s.checks() {
		text := "ok"
		if err := c.Run(ctx); err != nil {
			text, out.Ready = err.Error(), false
		}
		out.Checks = append(out.Checks, checkStatus{c.Name, text})
	}
	backlog, err := s.dispatcher.Backlog(ctx)
	if err != nil {
		return out, err
	}
	for _, n := range s.engine.Numbers() {
		st := numberStatus{Number: n.Digits}
		st.Connected, st.Since = s.engine.Link(n.ID)
		ep, err := s.engine.Endpoint(ctx, n.ID)
		if err != nil {
			return out, err
		}
		b := backlog[ep.ID]
		if st.Webhook, st.Waiting = ep.URL, b.Pending; b.Failing {
			st.Failing = b.LastError
		}
		out.Numbers = append(out.Numbers, st)
	}
	return out, nil
}
