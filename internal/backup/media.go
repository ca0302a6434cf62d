package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"kabar/internal/store"
)

// The table of media, and its columns that matter here.
const (
	mediaTable = "media"
	fileColumn = "file" // the file's name in the media folder
	sizeColumn = "size" // of the plain bytes
)

// mediaFile is a line in the list of media files.
type mediaFile struct {
	File   string `json:"file"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256,omitempty"`
	Gone   bool   `json:"gone,omitempty"` // it was deleted while the backup was made; its row goes, too
}

// media copies the files that the rows in the backup name. The snapshot has ended by now, so a row may be deleted meanwhile.
func (m *maker) media(ctx context.Context) error {
	i := slices.IndexFunc(m.manifest.Tables, func(t TableFile) bool { return t.Name == mediaTable })
	if i < 0 {
		return fmt.Errorf("the store has no table %q", mediaTable)
	}
	rows := m.manifest.Tables[i]
	name, size := columnOf(rows.Columns, fileColumn), columnOf(rows.Columns, sizeColumn)
	if name < 0 || size < 0 {
		return fmt.Errorf("the table %q has no columns %q and %q", mediaTable, fileColumn, sizeColumn)
	}
	var total int64
	err := eachRow(m.dir, rows, func(row []any) error { total += row[size].(int64); return nil })
	if err != nil {
		return err
	}
	m.meter.begin("media", total, "B")
	list, err := createLines(m.dir, mediaDir+linesSuffix)
	if err != nil {
		return err
	}
	err = eachRow(m.dir, rows, func(row []any) error {
		if err := m.medium(ctx, list, row[name].(string)); err != nil {
			return err
		}
		m.meter.add(row[size].(int64))
		return nil
	})
	m.meter.end()
	m.manifest.Media.File, err = list.close(err)
	return err
}

func columnOf(cols []store.Column, name string) int {
	return slices.IndexFunc(cols, func(c store.Column) bool { return c.Name == name })
}

// eachRow calls each with every row of a table in a backup.
func eachRow(dir string, t TableFile, each func(row []any) error) error {
	return readLines(dir, t.File, func(line []byte) error {
		row, err := parseRow(line, t.Columns)
		if err != nil {
			return &DamagedError{t.Path, err.Error()}
		}
		return each(row)
	})
}

// medium copies one file and lists it.
func (m *maker) medium(ctx context.Context, list *lineWriter, name string) error {
	f, err := m.copy(ctx, name)
	if errors.Is(err, fs.ErrExist) {
		return nil // another medium lies in the same file
	}
	if errors.Is(err, fs.ErrNotExist) {
		f, err = mediaFile{File: name, Gone: true}, m.excuse(ctx, name)
		m.manifest.Media.Gone++
	}
	if err != nil {
		return err
	}
	if !f.Gone {
		m.manifest.Media.Files++
		m.manifest.Media.Bytes += f.Size
	}
	line, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return list.add(line)
}

// excuse returns no error if a file may be missing.
func (m *maker) excuse(ctx context.Context, name string) error {
	if m.SkipMissing {
		return nil
	}
	still := true
	if m.HasFile != nil {
		var err error
		if still, err = m.HasFile(ctx, name); err != nil {
			return err
		}
	}
	if still {
		return &MissingError{name}
	}
	return nil
}

// copy copies a file of the store into the backup.
func (m *maker) copy(ctx context.Context, name string) (mediaFile, error) {
	from, _, err := m.Media.OpenSealed(name)
	if err != nil {
		return mediaFile{}, err
	}
	defer func() { _ = from.Close() }() // read only
	to, err := create(filepath.Join(m.dir, mediaDir, name))
	if err != nil {
		return mediaFile{}, err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(to, sum), untilDone{ctx, from})
	if err == nil {
		err = to.Sync()
	}
	if err := errors.Join(err, to.Close()); err != nil {
		return mediaFile{}, fmt.Errorf("copy the media file %s: %w", name, err)
	}
	return mediaFile{File: name, Size: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}

// untilDone reads until ctx ends.
type untilDone struct {
	ctx context.Context //nolint:containedctx // of one copy
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}

// eachFile calls each with every entry in a backup's list of media files.
func eachFile(dir string, m *Manifest, each func(mediaFile) error) error {
	return readLines(dir, m.Media.File, func(line []byte) error {
		var f mediaFile
		if err := strictly(line, &f); err != nil {
			return &DamagedError{m.Media.Path, err.Error()}
		}
		if !f.Gone && (!isHash(f.SHA256) || filepath.Base(f.File) != f.File || f.File == "." || f.File == "..") {
			return &DamagedError{m.Media.Path, fmt.Sprintf("it lists a file %q", f.File)}
		}
		return each(f)
	})
}

// open opens a media file of a backup.
func (f mediaFile) open(dir string) (*os.File, error) {
	return openFile(dir, mediaDir+"/"+f.File, f.Size)
}
