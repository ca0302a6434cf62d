package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kabar/internal/control"
	"kabar/internal/relayserver"
	"kabar/internal/vname"
)

// relayInviteOperations are what the commands below ask for.
func relayInviteOperations(m *control.Mux, r *relayserver.Server) {
	control.Handle(m, "relay.invite", func(ctx context.Context, in relayserver.NewInvite, _ control.Report) (out madeInvite, err error) {
		out.Secret, out.Invite, err = r.Invite(ctx, in)
		return out, refused(err)
	})
	control.Handle(m, "relay.revoke", func(ctx context.Context, in revokeThis, _ control.Report) (relayserver.Revoked, error) {
		out, err := r.Revoke(ctx, in.What, in.Customers)
		return out, refused(err)
	})
}

type (
	// madeInvite is the one answer that has the text of an invite.
	madeInvite struct {
		Secret string `json:"secret"`
		relayserver.Invite
		Cert string `json:"cert,omitempty"` // a certificate with the invite, if a name was given
	}
	revokeThis struct {
		What      string `json:"what"`
		Customers bool   `json:"customers"`
	}
)

// print says what has been made. What is to be done next stands behind it.
func (m *madeInvite) print(w io.Writer) {
	whom := "one business number"
	switch {
	case m.Customers > 0:
		whom = "one phone program with up to " + customers(m.Customers)
	case m.Number != "":
		whom = "the business number " + m.Number
	}
	fmt.Fprintf(w, "%s admits %s, once, until %s. It is not shown again:\n\n  %s\n\n", m.ID, whom, moment(m.Expires, ""), m.Secret)
	if m.Cert != "" {
		fmt.Fprintf(w, "The same as a certificate, the \"cert\" of POST /v1/account:\n\n  %s\n\n", m.Cert)
	}
}

// certFlag makes an invite a certificate as well.
type certFlag struct {
	Name string `help:"The business's name: makes a certificate too, the \"cert\" of POST /v1/account, which holds name and invite. --out writes it in the invite's place." placeholder:"NAME" env:"-"`
}

// checkName refuses a name that no certificate may have.
func (f *certFlag) checkName() error {
	if f.Name == "" {
		return nil
	}
	_, err := vname.Decode(vname.Certificate{Name: f.Name}.Encode())
	if err != nil || strings.ContainsRune(f.Name, '\uFFFD') { // which stands for what was no UTF-8
		return &usageError{fmt.Errorf("--name: want at most %d characters of UTF-8 on one line", vname.MaxName)}
	}
	return nil
}

// certify adds the certificate to an invite.
func (f *certFlag) certify(m *madeInvite) {
	if f.Name != "" {
		m.Cert = vname.Certificate{Name: f.Name, Invite: m.Secret}.Encode()
	}
}

var errNoTime = &usageError{errors.New("--expires 0: want some time, such as 48h")}

func customers(n int) string {
	if n == 1 {
		return "1 customer"
	}
	return fmt.Sprintf("%d customers", n)
}

// outFlag sends an invite into a file instead of to the terminal.
type outFlag struct {
	Out string `help:"New file for the invite, which is not printed then." type:"path" placeholder:"FILE" env:"-"`
}

// check refuses a file that is there, before an invite is made that nobody would have.
func (f *outFlag) check() error {
	if f.Out == "" {
		return nil
	}
	if _, err := os.Lstat(f.Out); err == nil {
		return &usageError{fmt.Errorf("--out %s: the file is there already, and is not overwritten", f.Out)}
	}
	if _, err := os.Stat(filepath.Dir(f.Out)); err != nil {
		return &usageError{fmt.Errorf("--out: %w", err)}
	}
	return nil
}

// hand gives an invite to whoever has asked for it: as a file, as JSON, or to be read. Only then is somebody told of it, who wants to
// know how to go on.
func (f *outFlag) hand(w io.Writer, made *madeInvite, asJSON bool) (told bool, err error) {
	switch {
	case f.Out != "":
		return false, f.write(w, made)
	case asJSON:
		return false, printJSON(w, *made)
	}
	made.print(w)
	return true, nil
}

// write makes the file, for its owner only.
func (f *outFlag) write(w io.Writer, made *madeInvite) error {
	out, err := os.OpenFile(f.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(out, cmp.Or(made.Cert, made.Secret))
		err = errors.Join(err, out.Close())
	}
	if err != nil {
		return fmt.Errorf("--out: %w\nThe invite %[2]s was made, and nobody has it: kabar relay revoke %[2]s", err, made.ID)
	}
	_, err = fmt.Fprintf(w, "%s is in %s.\n", made.ID, f.Out)
	return err
}

// relayInitCmd makes the folder of a private network.
type relayInitCmd struct {
	relayFlags `embed:""`
	Number     string `help:"The only number the first invite admits." placeholder:"DIGITS" env:"-"`
	certFlag   `embed:""`
	outFlag    `embed:""`
	Expires    duration `help:"How long the first invite can be used." default:"7d" placeholder:"DURATION" env:"-"`
}

// Help is shown by kabar relay init --help.
func (*relayInitCmd) Help() string {
	return `Makes the data folder of a relay that admits by invite, and the first invite, for a business number.

Examples:
  kabar relay init --data relay
  kabar relay init --data relay --number 628111000200 --expires 48h`
}

// Run makes it, unless it is there.
func (c *relayInitCmd) Run(ctx context.Context, s streams) (err error) {
	there, err := c.there()
	if err != nil {
		return err
	}
	if there {
		return &usageError{fmt.Errorf("--data %s: there is a relay here already: kabar relay invite makes another invite", c.Data)}
	}
	if c.Expires == 0 {
		return errNoTime
	}
	if err := cmp.Or(c.check(), c.checkName()); err != nil {
		return err
	}
	if c.Number != "" && plainDigits(c.Number) != c.Number {
		return &usageError{fmt.Errorf("--number %q: want digits with the country code, such as 628111000200", c.Number)}
	}
	if err := claim(c.Data, "relay"); err != nil {
		return err
	}
	r, err := relayserver.Open(ctx, relayserver.Options{Dir: c.Data})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	var made madeInvite
	in := relayserver.NewInvite{Number: c.Number, Life: time.Duration(c.Expires)}
	if err := control.Local(relayOperations(r)).Call(ctx, "relay.invite", in, &made, nil); err != nil {
		return err
	}
	c.certify(&made)
	if told, err := c.hand(s.out, &made, c.JSON); !told {
		return err
	}
	number := made.Number
	if number == "" {
		number = "DIGITS"
	}
	_, err = fmt.Fprintf(s.out, `Next:
  kabar relay --data %[1]s
  kabar serve --relay ws://127.0.0.1:9092 --invite %[2]s --number %[3]s --data server --master-key-file master.key
  kabar relay codes --data %[1]s                          # shows the number's verification code, for:
  kabar number verify %[3]s CODE --data server
  kabar relay invite --host --customers 20 --data %[1]s   # for kabar phone
`, c.Data, made.Secret, number)
	return err
}

// relayInviteCmd makes an invite.
type relayInviteCmd struct {
	relayFlags `embed:""`
	Number     string `help:"The only number the invite admits." placeholder:"DIGITS" xor:"kind" env:"-"`
	Host       bool   `help:"Admit a phone program instead of a business." env:"-"`
	Customers  int    `help:"With --host: how many customers the program may have at a time." placeholder:"N" xor:"kind" env:"-"`
	certFlag   `embed:""`
	outFlag    `embed:""`
	Expires    duration `help:"How long the invite can be used." default:"7d" placeholder:"DURATION" env:"-"`
}

// Help is shown by kabar relay invite --help.
func (*relayInviteCmd) Help() string {
	return `An invite is used once: by one business number, which has to be verified by the code that kabar relay codes shows, or by one phone
program, whose customers need no codes. It is printed here and kept nowhere. With --name a certificate is printed too: the one text a
client of the API needs, as "cert" of POST /v1/account.

Examples:
  kabar relay invite --data relay
  kabar relay invite --number 628111000200 --expires 48h --data relay
  kabar relay invite --number 628111000200 --name "Kabar Coffee" --data relay
  kabar relay invite --host --customers 20 --data relay`
}

// Run makes it.
func (c *relayInviteCmd) Run(ctx context.Context, s streams) error {
	switch {
	case c.Host && c.Customers < 1:
		return &usageError{errors.New("--host: say how many customers the phone program may have, with --customers")}
	case c.Host && c.Name != "":
		return &usageError{errors.New("--name is for a business: phone programs have no certificates")}
	case !c.Host && c.Customers != 0:
		return &usageError{errors.New("--customers is for phone programs: give --host, too")}
	case c.Expires == 0:
		return errNoTime
	}
	if err := cmp.Or(c.check(), c.checkName()); err != nil {
		return err
	}
	return c.operate(ctx, func(op *control.Client) error {
		var made madeInvite
		in := relayserver.NewInvite{Customers: c.Customers, Number: c.Number, Life: time.Duration(c.Expires)}
		if err := op.Call(ctx, "relay.invite", in, &made, nil); err != nil {
			return err
		}
		c.certify(&made)
		if told, err := c.hand(s.out, &made, c.JSON); !told {
			return err
		}
		program := "kabar serve"
		if c.Host {
			program = "kabar phone"
		}
		_, err := fmt.Fprintf(s.out, "Give it to %s with --invite, or in a file with --invite-file.\n", program)
		return err
	})
}

// relayRevokeCmd takes something away.
type relayRevokeCmd struct {
	relayFlags    `embed:""`
	What          string `arg:"" help:"An account, or the id of an invite, as kabar relay accounts and kabar relay invites list them." placeholder:"ACCOUNT|INVITE-ID"`
	WithCustomers bool   `help:"With the invite of a phone program: revoke the customers it has admitted, too." env:"-"`
}

// Help is shown by kabar relay revoke --help.
func (*relayRevokeCmd) Help() string {
	return `A revoked account is disconnected and cannot log in. Nobody can write to it or look it up, and what waits for it goes back as not
delivered. Only an invite that is made later brings it back, as a new account with new keys: so this is also the way for a number
whose data folder is lost. A revoked invite admits nobody any more; the customers a phone program already has stay, unless
--with-customers takes them away as well.

Examples:
  kabar relay revoke 34600111222 --data relay
  kabar relay revoke inv-3 --with-customers --data relay`
}

// Run revokes.
func (c *relayRevokeCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var gone relayserver.Revoked
		if err := op.Call(ctx, "relay.revoke", revokeThis{c.What, c.WithCustomers}, &gone, nil); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s.out, gone)
		}
		if gone.Invite != "" {
			fmt.Fprintf(s.out, "Revoked %s: it admits nobody any more.\n", gone.Invite)
		}
		for _, a := range gone.Accounts {
			fmt.Fprintf(s.out, "Revoked %s. A new invite brings it back.\n", a)
		}
		return nil
	})
}
