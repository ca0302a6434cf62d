package main

import (
	"context"
	"strconv"

	"kabar"
	"kabar/internal/control"
)

type accountRetentionCmd struct {
	storeFlags  `embed:""`
	listFlags   `embed:""`
	accountFlag `embed:""`
	Messages    string `help:"Days that messages are kept; 0 without end, default as the numbers' settings have it." placeholder:"DAYS" env:"-"`
	Media       string `help:"Days that media are kept after they were last sent or fetched." placeholder:"DAYS" env:"-"`
	Events      string `help:"Days that events are kept, whether webhooks have been told of them or not." placeholder:"DAYS" env:"-"`
	Answers     string `help:"Days that answers to requests with an idempotency key are kept." placeholder:"DAYS" env:"-"`
	Broadcasts  string `help:"Days that broadcasts, with their lists, are kept after they have ended." placeholder:"DAYS" env:"-"`
}

// Help is shown by kabar account retention --help.
func (*accountRetentionCmd) Help() string {
	return `Without flags it shows for how many days the account keeps things. What is too old is removed once a day, oldest first. "default" takes a
class back to what the settings of each number and the server say: messages and events 30 days unless a number keeps them, media as
long as a number does not collect them, answers 24 hours, broadcasts as long as messages. A message that waits to be sent stays, whatever its age.

Examples:
  kabar account retention --data server
  kabar account retention --messages 365 --media 90 --data server
  kabar account retention --messages default --data server`
}

// accountRetention is what is to be changed: days, or "default"; empty: nothing.
type accountRetention struct{ Account, Messages, Media, Events, Answers, Broadcasts string }

// Run shows or changes for how long an account keeps things.
func (c *accountRetentionCmd) Run(ctx context.Context, s streams) error {
	in := accountRetention{c.Account, c.Messages, c.Media, c.Events, c.Answers, c.Broadcasts}
	name := "account.retention"
	if in != (accountRetention{Account: c.Account}) {
		name = "account.retain"
	}
	return c.operate(ctx, func(op *control.Client) error {
		var kept kabar.Retention
		if err := op.Call(ctx, name, in, &kept, nil); err != nil {
			return err
		}
		rows := [][]string{{"messages", shownDays(kept.Messages)}, {"media", shownDays(kept.Media)}, {"events", shownDays(kept.Events)}, {"answers", shownDays(kept.Answers)},
			{"broadcasts", shownDays(kept.Broadcasts)}}
		return c.print(s.out, kept, "", "WHAT|DAYS", rows)
	})
}

func shownDays(days *int) string {
	switch {
	case days == nil:
		return "default"
	case *days == 0:
		return "without end"
	}
	return strconv.Itoa(*days)
}

// accountRetention shows or changes for how long an account keeps things.
func (p *parts) accountRetention(ctx context.Context, in accountRetention, _ control.Report) (kept kabar.Retention, err error) {
	account, err := p.oneAccount(ctx, in.Account)
	if err != nil {
		return kept, err
	}
	b, err := p.business(ctx)
	if err != nil {
		return kept, err
	}
	if in == (accountRetention{Account: in.Account}) {
		return b.Retention(ctx, account.ID)
	}
	kept, err = b.ChangeRetention(ctx, account.ID, in.apply)
	return kept, told(err)
}

func (in *accountRetention) apply(to *kabar.Retention) error {
	for _, of := range []struct {
		flag, days string
		to         **int
	}{{"messages", in.Messages, &to.Messages}, {"media", in.Media, &to.Media}, {"events", in.Events, &to.Events}, {"answers", in.Answers, &to.Answers},
		{"broadcasts", in.Broadcasts, &to.Broadcasts}} {
		switch of.days {
		case "":
			continue
		case "default":
			*of.to = nil
			continue
		}
		n, err := strconv.Atoi(of.days)
		if err != nil {
			return kabar.Refuse(kabar.ReasonInvalid, of.flag, "is %q, it must be a number of days, 0 to keep without end, or default", of.days)
		}
		*of.to = &n
	}
	return nil
}
