package main

import (
	"context"
	"strconv"

	"kabar"
	"kabar/internal/control"
)

type broadcastShowCmd struct {
	storeFlags `embed:""`
	listFlags  `embed:""`
	ID         string `arg:"" help:"The broadcast's id."`
	Failed     bool   `help:"List the recipients who have failed, and why." env:"-"`
	Watch      bool   `help:"Show the progress until the broadcast stops." env:"-"`
}

type (
	failedOfBroadcast struct {
		ID    string `json:"id"`
		After int    `json:"after"`
	}
	failedRecipient struct {
		Row   int    `json:"row"` // which recipient of the list, from 1
		To    string `json:"to"`
		State string `json:"state"`
		Error string `json:"error"`
	}
)

// Run shows a broadcast.
func (c *broadcastShowCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		if c.Watch {
			return watchBroadcast(ctx, op, s, c.ID, c.Data)
		}
		if c.Failed {
			return c.failed(ctx, op, s)
		}
		var b broadcastItem
		if err := op.Call(ctx, "broadcast.show", namedBroadcast{c.ID}, &b, nil); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s.out, b)
		}
		return b.print(s.out)
	})
}

func (c *broadcastShowCmd) failed(ctx context.Context, op *control.Client, s streams) error {
	all := []failedRecipient{}
	for after := 0; ; {
		var page []failedRecipient
		if err := op.Call(ctx, "broadcast.failed", failedOfBroadcast{c.ID, after}, &page, nil); err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		all, after = append(all, page...), page[len(page)-1].Row
	}
	rows := make([][]string, len(all))
	for i, r := range all {
		rows[i] = []string{strconv.Itoa(r.Row), r.To, r.Error}
	}
	return c.print(s.out, all, "Nobody has failed.", "ROW|TO|WHY", rows)
}

type broadcastFlags struct {
	storeFlags `embed:""`
	ID         string `arg:"" help:"The broadcast's id."`
}

// act has an action executed, and shows what has become of the broadcast.
func (f *broadcastFlags) act(ctx context.Context, s streams, a kabar.BroadcastAction) error {
	return f.operate(ctx, func(op *control.Client) error {
		var b broadcastItem
		if err := op.Call(ctx, "broadcast."+string(a), namedBroadcast{f.ID}, &b, nil); err != nil {
			return err
		}
		return b.print(s.out)
	})
}

type (
	broadcastPauseCmd  struct{ broadcastFlags }
	broadcastResumeCmd struct{ broadcastFlags }
	broadcastCancelCmd struct{ broadcastFlags }
	broadcastRetryCmd  struct{ broadcastFlags }
)

// Run pauses.
func (c *broadcastPauseCmd) Run(ctx context.Context, s streams) error {
	return c.act(ctx, s, kabar.BroadcastPause)
}

// Run resumes.
func (c *broadcastResumeCmd) Run(ctx context.Context, s streams) error {
	return c.act(ctx, s, kabar.BroadcastResume)
}

// Run cancels.
func (c *broadcastCancelCmd) Run(ctx context.Context, s streams) error {
	return c.act(ctx, s, kabar.BroadcastCancel)
}

// Run gives those who have failed another turn.
func (c *broadcastRetryCmd) Run(ctx context.Context, s streams) error {
	return c.act(ctx, s, kabar.BroadcastRetry)
}
