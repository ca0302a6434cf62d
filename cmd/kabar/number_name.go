package main

import (
	"context"
	"fmt"
	"io"

	"kabar"
	"kabar/internal/control"
)

type numberNameCmd struct {
	storeFlags  `embed:""`
	listFlags   `embed:""`
	Digits      string `arg:"" optional:"" help:"The number; may be left out when there is one."`
	Set         string `help:"Call it so from now on; nobody reviews that." placeholder:"NAME" xor:"ruling" env:"-"`
	Approve     bool   `help:"Approve the name that is asked for." xor:"ruling" env:"-"`
	Reason      string `help:"Why it is rejected: NAME_EMPLOYEE_ISSUE, NAME_INDIVIDUAL_ISSUE, NAME_ENDCLIENT_NOTRELATED, NAME_FORMAT_UNACCEPTABLE or NAME_NOT_CONSISTENT." env:"-"`
	rulingFlags `embed:""`
}

// Help is shown by kabar number name --help.
func (*numberNameCmd) Help() string {
	return `Without flags it shows what customers see a number called, and which other name it has asked for. Whether a name waits for somebody
says the account's policy (kabar template policy). Customers see the old name until the new one is approved; a number that was added
through the Cloud API sends nothing before its first name is.

Examples:
  kabar number name 628111000201 --data server
  kabar number name 628111000201 --approve --data server
  kabar number name 628111000201 --reject --reason NAME_NOT_CONSISTENT --note "Use the name on your sign." --data server
  kabar number name 628111000201 --set "Toko Dua" --data server`
}

// nameNumber is what is to become of a name; without anything it is shown.
type nameNumber struct {
	Digits string        `json:"digits"`
	Set    string        `json:"set,omitempty"`
	Ruling *kabar.Ruling `json:"ruling,omitempty"`
}

// numberName is how far a number's names are.
type numberName struct {
	Digits string           `json:"digits"`
	Name   string           `json:"name"`
	Status kabar.NameStatus `json:"name_status"`
	New    string           `json:"new_display_name,omitempty"`
	Next   kabar.NameStatus `json:"new_name_status"`
	Reason kabar.NameReason `json:"rejection_reason,omitempty"`
	Note   string           `json:"note,omitempty"`
}

// Run shows, gives or judges a name.
func (c *numberNameCmd) Run(ctx context.Context, s streams) error {
	in, op := nameNumber{Digits: c.Digits, Set: c.Set}, "number.name"
	if c.Approve || c.Reject || c.Defer {
		r := c.ruling()
		r.Reason = kabar.NameReason(c.Reason)
		in.Ruling = &r
	}
	if c.Set != "" || in.Ruling != nil {
		op = "number.named"
	}
	return c.operate(ctx, func(client *control.Client) error {
		var out numberName
		if err := client.Call(ctx, op, in, &out, nil); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s.out, out)
		}
		return out.print(s.out)
	})
}

func (n *numberName) print(w io.Writer) error {
	rows := [][2]string{{n.Name, string(n.Status)}}
	if n.New != "" {
		rows = append(rows, [2]string{n.New, string(n.Next)})
	}
	last := &rows[len(rows)-1]
	for _, more := range []string{string(n.Reason), n.Note} {
		if more != "" {
			last[1] += ", " + more
		}
	}
	for _, r := range rows {
		if _, err := fmt.Fprintf(w, "%s: %s\n", r[0], r[1]); err != nil {
			return err
		}
	}
	return nil
}

// nameNumber does what is asked for, and shows what has become of it.
func (p *parts) nameNumber(ctx context.Context, in nameNumber, _ control.Report) (out numberName, err error) {
	one, err := p.oneNumber(ctx, in.Digits)
	if err != nil {
		return out, err
	}
	switch {
	case in.Set != "":
		err = p.reviews().SetName(ctx, one.ID, in.Set, byOperator)
	case in.Ruling != nil:
		err = p.reviews().JudgeName(ctx, one.ID, *in.Ruling, byOperator)
	}
	if err != nil {
		return out, told(err)
	}
	n, g, err := p.reviews().Naming(ctx, one.ID)
	if err != nil {
		return out, told(err)
	}
	return numberName{n.Digits, n.Profile.Name, g.Current(), g.Wanted, g.New(), g.Reason, g.Note}, nil
}
