package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kabar/internal/auth"
	"kabar/internal/control"
)

// consoleCmd is about the console of a running server.
type consoleCmd struct {
	Link consoleLinkCmd `cmd:"" default:"withargs" help:"Print a link that signs in once, within ten minutes."`
}

type consoleLinkCmd struct {
	Data    string   `help:"Folder of the server." required:"" type:"path"`
	Account string   `help:"Only this account, by name or id; without it the whole server." placeholder:"NAME|ID" env:"-"`
	Role    string   `help:"What the session may do, by a name: owner, admin, developer, agent, marketer, reviewer or auditor." placeholder:"ROLE" xor:"may" env:"-"`
	Scopes  []string `help:"What the session may do: read (see templates), review (judge them), templates (write and edit them). All of it unless said." placeholder:"SCOPE,…" xor:"may" env:"-"`
}

// Help is shown by kabar console link --help.
func (*consoleLinkCmd) Help() string {
	return `There is no password: whoever can run this command on the server's machine can sign in. A session ends after 30 minutes without
use, after 12 hours, by signing out, and when the server stops.

  kabar console link --data server
  kabar console link --account 'Kabar Coffee' --role marketer --data server
  kabar console link --scopes read --data server`
}

type (
	consoleLink struct {
		Account string   `json:"account"`
		Role    string   `json:"role"` // or
		Scopes  []string `json:"scopes"`
	}
	consoleAddress struct {
		URL string `json:"url"`
	}
)

// Run asks the running server for a link.
func (c *consoleLinkCmd) Run(ctx context.Context, s streams) error {
	op, err := control.Dial(ctx, c.Data)
	if errors.Is(err, control.ErrNotRunning) {
		return fmt.Errorf("no server runs on %s, and sessions live in a running one: kabar serve prints a link when it starts", c.Data)
	}
	if err != nil {
		return err
	}
	var out consoleAddress
	if err := op.Call(ctx, "console.link", consoleLink{c.Account, c.Role, c.Scopes}, &out, nil); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, out.URL)
	return err
}

// consoleScopes are what a session of the console can be allowed.
func consoleScopes() []string {
	return []string{auth.ScopeRead, auth.ScopeReview, auth.ScopeTemplates, auth.ScopeWebhooks}
}

// operatorSession is a session of the operator.
func operatorSession() auth.Who { return auth.Who{Scopes: consoleScopes()} }

func (s *server) consoleLink(ctx context.Context, in consoleLink, _ control.Report) (out consoleAddress, err error) {
	who := operatorSession()
	if len(in.Scopes) > 0 {
		who.Scopes = in.Scopes
	}
	for _, scope := range in.Scopes {
		if !slices.Contains(consoleScopes(), scope) && scope != auth.ScopeManagement { // which includes writing templates
			return out, control.Refuse("the console has no scope %q, only %s", scope, strings.Join(consoleScopes(), ", "))
		}
	}
	if in.Role != "" {
		role, err := auth.RoleNamed(in.Role)
		if err != nil {
			return out, told(err)
		}
		who.Team, who.Scopes = role.Name, role.Scopes
	}
	if in.Account != "" {
		account, err := (&parts{db: s.db}).oneAccount(ctx, in.Account)
		if err != nil {
			return out, err
		}
		who.Account = account.ID
	}
	return consoleAddress{s.api() + s.console.NewLink(time.Now(), who)}, nil
}
