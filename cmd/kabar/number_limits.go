package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/engine"
	"kabar/internal/store"
)

type numberLimitsCmd struct {
	storeFlags `embed:""`
	listFlags  `embed:""`
	Digits     string `arg:"" optional:"" help:"The number; may be left out when there is one."`
	Throughput string `help:"Messages a second, those of customers included: 80, 1000 or off." placeholder:"N|off" env:"-"`
	PairRate   string `help:"One message to a customer in 6 seconds, up to 45 of them ahead of time: on or off." enum:"on,off," default:"" placeholder:"on|off" env:"-"`
	Tier       string `help:"Customers that may be written to in 24 hours outside their windows: 250, 2k, 10k, 100k, unlimited or off." placeholder:"N|unlimited|off" env:"-"`
}

// Help is shown by kabar number limits --help.
func (*numberLimitsCmd) Help() string {
	return `Without flags it shows the limits. What is changed holds at once. A number that is added to a server begins with 80 messages a second
and 250 customers; the tier rises by itself as the number is used, and so does the throughput of one without limit.

Examples:
  kabar number limits 628111000201 --data server
  kabar number limits 628111000201 --throughput 1000 --tier unlimited --data server
  kabar number limits 628111000201 --throughput off --pair-rate off --tier off --data server`
}

// limitNumber is what is to be changed; what is empty stays.
type limitNumber struct {
	Digits     string `json:"digits"`
	Throughput string `json:"throughput"`
	PairRate   string `json:"pair_rate"`
	Tier       string `json:"tier"`
}

// Run shows or changes limits.
func (c *numberLimitsCmd) Run(ctx context.Context, s streams) error {
	in, op := limitNumber{c.Digits, c.Throughput, c.PairRate, c.Tier}, "number.limit"
	if in == (limitNumber{Digits: c.Digits}) {
		op = "number.limits"
	}
	return c.operate(ctx, func(client *control.Client) error {
		var l kabar.Limits
		if err := client.Call(ctx, op, in, &l, nil); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s.out, shownLimits{int(l.Throughput), l.PairRate, l.Tier.String()})
		}
		_, err := fmt.Fprint(s.out, limitsText(l))
		return err
	})
}

// shownLimits are limits in the words of the management API.
type shownLimits struct {
	Throughput int    `json:"throughput"`
	PairRate   bool   `json:"pair_rate"`
	Tier       string `json:"tier"`
}

func limitsText(l kabar.Limits) string {
	var b strings.Builder
	throughput, pair, tier := "off", "off", "off"
	if l.Throughput != 0 {
		throughput = fmt.Sprintf("%s messages a second", l.Throughput)
	}
	if l.PairRate {
		pair = fmt.Sprintf("one message to a customer in %s, up to %d ahead of time", kabar.PairEvery, kabar.PairBurst)
	}
	if l.Tier != 0 {
		tier = fmt.Sprintf("%s customers in 24 hours outside their windows", l.Tier)
	}
	fmt.Fprintf(&b, "Throughput  %s\nPair rate   %s\nTier        %s\n", throughput, pair, tier)
	return b.String()
}

func (p *parts) numberLimits(ctx context.Context, in limitNumber, _ control.Report) (kabar.Limits, error) {
	n, err := p.oneNumber(ctx, in.Digits)
	if err != nil {
		return kabar.Limits{}, err
	}
	_, s, err := p.db.Number(ctx, n.ID)
	return s.Limits, err
}

// limitNumber changes the limits of a number, through the running server when there is one.
func (p *parts) limitNumber(ctx context.Context, in limitNumber, _ control.Report) (out kabar.Limits, err error) {
	n, err := p.oneNumber(ctx, in.Digits)
	if err != nil {
		return out, err
	}
	if p.engine != nil {
		out, err = p.engine.ChangeLimits(ctx, n.ID, in.apply)
		return out, told(err)
	}
	err = p.db.Write(ctx, nil, func(tx *store.Tx) error {
		_, s, err := engine.WriteLimits(tx, n.ID, time.Now(), in.apply)
		out = s.Limits
		return err
	})
	return out, told(err)
}

func (in *limitNumber) apply(l *kabar.Limits) (err error) {
	if in.Throughput != "" {
		if l.Throughput, err = kabar.ParseThroughput(in.Throughput); err != nil {
			return err
		}
	}
	if in.Tier != "" {
		if l.Tier, err = kabar.ParseTier(in.Tier); err != nil {
			return err
		}
	}
	if in.PairRate != "" {
		l.PairRate = in.PairRate == "on"
	}
	return nil
}
