package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Verify reads a backup, whole, and compares it with what its manifest says: every file is there, none is there that it does
// not know, and each has the bytes and the rows that were written. It needs no key. A *DamagedError names the first file
// that is not as it was written.
func Verify(ctx context.Context, dir string, report Report) (*Manifest, error) {
	m, err := ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	v := &verifier{ctx: ctx, dir: dir, m: m, meter: newMeter(report)}
	if err := errors.Join(v.strangers(), v.tables()); err != nil {
		return nil, err
	}
	return m, v.media()
}

type verifier struct {
	ctx   context.Context //nolint:containedctx // of one Verify
	dir   string
	m     *Manifest
	meter *meter
}

// strangers refuses what the manifest does not name, media files left out.
func (v *verifier) strangers() error {
	known := []string{manifestName, tablesDir, mediaDir, mediaDir + linesSuffix}
	for _, t := range v.m.Tables {
		known = append(known, t.Path)
	}
	for _, d := range []string{"", tablesDir} {
		entries, err := os.ReadDir(filepath.Join(v.dir, d))
		if errors.Is(err, os.ErrNotExist) {
			return &DamagedError{d, "the folder is missing"}
		}
		if err != nil {
			return fmt.Errorf("read the backup: %w", err)
		}
		for _, e := range entries {
			path := filepath.ToSlash(filepath.Join(d, e.Name()))
			if !slices.Contains(known, path) {
				return &DamagedError{path, "it is none of the backup's files"}
			}
		}
	}
	return nil
}

func (v *verifier) tables() error {
	v.meter.begin("check rows", v.m.AllRows(), "")
	for _, t := range v.m.Tables {
		err := readLines(v.dir, t.File, func([]byte) error {
			v.meter.add(1)
			return v.ctx.Err()
		})
		if err != nil {
			return err
		}
	}
	v.meter.end()
	return nil
}

// media compares the media files with their list, once that is found whole.
func (v *verifier) media() error {
	if err := eachFile(v.dir, v.m, func(mediaFile) error { return v.ctx.Err() }); err != nil {
		return err
	}
	v.meter.begin("check media", v.m.Media.Bytes, "B")
	var files, bytes, gone int64
	err := eachFile(v.dir, v.m, func(f mediaFile) error {
		if f.Gone {
			gone++
			return nil
		}
		files++
		bytes += f.Size
		return v.medium(f)
	})
	if err != nil {
		return err
	}
	v.meter.end()
	if want := v.m.Media; files != want.Files || bytes != want.Bytes || gone != want.Gone {
		return &DamagedError{want.Path, "it lists other files than the manifest says"}
	}
	return v.surplus()
}

func (v *verifier) medium(want mediaFile) error {
	f, err := want.open(v.dir)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // read only
	sum := sha256.New()
	n, err := io.Copy(sum, untilDone{v.ctx, f})
	if err != nil {
		return fmt.Errorf("read the backup: %w", err)
	}
	v.meter.add(n)
	if hex.EncodeToString(sum.Sum(nil)) != want.SHA256 {
		return &DamagedError{mediaDir + "/" + want.File, "its bytes are not those that were written"}
	}
	return nil
}

// surplus looks for media files that are not listed. All that are listed are there, so it is enough to count them; only to
// name a stranger the list is held in memory.
func (v *verifier) surplus() error {
	have, err := v.count(func(string) error { return nil })
	if err != nil || have == v.m.Media.Files {
		return err
	}
	listed := map[string]bool{}
	if err := eachFile(v.dir, v.m, func(f mediaFile) error { listed[f.File] = true; return nil }); err != nil {
		return err
	}
	_, err = v.count(func(name string) error {
		if !listed[name] {
			return &DamagedError{mediaDir + "/" + name, "it is none of the backup's files"}
		}
		return nil
	})
	if err == nil {
		err = &DamagedError{v.m.Media.Path, "it lists a file twice"}
	}
	return err
}

// count calls each with the name of every media file, in portions.
func (v *verifier) count(each func(name string) error) (n int64, err error) {
	d, err := os.Open(filepath.Join(v.dir, mediaDir))
	if err != nil {
		return 0, fmt.Errorf("read the backup: %w", err)
	}
	defer func() { _ = d.Close() }() // read only
	for {
		names, err := d.Readdirnames(1000)
		for _, name := range names {
			n++
			if err := each(name); err != nil {
				return n, err
			}
		}
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, fmt.Errorf("read the backup: %w", err)
		}
	}
}
