package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"kabar/internal/phone"
)

// announce waits until everything answers and then tells the person, and the file.
func (d *dev) announce(ctx context.Context, s streams) error {
	for _, c := range devCustomers() {
		if err := d.ensureCustomer(ctx, c); err != nil {
			return err
		}
	}
	if err := d.settle(ctx); err != nil {
		return err
	}
	r, err := d.ready(ctx)
	if err != nil {
		return err
	}
	if d.cmd.ReadyFile != "" {
		if err := r.write(d.cmd.ReadyFile); err != nil {
			return err
		}
	}
	d.welcome(s.out, r)
	if d.cmd.Open {
		openBrowser(ctx, r.Phone)
	}
	return d.tellCodes(ctx, s.out)
}

// ensureCustomer makes one of the first customers, unless the phones have customers already.
func (d *dev) ensureCustomer(ctx context.Context, c phone.NewCustomer) error {
	_, err := d.phone.Create(ctx, c)
	var refused *phone.Error
	if errors.As(err, &refused) && refused.Code == phone.CodeConflict {
		return nil
	}
	return err
}

// settlePause is how often settle looks.
const settlePause = 20 * time.Millisecond

// settle waits until the number is connected, and the first customers can be reached through it.
func (d *dev) settle(ctx context.Context) error {
	for !d.reachable(ctx) {
		select {
		case <-time.After(settlePause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// reachable asks the relay, as the server does. A customer who was switched off before the first connection stays unknown,
// and is not waited for.
func (d *dev) reachable(ctx context.Context) bool {
	n := d.server.first().ID
	if up, _ := d.server.engine.Link(n); !up {
		return false
	}
	customers, err := d.phone.Customers(ctx)
	if err != nil {
		return false
	}
	var first []string
	for _, c := range customers[:min(len(devCustomers()), len(customers))] {
		if c.Online {
			first = append(first, c.WaID)
		}
	}
	known, err := d.server.engine.Known(ctx, n, first)
	return err == nil && !slices.Contains(known, false)
}
