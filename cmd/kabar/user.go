package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/control"
	"kabar/internal/store"
)

// userCmd manages users of the /v1 API.
type userCmd struct {
	Add      userAddCmd      `cmd:"" help:"Add a user of a number. The password is made up and printed once."`
	List     userListCmd     `cmd:"" help:"List the users: role, number, last login."`
	Password userPasswordCmd `cmd:"" help:"Give a user a new password, printed once; the next login must change it."`
	Remove   userRemoveCmd   `cmd:"" help:"Remove a user; tokens end at once."`
}

// Help is shown by kabar user --help.
func (*userCmd) Help() string {
	return `A user belongs to one number, logs in with POST /v1/users/login and gets a token for seven days. Programs that run for long are
better off with a key: kabar key add. The commands work on a running server, and on the store of one that is stopped; a
stopped one needs --master-key-file too.

Examples:
  kabar user list --data server
  kabar user add reports --data server
  kabar user add manager --admin --number 628111000200 --data server
  kabar user password admin --data server --master-key-file master.key
  kabar user remove reports --data server`
}

// userOperations are what the commands below ask for.
func userOperations(m *control.Mux, p *parts) {
	control.Handle(m, "user.add", recorded(p.db, "user.added", p.addUser))
	control.Handle(m, "user.list", p.listUsers)
	control.Handle(m, "user.password", recorded(p.db, "user.password", p.setPassword))
	control.Handle(m, "user.remove", recorded(p.db, "user.removed", p.removeUser))
}

type userAddCmd struct {
	storeFlags `embed:""`
	Name       string `arg:"" help:"Name of the user, unique on the server."`
	Number     string `help:"The number the user belongs to; may be left out when there is one." placeholder:"DIGITS" env:"-"`
	Admin      bool   `help:"Make the user an administrator." env:"-"`
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
		_, err := fmt.Fprintf(s.out, "Added %s (%s) for %s. Password, not shown again: %s\nThe first login must bring a new_password.\n",
			c.Name, added.Role, added.Number, added.Password)
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
	return out, told(p.auth.AddUser(ctx, auth.NewUser{Number: number, Name: in.Name, Password: out.Password, Role: out.Role, MustChange: true}))
}

type userListCmd struct {
	storeFlags `embed:""`
	listFlags  `embed:""`
	Number     string `help:"Only the users of this number." placeholder:"DIGITS" env:"-"`
}

type (
	listUsers struct {
		Number string `json:"number"` // empty: all
	}
	userItem struct {
		Name       string    `json:"name"`
		Role       string    `json:"role"`
		Number     string    `json:"number"`
		MustChange bool      `json:"must_change_password"`
		LastLogin  time.Time `json:"last_login,omitzero"` // of the tokens that are still valid
	}
)

// Run lists the users.
func (c *userListCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var all []userItem
		if err := op.Call(ctx, "user.list", listUsers{c.Number}, &all, nil); err != nil {
			return err
		}
		return c.print(s.out, all, "There are no users yet. Add one: kabar user add NAME --data "+c.Data, userHeader, userRows(all))
	})
}

const userHeader = "NAME|ROLE|NUMBER|MUST CHANGE PASSWORD|SIGNED IN"

func userRows(all []userItem) (rows [][]string) {
	for _, u := range all {
		rows = append(rows, []string{u.Name, u.Role, u.Number, yesNo(u.MustChange), moment(u.LastLogin, "no")})
	}
	return rows
}

func (p *parts) listUsers(ctx context.Context, in listUsers, _ control.Report) ([]userItem, error) {
	numbers, err := p.chosen(ctx, in.Number)
	if err != nil {
		return nil, err
	}
	all, err := p.db.Users(ctx)
	if err != nil {
		return nil, err
	}
	ends, err := p.db.LastEnds(ctx)
	if err != nil {
		return nil, err
	}
	items := []userItem{}
	for _, u := range all {
		digits, wanted := numbers[u.Number]
		if !wanted {
			continue
		}
		item := userItem{Name: u.Name, Role: u.Role, Number: digits, MustChange: u.MustChange}
		if end, ok := ends[u.ID]; ok {
			item.LastLogin = end.Add(-auth.TokenLife).UTC()
		}
		items = append(items, item)
	}
	return items, nil
}

// chosen returns the digits of the number that was named, or of all.
func (p *parts) chosen(ctx context.Context, digits string) (map[kabar.NumberID]string, error) {
	all, err := p.db.Numbers(ctx)
	if err != nil {
		return nil, err
	}
	if digits != "" {
		one, err := pickNumber(ctx, p.db, digits)
		if err != nil {
			return nil, err
		}
		all = []*kabar.Number{one}
	}
	chosen := map[kabar.NumberID]string{}
	for _, n := range all {
		chosen[n.ID] = n.Digits
	}
	return chosen, nil
}

// pickNumber finds a number by its digits, in any usual writing; none are needed when there is one number.
func pickNumber(ctx context.Context, db *store.DB, digits string) (*kabar.Number, error) {
	all, err := db.Numbers(ctx)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, control.Refuse("there is no number yet: kabar number add DIGITS")
	}
	if digits == "" && len(all) == 1 {
		return all[0], nil
	}
	wanted := plainDigits(digits)
	var known []string
	for _, n := range all {
		if n.Digits == wanted {
			return n, nil
		}
		known = append(known, n.Digits)
	}
	list := strings.Join(known, ", ")
	if digits == "" {
		return nil, control.Refuse("there are several numbers, say which one with --number: %s", list)
	}
	return nil, control.Refuse("%s is no number of this server; there are: %s", digits, list)
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
		_, err := fmt.Fprintf(s.out, "New password of %s, not shown again: %s\nTokens the user had have ended; the next login must bring a new_password.\n", c.Name, set.Password)
		return err
	})
}

func (p *parts) setPassword(ctx context.Context, in setPassword, _ control.Report) (newPassword, error) {
	out := newPassword{auth.RandomPassword()}
	return out, told(p.auth.SetPassword(ctx, in.Name, out.Password, true))
}

type userRemoveCmd struct {
	storeFlags `embed:""`
	Name       string `arg:"" help:"Name of the user."`
	Force      bool   `help:"Remove the last administrator of a number, too." env:"-"`
}

type removeUser struct {
	Name  string `json:"name"`
	Force bool   `json:"force"`
}

// Run removes a user.
func (c *userRemoveCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		if err := op.Call(ctx, "user.remove", removeUser{c.Name, c.Force}, nil, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "Removed %s; the user's tokens have ended.\n", c.Name)
		return err
	})
}

func (p *parts) removeUser(ctx context.Context, in removeUser, _ control.Report) (struct{}, error) {
	err := p.auth.RemoveUser(ctx, in.Name, in.Force)
	if refused, ok := errors.AsType[*kabar.Error](err); ok && refused.Reason == kabar.ReasonDenied {
		return struct{}{}, control.Refuse("%s: add another first (kabar user add NAME --admin --number DIGITS), or give --force", refused.Detail)
	}
	return struct{}{}, told(err)
}
