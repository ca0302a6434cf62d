package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"kabar/internal/media"
	"kabar/internal/store"
)

// Target is where a backup is restored to.
type Target struct {
	Data  string        // the new data folder: not there yet, or empty
	Store store.Options // a file in Data, or an empty PostgreSQL database; with the master key
	// Mark is the key of the entry that tells every number's driver that its state has been set back.
	Mark   string
	Now    time.Time // real time
	Report Report    // may be nil
}

// Result is what was restored.
type Result struct {
	Manifest *Manifest
	Note     store.Restored // what the store knows about it from now on
}

// Restore verifies the backup in dir and fills a new store with it, of this program's schema. Nothing is written before the
// backup has been found whole and opened by the master key. When Restore fails later, or is killed, store.Open refuses what
// it has left.
//
// The store goes on as after a crash, with what it knew when the backup was made, and: all counters have leapt, so no id of
// the time since is given out again; sessions start afresh; what was on its way goes out again under the same ids, by which
// customers' phones and applications recognise it. What came in since is lost, and so are receipts: a message whose receipts
// came in that time stays as the backup knows it.
func Restore(ctx context.Context, dir string, t Target) (*Result, error) {
	if err := refuseFolder(t.Data); err != nil {
		return nil, err
	}
	m, err := ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	if err := refuseSchema(m); err != nil {
		return nil, err
	}
	if t.Now.Before(m.Created) {
		return nil, store.ErrClock
	}
	if _, err := Verify(ctx, dir, t.Report); err != nil {
		return nil, err
	}
	r := &restorer{Target: t, dir: dir, m: m, meter: newMeter(t.Report), gone: map[string]bool{}}
	if err := r.tryKey(ctx); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(t.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	if r.loader, err = store.NewLoader(ctx, t.Store, m.Schema); err != nil {
		return nil, err
	}
	note, err := r.fill(ctx)
	if err := errors.Join(err, r.loader.Close()); err != nil {
		return nil, fmt.Errorf("%w\nThe restore was not finished: what it has filled is of no use; delete it and run kabar restore again", err)
	}
	return &Result{m, *note}, errors.Join(syncDir(t.Data), syncDir(filepath.Dir(t.Data)))
}

// refuseFolder refuses a data folder with something in it.
func refuseFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look into the data folder: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty: a restore needs a new folder. If a restore into it was not finished, delete it and run kabar restore again", dir)
	}
	return nil
}

func refuseSchema(m *Manifest) error {
	want, err := store.SchemaWanted()
	if err != nil {
		return err
	}
	if m.Schema > want {
		return fmt.Errorf("the backup has schema %d and this program knows %d: restore it with kabar %s, which made it, or a newer one",
			m.Schema, want, m.Program)
	}
	return nil
}

// restorer restores one backup.
type restorer struct {
	Target
	dir    string
	m      *Manifest
	meter  *meter
	loader *store.Loader
	gone   map[string]bool // media files whose rows are left out
}

// tryKey opens a store in a temporary folder that has what says which key it needs, and nothing else.
func (r *restorer) tryKey(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "kabar-restore-")
	if err != nil {
		return fmt.Errorf("try the master key: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	l, err := store.NewLoader(ctx, store.Options{Path: filepath.Join(dir, "key.db"), Master: r.Store.Master}, r.m.Schema)
	if err != nil {
		return fmt.Errorf("try the master key: %w", err)
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	for _, t := range r.m.Tables {
		if !slices.Contains(store.KeyTables(), t.Name) {
			continue
		}
		if err := load(ctx, l, r.dir, t, func([]any) bool { return true }); err != nil {
			return err
		}
	}
	return l.Open(ctx)
}

// fill brings everything into the new store.
func (r *restorer) fill(ctx context.Context) (*store.Restored, error) {
	err := eachFile(r.dir, r.m, func(f mediaFile) error {
		if f.Gone {
			r.gone[f.File] = true
		}
		return nil
	})
	if err == nil {
		err = r.tables(ctx)
	}
	if err == nil {
		err = r.media(ctx)
	}
	if err != nil {
		return nil, err
	}
	note := &store.Restored{At: r.Now, Backup: r.m.Created}
	return note, r.loader.Finish(ctx, note, r.Mark)
}

func (r *restorer) tables(ctx context.Context) error {
	r.meter.begin("restore rows", r.m.AllRows(), "")
	for _, t := range r.m.Tables {
		file := -1
		if t.Name == mediaTable {
			file = columnOf(t.Columns, fileColumn)
		}
		err := load(ctx, r.loader, r.dir, t, func(row []any) bool {
			r.meter.add(1)
			return file < 0 || !r.gone[row[file].(string)]
		})
		if err != nil {
			return err
		}
	}
	r.meter.end()
	return nil
}

// Bounds of what is stored in one transaction.
const (
	batchRows  = 1000
	batchBytes = 4 << 20
)

// load stores the rows of a table that wanted accepts.
func load(ctx context.Context, l *store.Loader, dir string, t TableFile, wanted func(row []any) bool) error {
	var rows [][]any
	var size int
	flush := func() error {
		err := l.Insert(ctx, t.Table, rows)
		rows, size = rows[:0], 0
		return err
	}
	err := readLines(dir, t.File, func(line []byte) error {
		row, err := parseRow(line, t.Columns)
		if err != nil {
			return &DamagedError{t.Path, err.Error()}
		}
		if !wanted(row) {
			return nil
		}
		rows, size = append(rows, row), size+len(line)
		if len(rows) < batchRows && size < batchBytes {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// media brings the files into the media folder.
func (r *restorer) media(ctx context.Context) (err error) {
	into, err := media.Open(filepath.Join(r.Data, mediaDir))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, into.Close()) }()
	r.meter.begin("restore media", r.m.Media.Bytes, "B")
	err = eachFile(r.dir, r.m, func(f mediaFile) error {
		if f.Gone {
			return nil
		}
		r.meter.add(f.Size)
		return r.medium(ctx, into, f)
	})
	if err != nil {
		return err
	}
	r.meter.end()
	return into.Sync()
}

func (r *restorer) medium(ctx context.Context, into *media.Store, f mediaFile) error {
	from, err := f.open(r.dir)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }() // read only
	sum := sha256.New()
	if err := into.PutSealed(ctx, f.File, io.TeeReader(from, sum)); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
		return &DamagedError{mediaDir + "/" + f.File, "its bytes are not those that were written"}
	}
	return nil
}
