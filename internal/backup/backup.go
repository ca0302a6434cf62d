// Package backup makes backups of a server's store and media, verifies them without a key, and restores them into a new
// store, which may be of the other database.
//
// A backup is a folder (docs/decisions/0008-backup-format.md): manifest.json, a file of gzipped JSON lines for each table,
// and the media files. Everything in it is sealed as it is in the store; the master key is not in it. What a backup leaves
// out are encryption sessions: a session that is set back would use its keys twice.
//
// Make works while the server runs: the rows are those of one moment, the media files those that the rows name. It writes
// into a folder called DIR.partial, the manifest last, and renames it: a folder called DIR is complete. Restore verifies
// before it writes, and until its end nobody can open what it fills.
//
// The package knows no table but that of media, and no key: package store describes its tables itself and says whether a key fits. Hashes find
// damage, not forgery: keep a backup where nobody can change it. Memory does not grow with the store, but for the names of
// media that were deleted while the backup was made. Nothing runs in the background; functions run until their context ends.
package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"kabar/internal/media"
	"kabar/internal/store"
)

// Report is called with progress, from one goroutine and a few times a second: so much of what is done, of a total in a
// unit, "B" for bytes and "" for things.
type Report func(what string, done, total int64, unit string)

// Options are what a backup is made of.
type Options struct {
	Snapshot *store.Snapshot // without sessions; Make ends it, its owner closes it
	Media    *media.Store
	// HasFile reports whether the store as it is now has a medium in a file. A file that is gone is a medium that was deleted
	// since the snapshot, unless the store still has it. Nil: nothing is deleted meanwhile.
	HasFile func(ctx context.Context, file string) (bool, error)
	// SkipMissing makes a backup although media files are missing that the store still has.
	SkipMissing bool
	Program     string // the version of this program
	Now         time.Time
	Report      Report // may be nil
}

// MissingError says that a media file is missing: not deleted, but lost.
type MissingError struct{ File string }

func (e *MissingError) Error() string {
	return fmt.Sprintf("the media file %s is missing although the store has a medium in it; --skip-missing makes a backup without it", e.File)
}

// ExistsError says that there is something already where a backup should go.
type ExistsError struct{ Path string }

func (e *ExistsError) Error() string {
	if filepath.Ext(e.Path) == partialSuffix {
		return fmt.Sprintf("%s exists: a backup is being made there, or was broken off; if none is, delete it and try again", e.Path)
	}
	return fmt.Sprintf("%s exists: a backup needs a new folder", e.Path)
}

const (
	partialSuffix = ".partial"
	tablesDir     = "tables"
	mediaDir      = "media"
)

// Make writes a backup into the new folder dir. When it returns without error, dir is complete and on disk; otherwise there
// is no dir.
func Make(ctx context.Context, dir string, o Options) (_ *Manifest, err error) {
	dir = filepath.Clean(dir)
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(&ExistsError{dir}, err)
	}
	partial := dir + partialSuffix
	if err := os.Mkdir(partial, 0o700); errors.Is(err, fs.ErrExist) {
		return nil, &ExistsError{partial}
	} else if err != nil {
		return nil, fmt.Errorf("make the backup's folder: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(partial))
		}
	}()
	m := &maker{Options: o, dir: partial, meter: newMeter(o.Report)}
	if err := m.write(ctx); err != nil {
		return nil, err
	}
	if err := os.Rename(partial, dir); err != nil {
		return nil, fmt.Errorf("give the backup its name: %w", err)
	}
	return &m.manifest, syncDir(filepath.Dir(dir))
}

// maker makes one backup.
type maker struct {
	Options
	dir      string
	meter    *meter
	manifest Manifest
}

func (m *maker) write(ctx context.Context) error {
	m.manifest = Manifest{Format: format, Program: m.Program, Schema: m.Snapshot.Schema, Created: m.Now.UTC().Truncate(time.Second),
		MasterKey: m.Snapshot.MasterKey}
	for _, d := range []string{tablesDir, mediaDir} {
		if err := os.Mkdir(filepath.Join(m.dir, d), 0o700); err != nil {
			return fmt.Errorf("make the backup's folder: %w", err)
		}
	}
	if err := m.tables(ctx); err != nil {
		return err
	}
	if err := m.Snapshot.End(); err != nil { // it costs the running server something
		return err
	}
	if err := m.media(ctx); err != nil {
		return err
	}
	for _, d := range []string{tablesDir, mediaDir} {
		if err := syncDir(filepath.Join(m.dir, d)); err != nil {
			return err
		}
	}
	if err := m.manifest.write(filepath.Join(m.dir, manifestName)); err != nil {
		return err
	}
	return syncDir(m.dir)
}

// tables writes every table of the snapshot.
func (m *maker) tables(ctx context.Context) error {
	var total int64
	for _, t := range m.Snapshot.Tables {
		n, err := m.Snapshot.Count(ctx, t)
		if err != nil {
			return err
		}
		total += n
	}
	m.meter.begin("rows", total, "")
	for _, t := range m.Snapshot.Tables {
		f, err := m.table(ctx, t)
		if err != nil {
			return err
		}
		m.manifest.Tables = append(m.manifest.Tables, TableFile{Table: t, File: f})
	}
	m.meter.end()
	return nil
}

func (m *maker) table(ctx context.Context, t store.Table) (File, error) {
	w, err := createLines(m.dir, tablesDir+"/"+t.Name+linesSuffix)
	if err != nil {
		return File{}, err
	}
	var line []byte
	err = m.Snapshot.Rows(ctx, t, func(row []any) error {
		if line, err = appendRow(line[:0], row); err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		m.meter.add(1)
		return w.add(line)
	})
	return w.close(err)
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	if err := errors.Join(syncFolder(f), f.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}
