package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"kabar/internal/backup"
	"kabar/internal/control"
	"kabar/internal/media"
	"kabar/internal/network"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

// backupCmd makes backups and verifies them.
type backupCmd struct {
	Make   backupMakeCmd   `cmd:"" default:"withargs" help:"Make a backup of a server in the new folder DIR, while it runs or when it is stopped."`
	Verify backupVerifyCmd `cmd:"" help:"Check every file of a backup. It needs no key."`
}

// Help is shown by kabar backup --help.
func (*backupCmd) Help() string {
	return `A backup has the store and the media, sealed as they are in the data folder. It does not have the master key, without which it is
worth nothing: keep a copy of that elsewhere. It does not have the configuration and certificates either, nor encryption sessions,
which begin afresh after a restore. A running server writes the backup itself, as its own user. kabar restore brings it back.

Examples:
  kabar backup /backups/2026-01-02 --data server
  kabar backup verify /backups/2026-01-02`
}

// backupOperation is what the command asks of a running server.
func backupOperation(m *control.Mux, p *parts) {
	control.Handle(m, "backup", recorded(p.db, "backup.made", p.backup))
}

type backupMakeCmd struct {
	databaseFlags `embed:""`
	Dir           string `arg:"" help:"New folder for the backup." type:"path"`
	SkipMissing   bool   `help:"Make a backup although media files have been lost." env:"-"`
}

// Help is shown by kabar backup make --help.
func (*backupMakeCmd) Help() string {
	return `The folder must not be there yet. What is in it is worth nothing without the master key, which is not in it.

Examples:
  kabar backup /backups/2026-01-02 --data server
  kabar backup make /backups/2026-01-02 --skip-missing --data server`
}

type (
	makeBackup struct {
		Dir         string `json:"dir"`
		SkipMissing bool   `json:"skip_missing"`
	}
	madeBackup struct {
		Manifest backup.Manifest `json:"manifest"`
		Took     time.Duration   `json:"took"`
	}
)

// Run makes a backup.
func (c *backupMakeCmd) Run(ctx context.Context, s streams) error {
	bar := newProgress(s.err)
	in, out := makeBackup{c.Dir, c.SkipMissing}, madeBackup{}
	op, err := control.Dial(ctx, c.Data)
	switch {
	case err == nil:
		err = op.Call(ctx, "backup", in, &out, bar.report)
	case errors.Is(err, control.ErrNotRunning):
		out, err = c.stopped(ctx, in, bar.report)
	}
	bar.end()
	if err != nil {
		return err
	}
	return out.print(s.out, c.Dir)
}

// stopped makes the backup of a server that does not run. It needs no master key, and the store may be of an older schema.
func (c *backupMakeCmd) stopped(ctx context.Context, in makeBackup, report control.Report) (_ madeBackup, err error) {
	o, err := c.place(secrets.Key{})
	if err != nil {
		return madeBackup{}, err
	}
	snapshot, err := store.OpenSnapshot(ctx, o, network.SessionPrefix)
	if err != nil {
		return madeBackup{}, err
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	files, err := media.Open(filepath.Join(c.Data, "media"))
	if err != nil {
		return madeBackup{}, err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	return in.make(ctx, backup.Options{Snapshot: snapshot, Media: files}, report)
}

// backup makes the backup of a running server.
func (p *parts) backup(ctx context.Context, in makeBackup, report control.Report) (_ madeBackup, err error) {
	snapshot, err := p.db.Snapshot(ctx, network.SessionPrefix)
	if err != nil {
		return madeBackup{}, err
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	return in.make(ctx, backup.Options{Snapshot: snapshot, Media: p.media, HasFile: p.db.HasFile}, report)
}

func (in makeBackup) make(ctx context.Context, o backup.Options, report control.Report) (madeBackup, error) {
	o.SkipMissing, o.Program, o.Now, o.Report = in.SkipMissing, version(), time.Now(), reportTo(report)
	m, err := backup.Make(ctx, in.Dir, o)
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w\nThe server writes the backup, as its own user and where its unit lets it: choose a folder there", err)
	}
	if err != nil {
		return madeBackup{}, err
	}
	return madeBackup{*m, time.Since(o.Now)}, nil
}

// reportTo hands progress on.
func reportTo(report control.Report) backup.Report {
	return func(what string, done, total int64, unit string) {
		report(control.Progress{What: what, Done: done, Total: total, Unit: unit})
	}
}

func (b *madeBackup) print(w io.Writer, dir string) error {
	m := b.Manifest
	key := "the master key"
	if m.MasterKey != "" {
		key += " " + m.MasterKey
	}
	_, err := fmt.Fprintf(w, "Backup of %s in %s: %d rows, %d of them messages, and %d media files (%s), in %s.\n"+
		"To restore it you also need %s. It is not in the backup: keep a copy of it elsewhere.\n",
		m.Created.Format(time.RFC3339), dir, m.AllRows(), m.Rows("message"), m.Media.Files, amount(m.Media.Bytes, "B"), b.Took.Round(time.Millisecond), key)
	if err == nil && m.Media.Gone > 0 {
		_, err = fmt.Fprintf(w, "%d media files are not in it, because they have been deleted meanwhile or were missing; zcat %s names them (\"gone\").\n",
			m.Media.Gone, filepath.Join(dir, m.Media.Path))
	}
	return err
}

type backupVerifyCmd struct {
	Dir string `arg:"" help:"Folder of the backup." type:"path"`
}

// Run verifies a backup.
func (c *backupVerifyCmd) Run(ctx context.Context, s streams) error {
	bar := newProgress(s.err)
	m, err := backup.Verify(ctx, c.Dir, reportTo(bar.report))
	bar.end()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "The backup of %s is whole: %d rows and %d media files, made by kabar %s (schema %d).\n",
		m.Created.Format(time.RFC3339), m.AllRows(), m.Media.Files, m.Program, m.Schema)
	return err
}
