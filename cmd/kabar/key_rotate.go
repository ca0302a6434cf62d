package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"kabar/internal/control"
	"kabar/internal/filelock"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

// keyRotateCmd replaces the master key.
type keyRotateCmd struct {
	storeFlags       `embed:""`
	NewMasterKeyFile string `name:"new-master-key-file" help:"File with the new key, made with kabar key master: when the present one is a credential or in the environment." type:"path" placeholder:"FILE" env:"-"`
}

// Help is shown by kabar key rotate --help.
func (*keyRotateCmd) Help() string {
	return `Puts the store under a new master key, while the server runs or when it is stopped. What is encrypted stays as it is: only the keys
beneath the master key are wrapped anew, in one step, so it takes a moment. Killed in between, the store has the one key or the
other, and the next start, or the same command again, finishes the exchange of the files.

With --master-key-file the new key is made, and takes the place of the file; the earlier key stays beside it as
FILE.previous-KEY, because backups that were made before need it. A key in another place is replaced by hand: make the new
file with kabar key master, name it with --new-master-key-file, and put it into that place before the next start. The command
runs as the user who runs the server, which has to read the new file.

Examples:
  kabar key rotate --data server --master-key-file master.key
  kabar key rotate --data server --new-master-key-file new.key`
}

// rotateOperation is what the command below asks for.
func rotateOperation(m *control.Mux, p *parts) {
	control.Handle(m, "key.rotate", recorded(p.db, "masterkey.rotated", p.rotateKey))
}

type (
	rotateKey struct {
		Current string `json:"current"` // ID of the key that whoever asks takes for the present one; empty: not known
		File    string `json:"file"`    // with the new key
		KMS     string `json:"kms"`     // what unwraps it; empty: nothing has to
	}
	rotatedKey struct {
		From string `json:"from"`
		To   string `json:"to"`
	}
)

// Run rotates.
func (c *keyRotateCmd) Run(ctx context.Context, s streams) error {
	if c.NewMasterKeyFile == "" && c.MasterKeyFile == "" {
		return &usageError{errors.New("give --master-key-file, which is replaced, or --new-master-key-file for a key that is in another place")}
	}
	if c.NewMasterKeyFile != "" {
		return c.operate(ctx, func(op *control.Client) error { return c.toGiven(ctx, op, s.out) })
	}
	return c.alone(func() error {
		before, err := c.load(ctx)
		if err != nil {
			return err
		}
		return c.operate(ctx, func(op *control.Client) error { return c.toNext(ctx, op, s.out, before.ID()) })
	})
}

// toGiven rotates to a key that its owner puts into place.
func (c *keyRotateCmd) toGiven(ctx context.Context, op *control.Client, out io.Writer) error {
	var done rotatedKey
	if err := op.Call(ctx, "key.rotate", rotateKey{File: c.NewMasterKeyFile}, &done, nil); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "The store is under the master key %s now, and was under %s.\n"+
		"Before the next start, put %s where the server finds its key. Backups made until now need the earlier key: keep both, apart from the backups.\n",
		done.To, done.From, c.NewMasterKeyFile)
	return err
}

// toNext makes a key beside the file of the present one, rotates to it and exchanges the files. before is the ID of the key
// that was in the file when the command began.
func (c *keyRotateCmd) toNext(ctx context.Context, op *control.Client, out io.Writer, before string) error {
	current, err := c.load(ctx)
	if err != nil {
		return err
	}
	if current.ID() != before { // opening the stopped server's store has put the next key into its place
		_, err := fmt.Fprintf(out, "A rotation that was cut short is finished: the store is under the master key %s, and %s holds it.\n", current.ID(), c.MasterKeyFile)
		return err
	}
	next := nextMasterKey(c.MasterKeyFile)
	maker := keyMasterCmd{File: next, MasterKeyKMS: c.MasterKeyKMS}
	if _, err := maker.create(ctx); err != nil && !errors.Is(err, fs.ErrExist) { // one that was cut short has left it
		return err
	}
	var done rotatedKey
	if err := op.Call(ctx, "key.rotate", rotateKey{current.ID(), next, c.MasterKeyKMS}, &done, nil); err != nil {
		return fmt.Errorf("%w\nThe key file was not exchanged; run the command again", err)
	}
	previous, err := c.exchange(ctx, current.ID(), done.To)
	if err != nil {
		return fmt.Errorf("the store is under the new key in %s, but it could not take its place: %w\nDo it by hand: keep %s under another name, then "+
			"rename %s to it", next, err, c.MasterKeyFile, next)
	}
	_, err = fmt.Fprintf(out, "The store is under the master key %s now, and %s holds it.\n"+
		"The earlier key is in %s. Backups made until now need it: keep copies of both, apart from the backups.\n", done.To, c.MasterKeyFile, previous)
	return err
}

// rotateKey is the operation. The new key travels as the name of its file, so that no key goes through the socket.
func (p *parts) rotateKey(ctx context.Context, in rotateKey, _ control.Report) (out rotatedKey, err error) {
	place := masterFlags{MasterKeyFile: in.File, MasterKeyKMS: in.KMS}
	next, err := place.load(ctx)
	if errors.Is(err, fs.ErrPermission) {
		return out, control.Refuse("%v\nRun the command as the user who runs the server", err)
	}
	if err != nil {
		return out, err
	}
	if out.From, err = p.db.MasterKeyID(ctx); err != nil {
		return out, err
	}
	if out.To = next.ID(); out.To == out.From && (in.Current == "" || in.Current == out.To) {
		return out, control.Refuse("%s holds the key %s, under which the store is already: make another one", in.File, out.To)
	}
	if in.Current != "" && in.Current != out.From && out.To != out.From {
		return out, control.Refuse("--master-key-file holds the key %s, and the store is under %s: give the file that the server uses", in.Current, out.From)
	}
	return out, p.db.Rotate(ctx, next)
}

// nextMasterKey is where the new key lies until the store is under it.
func nextMasterKey(file string) string { return file + ".next" }

// alone does something while nobody else exchanges the key file: two that did so at once could lose the only key.
func (f *masterFlags) alone(do func() error) error {
	lock, err := filelock.Take(f.MasterKeyFile + ".lock")
	if busy, ok := errors.AsType[*filelock.InUseError](err); ok {
		return fmt.Errorf("the master key in %s is being rotated by %s: wait for its end", f.MasterKeyFile, busy.Owner)
	}
	if err != nil {
		return err
	}
	return errors.Join(do(), lock.Close())
}

// exchange keeps the file of the key from under another name, which it returns, and puts the next one, which must be to, into its
// place. There is a file of that name at every moment, and it may be done again. The caller is alone.
func (f *masterFlags) exchange(ctx context.Context, from, to string) (previous string, err error) {
	file := f.MasterKeyFile
	previous = file + ".previous-" + from
	if present, err := f.load(ctx); err != nil || present.ID() != from {
		return previous, errors.Join(fmt.Errorf("%s does not hold the key %s any more", file, from), err)
	}
	if _, ok := f.next(ctx, to); !ok {
		return previous, fmt.Errorf("%s does not hold the key %s", nextMasterKey(file), to)
	}
	if err := os.Link(file, previous); err != nil && !errors.Is(err, fs.ErrExist) {
		return previous, err
	}
	kept := *f
	kept.MasterKeyFile = previous
	if key, err := kept.load(ctx); err != nil || key.ID() != from {
		return previous, errors.Join(fmt.Errorf("%s is there, and does not hold the key %s: move it away", previous, from), err)
	}
	if err := os.Rename(nextMasterKey(file), file); err != nil {
		return previous, err
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return previous, err
	}
	_ = dir.Sync() // Windows cannot; a crash that undoes the rename is healed at the next start
	return previous, dir.Close()
}

// openWith opens a store with the master key in o. When it needs the key that a rotation cut short has left beside the file
// of these flags, it finishes that exchange.
func (f *masterFlags) openWith(ctx context.Context, o store.Options) (*store.DB, error) {
	db, err := store.Open(ctx, o)
	wrong, ok := errors.AsType[*store.MasterKeyError](err)
	if !ok {
		return db, err
	}
	next, ok := f.next(ctx, wrong.Need)
	if !ok {
		return nil, err
	}
	o.Master = next
	if db, err = store.Open(ctx, o); err != nil {
		return nil, err
	}
	// A server that may not write there goes on without: the next key is found again.
	err = f.alone(func() error {
		_, err := f.exchange(ctx, wrong.Given, wrong.Need)
		return err
	})
	if err != nil && o.Log != nil {
		o.Log.Warn("the master key was rotated, and its file could not be exchanged: run kabar key rotate as the owner of the file, or rename it by hand",
			"file", nextMasterKey(f.MasterKeyFile), "error", err)
	}
	return db, nil
}

// next returns the key beside the file, if it is the one that is needed.
func (f *masterFlags) next(ctx context.Context, need string) (secrets.Key, bool) {
	if f.MasterKeyFile == "" || need == "" {
		return secrets.Key{}, false
	}
	place := masterFlags{MasterKeyFile: nextMasterKey(f.MasterKeyFile), MasterKeyKMS: f.MasterKeyKMS}
	key, err := place.load(ctx)
	return key, err == nil && key.ID() == need
}
