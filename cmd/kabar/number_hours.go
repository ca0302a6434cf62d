package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/engine"
	"kabar/internal/store"
)

type numberHoursCmd struct {
	storeFlags `embed:""`
	Digits     string   `arg:"" optional:"" help:"The number; may be left out when there is one."`
	Timezone   string   `help:"Time zone of the hours, as of the tz database." placeholder:"Asia/Jakarta" env:"-"`
	Open       []string `help:"Days and times, such as mon-fri 09:00-12:00 13:00-17:00; may be repeated. They take the place of those before." sep:"none" placeholder:"DAYS TIMES" env:"-"`
	Away       *string  `help:"What who writes while the business is closed is answered, once until it opens again; empty: nothing." placeholder:"TEXT" env:"-"`
	None       bool     `help:"No longer say when the business is open." env:"-"`
}

// Help is shown by kabar number hours --help.
func (*numberHoursCmd) Help() string {
	return `Without flags it shows the hours, which customers see on the business's page. What goes on behind midnight is two times: fri
20:00-24:00 and sat 00:00-02:00.

Examples:
  kabar number hours 628111000201 --timezone Asia/Jakarta --open "mon-fri 09:00-17:00" --open "sat 10:00-14:00" --data server
  kabar number hours 628111000201 --away "We are back at nine." --data server
  kabar number hours 628111000201 --none --data server`
}

type (
	numberHours struct {
		Digits string       `json:"digits"`
		Hours  *kabar.Hours `json:"hours"`
		Zone   string       `json:"zone"` // of hours that stay
		Away   *string      `json:"away"`
		None   bool         `json:"none"`
	}
	shownHours struct {
		Hours *kabar.Hours `json:"hours"`
		Away  string       `json:"away"`
	}
)

// Run shows or changes hours.
func (c *numberHoursCmd) Run(ctx context.Context, s streams) error {
	in, op := numberHours{Digits: c.Digits, Zone: c.Timezone, Away: c.Away, None: c.None}, "number.hours"
	if len(c.Open) > 0 {
		days, err := readHours(c.Open)
		if err != nil {
			return &usageError{err}
		}
		in.Hours = &kabar.Hours{Timezone: c.Timezone, Days: days}
	}
	if in != (numberHours{Digits: c.Digits}) {
		op = "number.open"
	}
	return c.operate(ctx, func(client *control.Client) error {
		var out shownHours
		if err := client.Call(ctx, op, in, &out, nil); err != nil {
			return err
		}
		_, err := fmt.Fprint(s.out, out.text())
		return err
	})
}

// readHours reads "mon-fri 09:00-12:00 13:00-17:00".
func readHours(lines []string) (map[string][]kabar.Span, error) {
	days := map[string][]kabar.Span{}
	for _, line := range lines {
		words := strings.Fields(line)
		if len(words) < 2 {
			return nil, fmt.Errorf("--open %q: write days and times, such as mon-fri 09:00-17:00", line)
		}
		var spans []kabar.Span
		for _, word := range words[1:] {
			open, end, _ := strings.Cut(word, "-")
			var s kabar.Span
			if err := errors.Join(s.Open.UnmarshalText([]byte(open)), s.Close.UnmarshalText([]byte(end))); err != nil {
				return nil, fmt.Errorf("--open %q: write times such as 09:00-17:00, up to 24:00", line)
			}
			spans = append(spans, s)
		}
		from, to, several := strings.Cut(strings.ToLower(words[0]), "-")
		if !several {
			to = from
		}
		first, last := weekday(from), weekday(to)
		if first < 0 || last < 0 {
			return nil, fmt.Errorf("--open %q: write days such as mon, or mon-fri", line)
		}
		for i := first; ; i = (i + 1) % 7 {
			name := kabar.Weekdays()[i]
			days[name] = append(days[name], spans...)
			if i == last {
				break
			}
		}
	}
	return days, nil
}

// weekday finds a day by the first three letters of its name, or all of them; -1: it is none.
func weekday(name string) int {
	return slices.IndexFunc(kabar.Weekdays(), func(day string) bool { return name == day || name == day[:3] })
}

func (h *shownHours) text() string {
	if h.Hours == nil {
		return "It does not say when it is open: kabar number hours --timezone ZONE --open \"mon-fri 09:00-17:00\"\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Time zone  %s\n", h.Hours.Timezone)
	for i := range 7 {
		day := kabar.Weekdays()[(i+1)%7]
		var times []string
		for _, s := range h.Hours.Days[day] {
			times = append(times, s.Open.String()+"-"+s.Close.String())
		}
		fmt.Fprintf(&b, "%-9s  %s\n", day, orDash(strings.Join(times, " ")))
	}
	fmt.Fprintf(&b, "Away       %s\n", orDash(h.Away))
	return b.String()
}

func (p *parts) showHours(ctx context.Context, in numberHours, _ control.Report) (out shownHours, err error) {
	n, err := p.oneNumber(ctx, in.Digits)
	if err != nil {
		return out, err
	}
	n, s, err := p.db.Number(ctx, n.ID)
	if err != nil {
		return out, err
	}
	return shownHours{n.Profile.Hours, s.Away}, nil
}

// openNumber changes the hours of a number, through the running server when there is one.
func (p *parts) openNumber(ctx context.Context, in numberHours, report control.Report) (out shownHours, err error) {
	if out, err = p.showHours(ctx, in, report); err != nil {
		return out, err
	}
	n, err := p.oneNumber(ctx, in.Digits)
	if err != nil {
		return out, err
	}
	out = in.apply(out)
	if p.engine != nil {
		return out, told(p.engine.SetHours(ctx, n.ID, out.Hours, out.Away))
	}
	if err := engine.CheckHours(out.Hours, out.Away); err != nil {
		return out, told(err)
	}
	return out, p.db.Write(ctx, nil, func(tx *store.Tx) error {
		n, s, err := tx.Number(n.ID)
		if err != nil {
			return err
		}
		n.Profile.Hours, s.Away = out.Hours, out.Away
		n.ProfileVersion++
		return tx.SaveNumber(n, s)
	})
}

// apply returns what becomes of hours; what is not named stays.
func (in *numberHours) apply(was shownHours) shownHours {
	next := was
	switch {
	case in.None:
		return shownHours{}
	case in.Hours != nil:
		h := *in.Hours
		if h.Timezone == "" && was.Hours != nil {
			h.Timezone = was.Hours.Timezone
		}
		next.Hours = &h
	case in.Zone != "" && was.Hours != nil:
		next.Hours = &kabar.Hours{Timezone: in.Zone, Days: was.Hours.Days}
	}
	if in.Away != nil {
		next.Away = *in.Away
	}
	return next
}
