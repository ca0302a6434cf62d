package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"kabar/internal/forward"
)

// triggerCmd makes something happen on the embedded network.
type triggerCmd struct {
	Name     string `arg:"" optional:"" help:"What happens; without it they are listed."`
	Data     string `help:"Data folder of the kabar dev that runs." default:"kabar-data" type:"path" env:"-"`
	Customer string `help:"Who does it, or whom it happens to; the first customer unless it is given." placeholder:"WA_ID" env:"-"`
	Text     string `help:"What a customer writes, in inbound.text." default:"Hello from kabar trigger" env:"-"`
	JSON     bool   `name:"json" help:"Print the event's object alone, in one line." env:"-"`
}

// Help is shown by kabar trigger --help.
func (*triggerCmd) Help() string {
	return `Makes the real thing happen: a phone of kabar dev writes, end-to-end encrypted, or the business sends and a phone confirms. So an application
gets the very webhook that it would get in production, and the messages are there to be looked at. The command waits for the event and
prints it. Side effects are real, too: a customer who writes opens the 24-hour window.

Examples:
  kabar trigger
  kabar trigger inbound.text --text "Do you have oat milk?"
  kabar trigger status.failed
  kabar trigger template.rejected --json`
}

// triggerTime bounds the wait for an event.
const triggerTime = 30 * time.Second

// Run makes it happen, and prints the event.
func (c *triggerCmd) Run(ctx context.Context, s streams) error {
	if c.Name == "" {
		return listTriggers(s.out)
	}
	do, err := triggerNamed(c.Name)
	if err != nil {
		return &usageError{err}
	}
	st, err := c.stage(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, triggerTime)
	defer cancel()
	if err := st.watch(ctx); err != nil {
		return denied(err)
	}
	e, err := do(ctx, st)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("nothing came in %s: is the customer switched off, or the number disconnected? kabar status --data %s/server", triggerTime, c.Data)
	}
	if err != nil {
		return err
	}
	return c.print(s.out, e)
}

func (c *triggerCmd) print(w io.Writer, e *forward.Entry) error {
	if c.JSON {
		_, err := fmt.Fprintf(w, "%s\n", e.Body)
		return err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, e.Body, "", "  "); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%s\n%s\n", e.Line(), b.Bytes())
	return err
}

// listTriggers tells what there is.
func listTriggers(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, tr := range triggers() {
		fmt.Fprintf(t, "%s\t%s\n", tr.name, tr.what)
	}
	fmt.Fprintln(t, "\nkabar trigger NAME makes it happen on the kabar dev that runs, and prints the event.")
	return t.Flush()
}
