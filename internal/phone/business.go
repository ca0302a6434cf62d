package phone

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kabar"
	"kabar/internal/payload"
)

// blockAll blocks or unblocks every business the customer knows.
func (p *Phone) blockAll(ctx context.Context, t *tx, c *customer, blocked bool) error {
	businesses, err := p.known(ctx, t, c)
	if err != nil {
		return err
	}
	for _, business := range businesses {
		if err := t.block(c, business, blocked); err != nil {
			return err
		}
	}
	return nil
}

// known lists the businesses that a customer can have something to do with: those of the options and those of the chats.
func (p *Phone) known(ctx context.Context, q querier, c *customer) ([]string, error) {
	out := slices.Clone(p.opts.Businesses)
	chats, err := list[string](ctx, q, "SELECT business FROM chats WHERE customer = ? ORDER BY business", c.id)
	if err != nil {
		return nil, fmt.Errorf("list chats: %w", err)
	}
	for _, business := range chats {
		if !slices.Contains(out, business) {
			out = append(out, business)
		}
	}
	return out, nil
}

// Businesses lists the businesses that a customer can write to: the phone's own and those that have written.
func (p *Phone) Businesses(ctx context.Context, handle string) ([]string, error) {
	c, err := customerByHandle(ctx, p.db.Read, handle)
	if err != nil {
		return nil, err
	}
	return p.known(ctx, p.db.Read, c)
}

// block tells the business and remembers. Blocking twice says nothing new.
func (t *tx) block(c *customer, business string, blocked bool) error {
	ch, err := t.chat(c, business)
	if err != nil || ch.blocked == blocked {
		return err
	}
	ch.blocked, ch.changed = blocked, true
	return t.post(c, ch, posting{payload: &payload.Payload{Blocked: &payload.Blocked{Blocked: blocked}}})
}

// Block blocks or unblocks one business and tells it.
func (p *Phone) Block(ctx context.Context, handle, business string, blocked bool) error {
	return p.do(ctx, func(t *tx) error {
		c, business, err := p.parties(ctx, t, handle, business)
		if err != nil {
			return err
		}
		t.note(c, "")
		return t.block(c, business, blocked)
	})
}

// Report tells a business's operator that the customer finds it to be spam. It does not block.
func (p *Phone) Report(ctx context.Context, handle, business string) error {
	return p.do(ctx, func(t *tx) error {
		c, business, err := p.parties(ctx, t, handle, business)
		if err != nil {
			return err
		}
		ch, err := t.chat(c, business)
		if err != nil {
			return err
		}
		return t.post(c, ch, posting{payload: &payload.Payload{Reported: &payload.Reported{}}})
	})
}

// parties finds a customer and the business meant: the one named, or the phone's only one.
func (p *Phone) parties(ctx context.Context, q querier, handle, business string) (*customer, string, error) {
	c, err := customerByHandle(ctx, q, handle)
	if err != nil {
		return nil, "", err
	}
	business, err = p.target(business)
	return c, business, err
}

// target returns the business that to means.
func (p *Phone) target(to string) (string, error) {
	switch to = strings.TrimPrefix(to, "+"); {
	case to == "" && len(p.opts.Businesses) == 1:
		return p.opts.Businesses[0], nil
	case to == "":
		return "", refuse(CodeInvalid, `The phone knows %d businesses, so "to" is needed. Give the digits of the business's number.`, len(p.opts.Businesses))
	case !isNumber(to):
		return "", refuse(CodeInvalid, `"to" is %.40q, which is no phone number. Give the digits of the business's number.`, to)
	}
	return to, nil
}

// BusinessProfile returns what a business has told the customer about itself; the zero Profile if it has not yet.
func (p *Phone) BusinessProfile(ctx context.Context, handle, business string) (out kabar.Profile, err error) {
	c, business, err := p.parties(ctx, p.db.Read, handle, business)
	if err != nil {
		return out, err
	}
	var row string
	err = p.db.Read.QueryRowContext(ctx, "SELECT profile FROM chats WHERE customer = ? AND business = ?", c.id, business).Scan(&row)
	if errors.Is(err, sql.ErrNoRows) || err == nil && row == "" {
		return out, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(row), &out)
	}
	if err != nil {
		return out, fmt.Errorf("read profile: %w", err)
	}
	return out, nil
}
