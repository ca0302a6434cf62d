package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"kabar/internal/forward"
)

type eventsReplayCmd struct {
	apiFlags `embed:""`
	Endpoint string `help:"Which endpoint is told again; without it they are listed." placeholder:"ID" env:"-"`
	Since    string `help:"Of what has happened since then: a time, or how long ago." placeholder:"2h|TIME" xor:"what" env:"-"`
	Until    string `help:"And before then; up to now unless it is given." placeholder:"1h|TIME" env:"-"`
	Failed   bool   `help:"Try at once what has failed and waits for another attempt." xor:"what" env:"-"`
	Delivery string `help:"Of one event: its delivery, which names the endpoint, too." placeholder:"ID" xor:"what" env:"-"`
	Detach   bool   `help:"Do not wait for the end." env:"-"`
}

// Help is shown by kabar events replay --help.
func (*eventsReplayCmd) Help() string {
	return `Has an endpoint told once more of what it was told, or should have been: with the same ids, in order for each customer, and with the header
kabar-replay: true. An application that keeps the ids it has handled does nothing twice. What happens meanwhile comes beside it.

Without --endpoint it lists the endpoints; with nothing but --endpoint it shows the replays of that one. --since and --until are times such as
2031-05-02T10:15:00Z, or durations such as 90m, back from the server's now. The command shows how far it is; Ctrl-C ends the command, not
the replay, which outlives the server's restart, too. What is under way for the same events is not begun a second time.

Without --server it asks the kabar dev that runs on --data; another server is asked over HTTPS with a key of the scope webhooks.

Examples:
  kabar events replay
  kabar events replay --endpoint ep_3k2… --since 2h
  kabar events replay --endpoint ep_3k2… --since 2031-05-02T10:15:00Z --until 2031-05-02T12:00:00Z --detach
  kabar events replay --endpoint ep_3k2… --failed
  kabar events replay --delivery dlv_9x1… --server https://api.shop.example --key-file key`
}

// toldEndpoint is what is needed of an endpoint as the management API shows it.
type toldEndpoint struct {
	ID      string
	Number  string
	URL     string
	Dialect string
	State   string
	Reason  string
	Health  struct {
		Pending   int64
		LastError string `json:"last_error"`
	}
}

// toldReplay is a replay as the management API shows it.
type toldReplay struct {
	ID, Endpoint, Number, State string
	Events, Done                int64
	Created                     time.Time
}

func (r *toldReplay) live() bool { return r.State == "running" }

// Run has events sent again.
func (c *eventsReplayCmd) Run(ctx context.Context, s streams) error {
	asks := cmp.Or(c.Since, c.Delivery) != "" || c.Failed
	switch {
	case c.Until != "" && c.Since == "":
		return &usageError{errors.New("--until needs --since: from when on?")}
	case c.Delivery != "" && c.Endpoint != "":
		return &usageError{errors.New("--delivery names its endpoint already: leave --endpoint out")}
	}
	a, err := c.resolve(ctx)
	if err != nil {
		return err
	}
	p := &replayer{client: a.client(nil), s: s}
	switch {
	case c.Endpoint == "" && c.Delivery == "":
		return mayReplay(p.listEndpoints(ctx, asks))
	case !asks:
		return mayReplay(p.listReplays(ctx, c.Endpoint))
	case c.Failed:
		return mayReplay(p.retry(ctx, c.Endpoint))
	}
	began, err := p.begin(ctx, c)
	if err != nil {
		return mayReplay(err)
	}
	if len(began) == 0 {
		_, err := fmt.Fprintln(s.out, "There is nothing to tell: nothing happened then, or it is older than what is kept.")
		return err
	}
	if c.Detach {
		return p.left(began)
	}
	return mayReplay(p.watch(ctx, began))
}

// mayReplay adds to a server's no what to do about it.
func mayReplay(err error) error {
	refused, ok := errors.AsType[*forward.RefusedError](err)
	if ok && refused.Status == http.StatusForbidden {
		return fmt.Errorf("%w\nThe key needs the scope webhooks, and the endpoint's account: kabar key add --role developer, on the server", err)
	}
	if ok && refused.Status == http.StatusNotFound {
		return fmt.Errorf("%w\nkabar events replay lists the endpoints", err)
	}
	return denied(err)
}

// replayer has events sent again through a server's management API.
type replayer struct {
	client *forward.Client
	s      streams
}

func endpointPath(id, rest string) string { return "/kabar/v1/endpoints/" + url.PathEscape(id) + rest }

// listEndpoints says which endpoints there are, and how one is chosen. Who wanted a replay has to.
func (p *replayer) listEndpoints(ctx context.Context, asked bool) error {
	var all struct{ Data []toldEndpoint }
	if err := p.client.Call(ctx, http.MethodGet, "/kabar/v1/endpoints", nil, &all); err != nil {
		return err
	}
	if len(all.Data) == 0 {
		return errors.New("there is no endpoint that could be told. POST /kabar/v1/endpoints makes one: docs/webhooks.md")
	}
	t := tabwriter.NewWriter(p.s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ENDPOINT\tSTATE\tDIALECT\tNUMBER\tWAITING\tURL")
	for _, e := range all.Data {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s\n", e.ID, e.State, e.Dialect, cmp.Or(e.Number, "all"), e.Health.Pending, cmp.Or(hostOf(e.URL), "-"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if asked {
		return &usageError{errors.New("which of them? Add --endpoint and its id")}
	}
	example := max(slices.IndexFunc(all.Data, func(e toldEndpoint) bool { return e.URL != "" && e.State == "active" }), 0)
	_, err := fmt.Fprintf(p.s.out, "\nChoose one: kabar events replay --endpoint %s --since 2h\n", all.Data[example].ID)
	return err
}

// hostOf is a URL without what may be secret in it.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "-"
	}
	return strings.TrimPrefix(u.Scheme+"://"+u.Host, "://")
}

// listReplays shows the replays of an endpoint, and how one is begun.
func (p *replayer) listReplays(ctx context.Context, id string) error {
	all, err := p.replays(ctx, id)
	if err != nil {
		return err
	}
	for _, r := range all {
		if _, err := fmt.Fprintf(p.s.out, "%s  %-9s  %s  %d of %d  begun %s\n", r.ID, r.State, r.Number, r.Done, r.Events, moment(r.Created, "")); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(p.s.out, "To begin one: kabar events replay --endpoint %s --since 2h, or --failed\n", id)
	return err
}

func (p *replayer) replays(ctx context.Context, id string) ([]toldReplay, error) {
	var all struct{ Data []toldReplay }
	err := p.client.Call(ctx, http.MethodGet, endpointPath(id, "/replays"), nil, &all)
	return all.Data, err
}

// retry has what failed tried at once. There is no replay then that could end.
func (p *replayer) retry(ctx context.Context, id string) error {
	var waiting struct {
		Deliveries []struct{}
		Next       string
	}
	failed := "/kabar/v1/deliveries?limit=200&state=retrying&endpoint=" + url.QueryEscape(id)
	if err := p.client.Call(ctx, http.MethodGet, failed, nil, &waiting); err != nil {
		return err
	}
	var none struct{}
	if err := p.client.Call(ctx, http.MethodPost, endpointPath(id, "/replay"), map[string]any{"failed": true}, &none); err != nil {
		return err
	}
	count := fmt.Sprint(len(waiting.Deliveries))
	if waiting.Next != "" {
		count += " or more"
	}
	_, err := fmt.Fprintf(p.s.out, "Failed until now: %s. What waits for another attempt is tried now; what fails again: GET %s\n", count, failed)
	return err
}

// begin begins a replay for each number.
func (p *replayer) begin(ctx context.Context, c *eventsReplayCmd) ([]toldReplay, error) {
	path, in := endpointPath(c.Endpoint, "/replay"), map[string]any{"since": c.Since}
	if c.Until != "" {
		in["until"] = c.Until
	}
	if c.Delivery != "" {
		path, in = "/kabar/v1/deliveries/"+url.PathEscape(c.Delivery)+"/replay", nil
	}
	var began struct{ Data []toldReplay }
	err := p.client.Call(ctx, http.MethodPost, path, in, &began)
	return began.Data, err
}

// left says where to look for what goes on by itself.
func (p *replayer) left(began []toldReplay) error {
	for _, r := range began {
		if _, err := fmt.Fprintf(p.s.out, "Replay %s of %s goes on by itself.\n", r.ID, r.Number); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(p.s.out, `How far it is: kabar events replay --endpoint %s. To stop it: PATCH /kabar/v1/replays/%s {"state":"cancelled"}`+"\n", began[0].Endpoint, began[0].ID)
	return err
}

// eachLine prints a line for each.
func eachLine[T any](w io.Writer, all []T, line func(T) string) error {
	for _, one := range all {
		if _, err := fmt.Fprintln(w, line(one)); err != nil {
			return err
		}
	}
	return nil
}
