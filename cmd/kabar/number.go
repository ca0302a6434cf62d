package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/control"
	"kabar/internal/engine"
	"kabar/internal/manage"
)

// numberCmd manages the numbers of a server.
type numberCmd struct {
	Add    numberAddCmd    `cmd:"" help:"Add a number with its administrator, whose password is printed once."`
	List   numberListCmd   `cmd:"" help:"List the numbers and whether they are connected."`
	Show   numberShowCmd   `cmd:"" help:"Show a number: profile, users, keys, webhook, connection."`
	Invite numberInviteCmd `cmd:"" help:"Give a number another invite of its relay, in the place of one that has expired or was used."`
	Limits numberLimitsCmd `cmd:"" help:"Show or change how fast a number may send, and how many customers it may write to first."`
	Hours  numberHoursCmd  `cmd:"" help:"Show or change when a business is open, and what it answers while it is not."`
	Name   numberNameCmd   `cmd:"" help:"Show what a number is called, judge the name that it asks for, or give it one."`
	Verify numberVerifyCmd `cmd:"" help:"Prove to the relay that the number is ours, with the code its operator has."`
}

// Help is shown by kabar number --help.
func (*numberCmd) Help() string {
	return `A server has any number of numbers. Each has users, keys, settings and a webhook of its own, and sees nothing of the others. The
commands work on a running server, which connects a new number at once, and on the store of one that is stopped; a stopped
one needs --master-key-file too. Verifying needs the server running.

Examples:
  kabar number list --data server
  kabar number add 628111000201 --name "Toko Dua" --invite-file invite --data server
  kabar number add +62-811-1000-202 --name "Toko Tiga" --account "Toko Dua" --data server
  kabar number verify 628111000201 123456 --data server
  kabar number invite 628111000201 --invite-file another --data server
  kabar number limits 628111000201 --tier 2k --data server
  kabar number show 628111000201 --data server`
}

// numberOperations are what the commands below ask for.
func numberOperations(m *control.Mux, p *parts) {
	control.Handle(m, "number.add", recorded(p.db, "number.added", p.addNumber))
	control.Handle(m, "number.list", p.listNumbers)
	control.Handle(m, "number.limits", p.numberLimits)
	control.Handle(m, "number.hours", p.showHours)
	control.Handle(m, "number.open", recorded(p.db, "number.hours", p.openNumber))
	control.Handle(m, "number.limit", recorded(p.db, "number.limited", p.limitNumber))
	control.Handle(m, "number.show", p.showNumber)
	control.Handle(m, "number.name", p.nameNumber)
	control.Handle(m, "number.named", recorded(p.db, "number.named", p.nameNumber))
	control.Handle(m, "number.invite", recorded(p.db, "number.invited", p.inviteNumber))
	control.Handle(m, "number.verify", recorded(p.db, "number.verified", p.verifyNumber))
}

type numberAddCmd struct {
	storeFlags  `embed:""`
	Digits      string `arg:"" help:"The number with its country code."`
	Name        string `help:"The business's name as customers see it." default:"My business" placeholder:"NAME" env:"-"`
	Account     string `help:"The account it joins, by name or id, to share its templates; without it the number gets an account of its own." placeholder:"NAME|ID" env:"-"`
	inviteFlags `embed:""`
}

type (
	addNumber struct {
		Digits  string         `json:"digits"`
		Name    string         `json:"name"`
		Account string         `json:"account"` // empty: a new one
		Invite  string         `json:"invite"`
		Profile *kabar.Profile `json:"profile,omitempty"` // its name is Name; nil: nothing but that
	}
	addedNumber struct {
		Digits   string `json:"digits"`
		Account  string `json:"account"`
		User     string `json:"user"`
		Password string `json:"password"`
		Running  bool   `json:"running"`           // the server runs
		Problem  string `json:"problem,omitempty"` // why it could not be connected at once
	}
)

// Run adds a number.
func (c *numberAddCmd) Run(ctx context.Context, s streams) error {
	invite, err := c.read()
	if err != nil {
		return &usageError{err}
	}
	return c.operate(ctx, func(op *control.Client) error {
		var added addedNumber
		if err := op.Call(ctx, "number.add", addNumber{Digits: c.Digits, Name: c.Name, Account: c.Account, Invite: invite}, &added, nil); err != nil {
			return err
		}
		_, err := fmt.Fprint(s.out, added.text(c.Data, invite != ""))
		return err
	})
}

// text says what was done, and what comes next.
func (a *addedNumber) text(data string, invited bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Added %s to the account %q. Its administrator is %s, the password %s\n", a.Digits, a.Account, a.User, a.Password)
	b.WriteString("It is not shown again, and the first login must bring a new_password.\n")
	switch {
	case a.Problem != "":
		fmt.Fprintf(&b, "It could not be connected: %s\nStart the server again; the number itself is kept.\n", a.Problem)
	case a.Running:
		b.WriteString("The server connects it now.\n")
	default:
		b.WriteString("It is connected when the server starts.\n")
	}
	if invited && a.Problem == "" {
		fmt.Fprintf(&b, "Next: the relay's operator reads its verification code (kabar relay codes); then kabar number verify %s CODE --data %s\n", a.Digits, data)
	}
	fmt.Fprintf(&b, "How it is: kabar number show %s --data %s\n", a.Digits, data)
	return b.String()
}

// addNumber adds a number with its administrator. What a crash has cut short is completed: a number without users is not
// there yet.
func (p *parts) addNumber(ctx context.Context, in addNumber, _ control.Report) (out addedNumber, err error) {
	out = addedNumber{Digits: plainDigits(in.Digits), Password: auth.RandomPassword(), Running: p.attach != nil}
	if out.Digits == "" {
		return out, control.Refuse("%q is no phone number: give its digits with the country code, such as 628111000200", in.Digits)
	}
	if err := checkBusinessName(in.Name); err != nil {
		return out, err
	}
	var profile kabar.Profile
	if in.Profile != nil {
		profile = *in.Profile
	}
	profile.Name = in.Name
	if err := profile.Validate(); err != nil {
		return out, told(err)
	}
	account, err := p.account(ctx, in.Account, in.Name)
	if err != nil {
		return out, err
	}
	numbers, err := p.db.Numbers(ctx)
	if err != nil {
		return out, err
	}
	if out.User = "admin"; len(numbers) > 0 && numbers[0].Digits != out.Digits {
		out.User += "-" + out.Digits
	}
	i := slices.IndexFunc(numbers, func(n *kabar.Number) bool { return n.Digits == out.Digits })
	n := &kabar.Number{}
	if i >= 0 {
		n = numbers[i]
	}
	if err := p.mayAdd(ctx, n, out.User); err != nil {
		return out, err
	}
	ctx = context.WithoutCancel(ctx) // from here on it is done to the end, whether or not somebody waits for it
	if i < 0 {
		if n, err = engine.AddNumber(ctx, p.db, engine.NewNumber{Account: account, Digits: out.Digits, Profile: profile, Limits: p.limits}, time.Now()); err != nil {
			return out, fmt.Errorf("add the number: %w", err)
		}
	}
	if err := p.complete(ctx, n, in.Invite, out.User, out.Password); err != nil {
		return out, err
	}
	names, err := p.accounts(ctx)
	out.Account = names[n.Account]
	if p.attach != nil {
		err = errors.Join(err, p.attach(ctx, n))
	}
	if err != nil {
		out.Problem = err.Error() // the password must be shown all the same
	}
	return out, nil
}

// mayAdd refuses a number that is complete, and one whose administrator's name somebody else has. A new number has no id.
func (p *parts) mayAdd(ctx context.Context, n *kabar.Number, admin string) error {
	users, err := p.db.Users(ctx)
	if err != nil {
		return err
	}
	for _, u := range users {
		if u.Number == n.ID {
			return control.Refuse("%s is on this server already: kabar number show %s. A password that was lost: kabar user password %s",
				n.Digits, n.Digits, admin)
		}
	}
	for _, u := range users {
		if u.Name == admin {
			return control.Refuse("the number's administrator would be %q, and there is a user of this name: kabar user remove %s", admin, admin)
		}
	}
	return nil
}

// complete gives a number its invite and its administrator.
func (p *parts) complete(ctx context.Context, n *kabar.Number, invite, admin, password string) error {
	if invite != "" {
		if err := keepInvite(ctx, p.db, n, invite); err != nil {
			return err
		}
	}
	err := p.auth.AddUser(ctx, auth.NewUser{Number: n, Name: admin, Password: password, Role: auth.RoleAdmin, MustChange: true})
	if err != nil {
		return fmt.Errorf("add the administrator: %w", err)
	}
	return nil
}

// account finds the account that was named, or describes a new one, if it is given a name for that.
func (p *parts) account(ctx context.Context, wanted, name string) (*kabar.Account, error) {
	if wanted == "" {
		return &kabar.Account{Name: name}, nil
	}
	all, err := p.db.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	var found []*kabar.Account
	var known []string
	for _, a := range all {
		id := manage.AccountID(p.db, a.ID)
		if a.Name == wanted || id == wanted {
			found = append(found, a)
		}
		known = append(known, id+"  "+a.Name)
	}
	list := strings.Join(known, "\n  ")
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return nil, control.Refuse("several accounts are called %q: name one by its id. There are:\n  %s", wanted, list)
	}
	hint := ""
	if name != "" {
		hint = "; leave --account out to make a new one"
	}
	return nil, control.Refuse("there is no account %q%s. There are:\n  %s", wanted, hint, list)
}

// plainDigits reads a number in any usual writing; empty if it is none.
func plainDigits(number string) string {
	c, err := engine.ParseRecipient(number)
	if err != nil {
		return ""
	}
	return c.WaID
}

const maxBusinessName = 128

func checkBusinessName(name string) error {
	unreadable := strings.ContainsRune(name, utf8.RuneError) // what was no UTF-8
	if unreadable || strings.TrimSpace(name) == "" || utf8.RuneCountInString(name) > maxBusinessName || strings.ContainsFunc(name, unicode.IsControl) {
		return control.Refuse("--name: want 1 to %d characters on one line", maxBusinessName)
	}
	return nil
}
