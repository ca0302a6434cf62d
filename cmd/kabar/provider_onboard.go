package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"kabar"
	"kabar/internal/control"
)

type providerOnboardCmd struct {
	storeFlags `embed:""`
	File       string `arg:"" help:"YAML: name, currency, timezone, verified, credit, numbers, templates and keys of a client." type:"path"`
}

// Help is shown by kabar provider onboard --help.
func (*providerOnboardCmd) Help() string {
	return `Makes what the file describes, one thing after another: the account, its line of credit, its numbers with their administrators, its
templates, its keys. Passwords and keys are printed once. What is there already is left as it is, so that a run that was cut short is
run again; the credit alone becomes what the file says. The file is read whole, with all that it names, and each of its mistakes named,
before anything is made. Two runs at once go one after the other.

  name: Toko Sinar
  timezone: Asia/Jakarta
  verified: true
  credit: "250.00"
  numbers:
    - number: "628111000300"
      profile: {about: Bread and cake, address: Jl. Melati 5, vertical: Food and Grocery}
  templates: [greeting.json]
  keys:
    - {label: shop, role: developer}
    - {label: till, scopes: [messages], number: "628111000300"}

Example:
  kabar provider onboard toko-sinar.yaml --data server`
}

// Run onboards a client.
func (c *providerOnboardCmd) Run(ctx context.Context, s streams) error {
	file, err := readClient(c.File)
	if err != nil {
		return &usageError{err}
	}
	return c.operate(ctx, func(op *control.Client) error {
		o := &onboarding{op: op, file: file, streams: s}
		return inTurn(ctx, op, o.run)
	})
}

// inTurn does what must not be done twice at once on a server: it waits until nobody else does. The program that runs gives the turn to
// the next one when this call of it ends, as it does when the command is killed.
func inTurn(ctx context.Context, op *control.Client, do func(context.Context) error) error {
	hold, release := context.WithCancel(context.WithoutCancel(ctx)) // who is interrupted keeps the turn to the end
	begun, ended := make(chan struct{}), make(chan struct{})
	var held error // how the call ended: of interest to who never had the turn
	go func() {
		defer close(ended)
		held = op.Call(hold, "provider.turn", nothing{}, nil, func(control.Progress) { close(begun) })
	}()
	select {
	case <-ended:
		release()
		return held
	case <-ctx.Done():
		release()
		<-ended
		return ctx.Err()
	case <-begun:
	}
	err := do(ctx)
	release()
	<-ended
	return err
}

// takeTurns gives each caller the turn for as long as its call lasts, one after another.
func takeTurns() func(context.Context, nothing, control.Report) (nothing, error) {
	turn := make(chan struct{}, 1)
	return func(ctx context.Context, _ nothing, report control.Report) (nothing, error) {
		select {
		case turn <- struct{}{}:
			report(control.Progress{What: "turn"})
			<-ctx.Done()
			<-turn
		case <-ctx.Done():
		}
		return nothing{}, ctx.Err()
	}
}

func (o *onboarding) run(ctx context.Context) error {
	if err := o.mayHave(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{o.account, o.verify, o.credit, o.numbers, o.templates, o.keys, o.state} {
		if err := step(ctx); err != nil && !o.said {
			return err
		} else if err != nil {
			return fmt.Errorf("%w\nWhat is listed above is made. Run the command again when the cause is mended: it goes on there", err)
		}
	}
	return nil
}

// onboarding is one run.
type onboarding struct {
	streams
	op   *control.Client
	file *clientFile
	acc  accountItem

	there []string // numbers of the server
	said  bool     // something is listed
}

func (o *onboarding) say(format string, args ...any) {
	o.said = true
	fmt.Fprintf(o.out, format+"\n", args...)
}

// mayHave refuses, before anything is made, what is somebody else's: it names all of it.
func (o *onboarding) mayHave(ctx context.Context) error {
	faults, err := o.findAccount(ctx)
	if err != nil {
		return err
	}
	var all []numberItem
	if err := o.op.Call(ctx, "number.list", nothing{}, &all, nil); err != nil {
		return err
	}
	ours := map[string]bool{}
	for _, n := range o.file.Numbers {
		ours[n.digits] = true
	}
	for _, there := range all {
		o.there = append(o.there, there.Digits)
		if there.Account == o.file.Name {
			ours[there.Digits] = true
		} else if ours[there.Digits] {
			faults = append(faults, fmt.Sprintf("the number %s belongs to the account %q", there.Digits, there.Account))
		}
	}
	for i, k := range o.file.Keys {
		if k.digits != "" && !ours[k.digits] {
			faults = append(faults, fmt.Sprintf("keys[%d]: the number %s is not among those of the file, and none of the client's", i, k.digits))
		}
	}
	if len(faults) > 0 {
		return control.Refuse("nothing was made:\n  %s", strings.Join(faults, "\n  "))
	}
	return nil
}

// findAccount finds the client's account by its name, and says why it cannot be that.
func (o *onboarding) findAccount(ctx context.Context) (faults []string, err error) {
	var all []accountItem
	if err := o.op.Call(ctx, "account.list", listAccount{}, &all, nil); err != nil {
		return nil, err
	}
	f := o.file
	for _, a := range all {
		switch {
		case a.Name != f.Name:
			continue
		case o.acc.ID != "":
			faults = append(faults, fmt.Sprintf("there are two accounts called %q, and a client is known by its name: rename one with PATCH /kabar/v1/accounts/{waba_id}", f.Name))
		case !a.Client || a.Currency != f.Currency || a.Timezone != f.Timezone:
			faults = append(faults, fmt.Sprintf("there is an account %q (%s) already, in %s and %s, client: %s. Give the client another name, or what that account has",
				a.Name, a.ID, a.Currency, a.Timezone, yesNo(a.Client)))
		}
		o.acc = a
	}
	return faults, nil
}

// account adds the client's account, unless it is there.
func (o *onboarding) account(ctx context.Context) error {
	f := o.file
	if o.acc.ID != "" {
		o.say("Account    %s (%s) is there", f.Name, o.acc.ID)
		return nil
	}
	err := o.op.Call(ctx, "account.add", addAccount{Name: f.Name, Currency: f.Currency, Timezone: f.Timezone, Client: true}, &o.acc, nil)
	if err == nil {
		o.say("Account    %s (%s), billed in %s by the days of %s", f.Name, o.acc.ID, f.Currency, f.Timezone)
	}
	return err
}

// verify says that the client is who it says, if the file does.
func (o *onboarding) verify(ctx context.Context) error {
	if !o.file.Verified {
		return nil
	}
	if o.acc.Verification != kabar.Verified {
		in := verifyAccount{o.acc.ID, kabar.Ruling{Decision: kabar.RuleApprove}}
		if err := o.op.Call(ctx, "account.verify", in, &o.acc, nil); err != nil {
			return err
		}
	}
	o.say("Business   %s is verified", o.file.Name)
	return nil
}

// credit draws the line, unless it is so already.
func (o *onboarding) credit(ctx context.Context) error {
	if o.file.Credit == "" {
		return nil
	}
	limit, err := kabar.ParseMoney(o.file.Credit)
	if err != nil {
		return err
	}
	if o.acc.Limit == nil || *o.acc.Limit != limit {
		if err := o.op.Call(ctx, "account.credit", accountCredit{o.acc.ID, o.file.Credit}, &o.acc, nil); err != nil {
			return err
		}
	}
	o.say("Credit     %s %s, of which %s is available", limit, o.acc.Currency, o.acc.available())
	return nil
}

// numbers adds the numbers that are not there.
func (o *onboarding) numbers(ctx context.Context) error {
	for i := range o.file.Numbers {
		n := &o.file.Numbers[i]
		if slices.Contains(o.there, n.digits) {
			o.say("Number     %s is there", n.digits)
			continue
		}
		var added addedNumber
		if err := o.op.Call(ctx, "number.add", addNumber{Digits: n.digits, Name: n.Name, Account: o.acc.ID, Invite: n.invite, Profile: n.profile()}, &added, nil); err != nil {
			return err
		}
		o.say("Number     %s. Not shown again: its administrator in /v1 is %s, the password %s, to be changed at the first login", n.digits, added.User, added.Password)
		if added.Problem != "" {
			o.say("           It could not be connected: %s\n           Start the server again; the number itself is kept.", added.Problem)
		}
	}
	return nil
}

// templates imports what is in the files and not there already: what review and customers have made of a template since stays.
func (o *onboarding) templates(ctx context.Context) error {
	for _, text := range o.file.texts {
		var out importedTemplates
		if err := o.op.Call(ctx, "template.import", importTemplates{Account: o.acc.ID, Text: text, Keep: true}, &out, nil); err != nil {
			return err
		}
		for _, t := range out.Items {
			o.say("Template   %s %s is %s", t.Name, t.Language, t.Change)
		}
	}
	return nil
}

// keys makes the keys of whose label there is none.
func (o *onboarding) keys(ctx context.Context) error {
	var all []keyItem
	if err := o.op.Call(ctx, "key.list", listKeys{}, &all, nil); err != nil {
		return err
	}
	ours := map[string]bool{allOf(o.file.Name): true}
	for _, n := range o.file.Numbers {
		ours[n.digits] = true
	}
	for _, k := range o.file.Keys {
		ours[k.digits] = true // of the client, as was seen before
	}
	for _, k := range o.file.Keys {
		there := slices.ContainsFunc(all, func(x keyItem) bool { return x.Label == k.Label && ours[x.Number] && x.Revoked.IsZero() })
		if there {
			o.say("Key        %s is there; a lost key is revoked (kabar key revoke) and made anew", k.Label)
			continue
		}
		in := addKey{Number: k.digits, Account: o.acc.ID, Role: k.Role, Scopes: k.Scopes, Label: k.Label}
		var added addedKey
		if err := o.op.Call(ctx, "key.add", in, &added, nil); err != nil {
			return err
		}
		o.say("Key        %s, %s of %s. Not shown again: %s", k.Label, added.Item.may("scopes "), added.Item.Number, added.Key)
	}
	return nil
}

// state says of each number whether it can send, and what is next if it cannot.
func (o *onboarding) state(ctx context.Context) error {
	states, err := o.connected(ctx)
	for i := range o.file.Numbers {
		n := &o.file.Numbers[i]
		switch state := states[n.digits]; {
		case state == "connected":
			o.say("Ready      %s is connected: it can send", n.digits)
		case state == "stopped":
			o.say("Next       the server does not run: start it, and %s connects", n.digits)
		default:
			o.say("Next       %s: %s", n.digits, state)
		}
	}
	return err
}

// connected gives the numbers a moment to connect, and returns how each is.
func (o *onboarding) connected(ctx context.Context) (map[string]string, error) {
	for patience := 20; ; patience-- {
		var all []numberItem
		if err := o.op.Call(ctx, "number.list", nothing{}, &all, nil); err != nil {
			return nil, err
		}
		states, waiting := map[string]string{}, false
		for _, n := range all {
			states[n.Digits] = n.State
			waiting = waiting || n.Account == o.file.Name && n.State == "connecting"
		}
		if !waiting || patience == 0 {
			return states, nil
		}
		select {
		case <-time.After(250 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
