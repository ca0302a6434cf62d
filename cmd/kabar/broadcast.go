package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/engine"
	"kabar/internal/manage"
)

// broadcastCmd sends a template to many.
type broadcastCmd struct {
	Run    broadcastRunCmd    `cmd:"" help:"Send a template to everybody in a CSV file."`
	List   broadcastListCmd   `cmd:"" help:"List the broadcasts."`
	Show   broadcastShowCmd   `cmd:"" help:"Show how far a broadcast is, or whom it has not reached."`
	Pause  broadcastPauseCmd  `cmd:"" help:"Pause a broadcast: nobody has their turn any more."`
	Resume broadcastResumeCmd `cmd:"" help:"Have a paused broadcast go on."`
	Cancel broadcastCancelCmd `cmd:"" help:"End a broadcast for good."`
	Retry  broadcastRetryCmd  `cmd:"" help:"Give those who have failed another turn."`
}

// Help is shown by kabar broadcast --help.
func (*broadcastCmd) Help() string {
	return `A broadcast sends one template to many customers, to each exactly one message, whatever happens to the server meanwhile. It keeps to the
number's pace, lets chats go first, and obeys consent and credit as every message does. docs/broadcasts.md says more.

Examples:
  kabar broadcast run customers.csv --template spring --language en --map body.1=first_name --data server
  kabar broadcast show 7215600000000001 --data server
  kabar broadcast pause 7215600000000001 --data server`
}

// broadcastOperations are what the commands ask for.
func broadcastOperations(m *control.Mux, p *parts) {
	control.Handle(m, "broadcast.estimate", p.estimateBroadcast)
	control.Handle(m, "broadcast.make", recorded(p.db, "broadcast.made", p.makeBroadcast))
	control.Handle(m, "broadcast.list", p.listBroadcasts)
	control.Handle(m, "broadcast.show", p.showBroadcast)
	control.Handle(m, "broadcast.failed", p.failedOfBroadcast)
	for action, done := range map[kabar.BroadcastAction]string{kabar.BroadcastPause: "paused", kabar.BroadcastResume: "resumed", kabar.BroadcastCancel: "cancelled",
		kabar.BroadcastRetry: "retried"} {
		control.Handle(m, "broadcast."+string(action), recorded(p.db, "broadcast."+done, p.actOnBroadcast(action)))
	}
}

// broadcasts are those of the running server: only that can send.
func (p *parts) broadcasts() (*engine.Broadcasts, error) {
	if p.engine == nil {
		return nil, control.Refuse("the server does not run, and only a running one sends: kabar serve --data %s", p.dir)
	}
	return p.engine.Broadcasts(), nil
}

type (
	namedBroadcast struct {
		ID string `json:"id"`
	}
	// broadcastItem is a broadcast as commands show it.
	broadcastItem struct {
		ID         string                    `json:"id"`
		Number     string                    `json:"number"`
		State      kabar.BroadcastState      `json:"state"`
		Why        string                    `json:"why,omitempty"`
		Template   string                    `json:"template"`
		Language   string                    `json:"language"`
		Recipients int                       `json:"recipients"`
		Created    time.Time                 `json:"created"`
		StartAt    time.Time                 `json:"start_at"`
		Ended      time.Time                 `json:"ended,omitzero"`
		Progress   *engine.BroadcastProgress `json:"progress,omitempty"` // of one that is shown
		Currency   string                    `json:"currency,omitempty"`
	}
)

func (p *parts) broadcastItem(b *kabar.Broadcast) (broadcastItem, error) {
	n, err := p.engine.Number(b.Number)
	if err != nil {
		return broadcastItem{}, err
	}
	return broadcastItem{ID: strconv.FormatUint(p.db.Node(int64(b.ID)), 10), Number: n.Digits, State: b.State, Why: b.Why, Template: b.Template, Language: b.Language,
		Recipients: b.Recipients, Created: b.Created, StartAt: b.StartAt, Ended: b.Ended}, nil
}

// broadcast finds a broadcast of whichever account.
func (p *parts) broadcast(ctx context.Context, id string) (*kabar.Broadcast, error) {
	all, err := p.broadcasts()
	if err != nil {
		return nil, err
	}
	none := control.Refuse("there is no broadcast %q: kabar broadcast list", id)
	node, err := strconv.ParseUint(id, 10, 64)
	key, ok := p.db.NodeKey(node)
	if err != nil || !ok {
		return nil, none
	}
	b, err := all.Find(ctx, kabar.BroadcastID(key))
	if refused, is := errors.AsType[*kabar.Error](err); is && refused.Reason == kabar.ReasonNotFound {
		return nil, none
	}
	return b, err
}

func (p *parts) showBroadcast(ctx context.Context, in namedBroadcast, _ control.Report) (out broadcastItem, err error) {
	b, err := p.broadcast(ctx, in.ID)
	if err != nil {
		return out, err
	}
	return p.wholeBroadcast(ctx, b)
}

func (p *parts) wholeBroadcast(ctx context.Context, b *kabar.Broadcast) (out broadcastItem, err error) {
	if out, err = p.broadcastItem(b); err != nil {
		return out, err
	}
	if out.Progress, err = p.engine.Broadcasts().Progress(ctx, b.ID); err != nil {
		return out, err
	}
	account, err := p.engine.Accounts().Get(ctx, b.Account)
	if err == nil {
		out.Currency = account.Currency
	}
	return out, err
}

func (p *parts) actOnBroadcast(action kabar.BroadcastAction) func(context.Context, namedBroadcast, control.Report) (broadcastItem, error) {
	return func(ctx context.Context, in namedBroadcast, _ control.Report) (out broadcastItem, err error) {
		b, err := p.broadcast(ctx, in.ID)
		if err != nil {
			return out, err
		}
		if b, err = p.engine.Broadcasts().Act(ctx, b.Account, b.ID, action); err != nil {
			return out, told(err)
		}
		return p.wholeBroadcast(ctx, b)
	}
}

// print tells people how far a broadcast is.
func (b *broadcastItem) print(w io.Writer) error {
	var s strings.Builder
	fmt.Fprintf(&s, "%s is %s: %s (%s) from %s to %d recipients\n", b.ID, b.State, b.Template, b.Language, b.Number, b.Recipients)
	if b.Why != "" {
		fmt.Fprintf(&s, "Why        %s\n", b.Why)
	}
	if b.State == kabar.BroadcastScheduled {
		fmt.Fprintf(&s, "Begins     %s\n", moment(b.StartAt, "-"))
	}
	p := b.Progress
	fmt.Fprintf(&s, "Pending    %d\nAccepted   %d\nSent       %d\nDelivered  %d\nRead       %d\nFailed     %d\n", p.Pending, p.Accepted, p.Sent, p.Delivered, p.Read, p.FailedCount())
	for _, why := range slices.Sorted(maps.Keys(p.Failed)) {
		fmt.Fprintf(&s, "  %d: %s\n", p.Failed[why], why)
	}
	fmt.Fprintf(&s, "Cost       %s %s spent, %s reserved\n", p.Spent, b.Currency, p.Reserved)
	_, err := io.WriteString(w, s.String())
	return err
}

type broadcastListCmd struct {
	storeFlags  `embed:""`
	listFlags   `embed:""`
	accountFlag `embed:""`
}

type listBroadcasts struct {
	Account string `json:"account"`
}

// Run lists the newest broadcasts.
func (c *broadcastListCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var all []broadcastItem
		if err := op.Call(ctx, "broadcast.list", listBroadcasts{c.Account}, &all, nil); err != nil {
			return err
		}
		rows := make([][]string, len(all))
		for i, b := range all {
			rows[i] = []string{b.ID, string(b.State), b.Template + " (" + b.Language + ")", b.Number, strconv.Itoa(b.Recipients), moment(b.StartAt, "-"), orDash(b.Why)}
		}
		return c.print(s.out, all, "There is no broadcast yet: kabar broadcast run FILE --data "+c.Data, "ID|STATE|TEMPLATE|NUMBER|RECIPIENTS|BEGINS|WHY", rows)
	})
}

func (p *parts) listBroadcasts(ctx context.Context, in listBroadcasts, _ control.Report) ([]broadcastItem, error) {
	all, err := p.broadcasts()
	if err != nil {
		return nil, err
	}
	account, err := p.oneAccount(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	page, err := all.List(ctx, account.ID, 0, 0, engine.MaxBroadcastPage)
	items := []broadcastItem{}
	for _, b := range page {
		item, err := p.broadcastItem(b)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, err
}

// failedOfBroadcast lists recipients who have failed, up to a page of them behind a row.
func (p *parts) failedOfBroadcast(ctx context.Context, in failedOfBroadcast, _ control.Report) ([]failedRecipient, error) {
	b, err := p.broadcast(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	page, err := p.db.FailedRecipients(ctx, b.ID, in.After, engine.MaxBroadcastPage)
	all := make([]failedRecipient, len(page))
	for i, r := range page {
		all[i] = failedRecipient{r.Row, r.Handle, manage.RecipientState(r), string(r.Failure)}
	}
	return all, err
}
