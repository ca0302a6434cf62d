package main

import (
	"context"
	"fmt"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/control"
	"kabar/internal/store"
)

// userCmd manages users of the /v1 API.
type userCmd struct {
	Add      userAddCmd      `cmd:"" help:"Add a user of a number. The password is made up and printed once."`
	Password userPasswordCmd `cmd:"" help:"Give a user a new password, printed once; the next login must change it."`
}

// Help is shown by kabar user --help.
func (*userCmd) Help() string {
	return `The commands work on a running server, and on the store of one that is stopped; a stopped one needs --master-key-file too.

Examples:
  kabar user add reports --data server
  kabar user add manager --admin --number 628111000200 --data server
  kabar user password admin --data server --master-key-file master.key`
}

// userOperations are what the commands below ask for.
func userOperations(m *control.Mux, p *parts) {
	control.Handle(m, "user.add", p.addUser)
	control.Handle(m, "user.password", p.setPassword)
}

type userAddCmd struct {
	storeFlags `embed:""`
	Name       string `arg:"" help:"Name of the user, unique on the server."`
	Number     string `help:"The number the user belongs to; may be left out when there is one." placeholder:"DIGITS"`
	Admin      bool   `help:"Make the user an administrator."`
}

type (
	addUser struct {
		Name   string `json:"name"`
		Number string `json:"number"`
		Admin  bool   `json:"admin"`
	}
	addedUser struct {
		Role     string `json:"role"`
		Number   string `json:"number"`
		Password string `json:"password"`
	}
)

// Run adds a user.
func (c *userAddCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var added addedUser
		if err := op.Call(ctx, "user.add", addUser{c.Name, c.Number, c.Admin}, &added, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "Added %s (%s) for %s. Password, not shown again: %s\n", c.Name, added.Role, added.Number, added.Password)
		return err
	})
}

func (p *parts) addUser(ctx context.Context, in addUser, _ control.Report) (out addedUser, err error) {
	number, err := pickNumber(ctx, p.db, in.Number)
	if err != nil {
		return out, err
	}
	out = addedUser{Role: auth.RoleUser, Number: number.Digits, Password: auth.RandomPassword()}
	if in.Admin {
		out.Role = auth.RoleAdmin
	}
	return out, p.auth.AddUser(ctx, auth.NewUser{Number: number, Name: in.Name, Password: out.Password, Role: out.Role, MustChange: true})
}

func pickNumber(ctx context.Context, db *store.DB, digits string) (*kabar.Number, error) {
	all, err := db.Numbers(ctx)
	if err != nil {
		return nil, err
	}
	if digits == "" && len(all) == 1 {
		return all[0], nil
	}
	var known []string
	for _, n := range all {
		if n.Digits == digits {
			return n, nil
		}
		known = append(known, n.Digits)
	}
	return nil, control.Refuse("--number %q: the store has %v", digits, known)
}

type userPasswordCmd struct {
	storeFlags `embed:""`
	Name       string `arg:"" help:"Name of the user."`
}

type (
	setPassword struct {
		Name string `json:"name"`
	}
	newPassword struct {
		Password string `json:"password"`
	}
)

// Run sets a password.
func (c *userPasswordCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var set newPassword
		if err := op.Call(ctx, "user.password", setPassword{c.Name}, &set, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "New password of %s, not shown again: %s\n", c.Name, set.Password)
		return err
	})
}

func (p *parts) setPassword(ctx context.Context, in setPassword, _ control.Report) (newPassword, error) {
	out := newPassword{auth.RandomPassword()}
	return out, p.auth.SetPassword(ctx, in.Name, out.Password, true)
}
