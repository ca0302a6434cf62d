package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/store"
)

// inviteFlags are the two ways to give an invite.
type inviteFlags struct {
	Invite     string `help:"Invite of a private relay, with which the number registers there." placeholder:"kri_…" secret:"" env:"-"`
	InviteFile string `help:"File with the invite." type:"path" placeholder:"FILE" env:"-"`
}

// read returns the invite; empty if none was given.
func (f *inviteFlags) read() (string, error) {
	return secret("invite", f.Invite, f.InviteFile)
}

type numberInviteCmd struct {
	storeFlags  `embed:""`
	inviteFlags `embed:""`
	Digits      string `arg:"" help:"The number."`
}

type (
	inviteNumber struct {
		Digits string `json:"digits"`
		Invite string `json:"invite"`
	}
	invitedNumber struct {
		Digits  string `json:"digits"`
		Running bool   `json:"running"` // the server runs
	}
)

// Run keeps another invite of a number.
func (c *numberInviteCmd) Run(ctx context.Context, s streams) error {
	invite, err := c.read()
	if err == nil && invite == "" {
		err = errors.New("give the invite with --invite-file or --invite; the relay's operator makes one: kabar relay invite")
	}
	if err != nil {
		return &usageError{err}
	}
	return c.operate(ctx, func(op *control.Client) error {
		var invited invitedNumber
		if err := op.Call(ctx, "number.invite", inviteNumber{c.Digits, invite}, &invited, nil); err != nil {
			return err
		}
		next := "It is used when the server starts."
		if invited.Running {
			next = "The server uses it within half a minute; then the relay's operator has the verification code: kabar relay codes."
		}
		_, err := fmt.Fprintf(s.out, "The invite of %s is kept. %s\n", invited.Digits, next)
		return err
	})
}

func (p *parts) inviteNumber(ctx context.Context, in inviteNumber, _ control.Report) (out invitedNumber, err error) {
	n, err := pickNumber(ctx, p.db, in.Digits)
	if err != nil {
		return out, err
	}
	return invitedNumber{n.Digits, p.attach != nil}, keepInvite(ctx, p.db, n, in.Invite)
}

// keepInvite keeps the invite of a number, which its driver takes at the next dial.
func keepInvite(ctx context.Context, db *store.DB, n *kabar.Number, invite string) error {
	if err := db.Write(ctx, nil, func(tx *store.Tx) error { return tx.SetInvite(n.ID, invite) }); err != nil {
		return fmt.Errorf("keep the invite: %w", err)
	}
	return nil
}

type numberVerifyCmd struct {
	storeFlags `embed:""`
	Digits     string `arg:"" help:"The number."`
	Code       string `arg:"" help:"The verification code that the relay's operator has: kabar relay codes."`
}

type verifyNumber struct {
	Digits string `json:"digits"`
	Code   string `json:"code"`
}

// Run verifies a number.
func (c *numberVerifyCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		if err := op.Call(ctx, "number.verify", verifyNumber{c.Digits, c.Code}, nil, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "%s is verified. How it is: kabar number show %s --data %s\n", c.Digits, c.Digits, c.Data)
		return err
	})
}

func (p *parts) verifyNumber(ctx context.Context, in verifyNumber, _ control.Report) (struct{}, error) {
	n, err := pickNumber(ctx, p.db, in.Digits)
	if err != nil {
		return struct{}{}, err
	}
	if p.verify == nil {
		return struct{}{}, control.Refuse("the server is stopped, and only a running one talks to the relay: start kabar serve, then verify again")
	}
	return struct{}{}, told(p.verify(ctx, n, strings.TrimSpace(in.Code)))
}
