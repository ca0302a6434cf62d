package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/engine"
)

type broadcastRunCmd struct {
	storeFlags `embed:""`
	File       string   `arg:"" help:"CSV with a header row; its column \"to\" says who gets the message." type:"path"`
	Number     string   `help:"The business number to send from; may be left out when there is one." env:"-"`
	Template   string   `required:"" help:"Name of the template." env:"-"`
	Language   string   `required:"" help:"Its language, such as es or es_ES." env:"-"`
	Map        []string `help:"Which column fills which place of the template: body.1=first_name. May be given several times." sep:"none" placeholder:"PLACE=COLUMN" env:"-"`
	StartAt    instant  `help:"When to begin, such as 2031-05-02T10:15:00Z; now unless it is given." placeholder:"TIME" env:"-"`
	PerSecond  int      `help:"How many messages a second at most; as many as the number may unless it is given." placeholder:"N" env:"-"`
	Yes        bool     `short:"y" help:"Begin without asking." env:"-"`
}

// Help is shown by kabar broadcast run --help.
func (*broadcastRunCmd) Help() string {
	return `The file begins with a header row; its columns may stand in any order, parted by commas, semicolons or tabs, and those that nothing asks
for are left alone:

  to,first_name,city
  +34600111222,Ana,Bilbao

A place of the template is header (a text, or the link of a medium), body.1 (body.NAME where its variables have names) or button.0, counted
from 0. A place is filled by the column of its own name unless --map names another. Nothing is sent unless every line is right: otherwise
every faulty line is named, up to 50 of them. A recipient who is there twice is a fault. A file has up to 100,000 recipients and 8 MiB.

The command shows what it will cost, asks, and then shows the progress. Ctrl-C ends the command, not the broadcast.

Examples:
  kabar broadcast run customers.csv --template spring --language en --map body.1=first_name --data server
  kabar broadcast run customers.csv --template spring --language en --start-at 2031-05-02T10:15:00Z --per-second 20 --yes --data server`
}

type (
	makeBroadcast struct {
		Number    string            `json:"number"`
		Template  string            `json:"template"`
		Language  string            `json:"language"`
		Map       map[string]string `json:"map"`
		Text      string            `json:"text"` // of the file
		StartAt   time.Time         `json:"start_at"`
		PerSecond int               `json:"per_second"`
	}
	madeBroadcast struct {
		ID      string    `json:"id"`
		StartAt time.Time `json:"start_at"`
		Waits   bool      `json:"waits"` // for its time, by the server's clock
	}
)

// Run sends.
func (c *broadcastRunCmd) Run(ctx context.Context, s streams) error {
	in := makeBroadcast{Number: c.Number, Template: c.Template, Language: c.Language, Map: map[string]string{}, StartAt: time.Time(c.StartAt), PerSecond: c.PerSecond}
	for _, m := range c.Map {
		place, column, ok := strings.Cut(m, "=")
		if !ok || place == "" || column == "" {
			return &usageError{fmt.Errorf("--map %s: write PLACE=COLUMN, such as body.1=first_name", m)}
		}
		in.Map[place] = column
	}
	var err error
	if in.Text, err = readInput(c.File, "make several broadcasts of it, each with the header row"); err != nil {
		return err
	}
	return c.operate(ctx, func(op *control.Client) error {
		var est engine.BroadcastEstimate
		if err := op.Call(ctx, "broadcast.estimate", in, &est, nil); err != nil {
			return err
		}
		if err := printEstimate(s.out, &est); err != nil {
			return err
		}
		if !c.Yes && !confirmed(os.Stdin, s.out, "Begin?") {
			_, err := fmt.Fprintln(s.out, "Nothing was sent.")
			return err
		}
		var made madeBroadcast
		if err := op.Call(ctx, "broadcast.make", in, &made, nil); err != nil {
			return err
		}
		if made.Waits {
			_, err := fmt.Fprintf(s.out, "Broadcast %s begins at %s by itself: kabar broadcast show %s --data %s\n", made.ID, moment(made.StartAt, ""), made.ID, c.Data)
			return err
		}
		if _, err := fmt.Fprintf(s.out, "Broadcast %s\n", made.ID); err != nil {
			return err
		}
		return watchBroadcast(ctx, op, s, made.ID, c.Data)
	})
}

func printEstimate(w io.Writer, e *engine.BroadcastEstimate) error {
	var s strings.Builder
	fmt.Fprintf(&s, "Recipients  %d\nCost        %s %s at most (%s)\n", e.Recipients, e.Total, e.Currency, e.Category)
	for _, market := range slices.Sorted(maps.Keys(e.Markets)) {
		fmt.Fprintf(&s, "  %-9s %s\n", orDash(market), e.Markets[market])
	}
	if n := e.OptedOut + e.NotOptedIn; n > 0 {
		fmt.Fprintf(&s, "Held back   %d: %d have opted out, %d have not opted in\n", n, e.OptedOut, e.NotOptedIn)
	}
	if !e.Covered {
		s.WriteString("The line of credit does not cover it: the broadcast will pause when it is used up.\n")
	}
	if e.OverTier > 0 {
		fmt.Fprintf(&s, "Over tier   %d are more than the account may reach in 24 hours: the broadcast will pause there\n", e.OverTier)
	}
	fmt.Fprintf(&s, "It takes    %s at least\n", time.Duration(e.Seconds)*time.Second)
	_, err := io.WriteString(w, s.String())
	return err
}

// confirmed asks a question; only yes is yes.
func confirmed(in io.Reader, out io.Writer, question string) bool {
	if _, err := fmt.Fprint(out, question, " [y/N] "); err != nil {
		return false
	}
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil { // there is nobody to ask
		_, _ = fmt.Fprintln(out, "\nThere is no terminal to answer on: give --yes.")
		return false
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes"
}

// watchEvery is how often the server is asked at most how far a broadcast is, and watchRow how much more seldom for each recipient: it counts
// all of them.
const (
	watchEvery = 500 * time.Millisecond
	watchRow   = 50 * time.Microsecond
)

// watchPause is how long to wait before the next question, where the answer to the last took so long.
func watchPause(took time.Duration, recipients int) time.Duration {
	return max(watchEvery, 2*took, time.Duration(recipients)*watchRow)
}

// watchBroadcast shows the progress of a broadcast until it stops, or whoever watches does.
func watchBroadcast(ctx context.Context, op *control.Client, s streams, id, data string) error {
	bar := newProgress(s.err)
	for {
		var b broadcastItem
		asked := time.Now()
		err := op.Call(ctx, "broadcast.show", namedBroadcast{id}, &b, nil)
		if ctx.Err() != nil {
			bar.end()
			_, err := fmt.Fprintf(s.out, "The broadcast goes on by itself: kabar broadcast show %s --watch --data %s\n", id, data)
			return err
		}
		if err != nil {
			bar.end()
			return err
		}
		bar.report(control.Progress{What: "messages", Done: int64(b.Recipients - b.Progress.Pending), Total: int64(b.Recipients)})
		if b.State != kabar.BroadcastScheduled && b.State != kabar.BroadcastRunning {
			bar.end()
			return b.print(s.out)
		}
		select {
		case <-time.After(watchPause(time.Since(asked), b.Recipients)):
		case <-ctx.Done():
		}
	}
}

func (p *parts) estimateBroadcast(ctx context.Context, in makeBroadcast, _ control.Report) (out engine.BroadcastEstimate, err error) {
	wanted, err := p.wantedBroadcast(in)
	if err != nil {
		return out, err
	}
	est, err := p.engine.Broadcasts().Estimate(ctx, wanted)
	if err != nil {
		return out, toldList(err)
	}
	return *est, nil
}

func (p *parts) makeBroadcast(ctx context.Context, in makeBroadcast, _ control.Report) (out madeBroadcast, err error) {
	wanted, err := p.wantedBroadcast(in)
	if err != nil {
		return out, err
	}
	made, err := p.engine.Broadcasts().Create(ctx, wanted)
	if err != nil {
		return out, toldList(err)
	}
	item, err := p.broadcastItem(made.Broadcast)
	return madeBroadcast{item.ID, item.StartAt, item.StartAt.After(item.Created)}, err
}

func (p *parts) wantedBroadcast(in makeBroadcast) (out engine.NewBroadcast, err error) {
	if _, err := p.broadcasts(); err != nil {
		return out, err
	}
	n, err := p.sender(in.Number)
	if err != nil {
		return out, err
	}
	if in.Text == "" {
		return out, control.Refuse("the file is empty: it begins with a header row, one column of which is %s", engine.ColumnTo)
	}
	return engine.NewBroadcast{Number: n.ID, Template: in.Template, Language: in.Language, Map: in.Map, Table: in.Text, StartAt: in.StartAt, PerSecond: in.PerSecond,
		By: kabar.ByOperator}, nil
}

// toldList names every fault of a list.
func toldList(err error) error {
	if faults, ok := errors.AsType[*engine.ListFaults](err); ok {
		return control.Refuse("nothing was sent:\n  %s", strings.Join(faults.Faults, "\n  "))
	}
	return told(err)
}
