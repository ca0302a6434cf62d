package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"kabar/internal/control"
	"kabar/internal/dossier"
)

type customerExportCmd struct {
	storeFlags  `embed:""`
	accountFlag `embed:""`
	Customer    string `arg:"" help:"The customer: phone number or business-scoped id."`
	Out         string `help:"The new file for the archive, a ZIP." required:"" placeholder:"FILE.zip" type:"path" env:"-"`
}

// Help is shown by kabar customer export --help.
func (*customerExportCmd) Help() string {
	return `The archive has the customer's conversations with all numbers of the account, messages both ways with their statuses, charges and media,
windows, identity and consent, and a README that explains each file. It is not encrypted: who has the file reads it. A running server
writes it itself, as its own user.

Examples:
  kabar customer export 34600111222 --out ana.zip --data server`
}

type (
	exportCustomer struct {
		ofCustomer
		Out string `json:"out"`
	}
	exportedCustomer struct {
		Messages int   `json:"messages"`
		Media    int   `json:"media"`
		Bytes    int64 `json:"bytes"`
	}
)

// Run exports a customer.
func (c *customerExportCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		bar := newProgress(s.err)
		var out exportedCustomer
		err := op.Call(ctx, "customer.export", exportCustomer{ofCustomer{c.Account, c.Customer}, c.Out}, &out, bar.report)
		bar.end()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "%s: %d messages, %d media, %s. It is not encrypted.\n", c.Out, out.Messages, out.Media, amount(out.Bytes, "B"))
		return err
	})
}

func (p *parts) exportCustomer(ctx context.Context, in exportCustomer, report control.Report) (out exportedCustomer, err error) {
	account, handle, err := p.customer(ctx, in.ofCustomer)
	if err != nil {
		return out, err
	}
	x := dossier.New(dossier.Options{Store: p.db, Media: p.media, Trace: newTracer(p.db), Now: p.now()})
	found, err := x.Find(ctx, account.ID, handle)
	if err != nil {
		return out, told(err)
	}
	f, err := os.OpenFile(in.Out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return out, control.Refuse("%s is there already: choose another file", in.Out)
	case errors.Is(err, fs.ErrPermission):
		return out, fmt.Errorf("%w\nThe server writes the archive, as its own user and where its unit lets it: choose a folder there", err)
	case err != nil:
		return out, err
	}
	err = x.Write(ctx, f, found, func(d dossier.Done) {
		out.Messages, out.Media = d.Messages, d.Media
		report(control.Progress{What: "messages and media", Done: int64(d.Messages + d.Media)})
	})
	info, statErr := f.Stat()
	if err = errors.Join(err, statErr, f.Sync(), f.Close()); err != nil {
		return out, errors.Join(err, os.Remove(in.Out)) // a part must not be taken for the whole
	}
	out.Bytes = info.Size()
	return out, nil
}

// now is the product's clock: that of the running server.
func (p *parts) now() func() time.Time {
	if p.engine != nil {
		return p.engine.Now
	}
	return time.Now
}
