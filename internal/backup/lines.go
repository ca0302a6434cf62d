package backup

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const linesSuffix = ".jsonl.gz"

// maxLine bounds a line: nothing that a server stores comes near it.
const maxLine = 64 << 20

// File is what a manifest knows of one file.
type File struct {
	Path   string `json:"file"` // in the backup, with slashes
	Rows   int64  `json:"rows"`
	Size   int64  `json:"size"`   // in bytes, as it lies there
	SHA256 string `json:"sha256"` // of these bytes, in hexadecimal digits
}

// lineWriter writes a file of gzipped lines.
type lineWriter struct {
	file  *os.File
	hash  hash.Hash
	zip   *gzip.Writer
	buf   *bufio.Writer // in front of zip
	facts File
}

func createLines(dir, path string) (*lineWriter, error) {
	f, err := create(filepath.Join(dir, filepath.FromSlash(path)))
	if err != nil {
		return nil, err
	}
	w := &lineWriter{file: f, hash: sha256.New(), facts: File{Path: path}}
	w.zip, err = gzip.NewWriterLevel(io.MultiWriter(f, w.hash, (*counter)(&w.facts.Size)), gzip.BestSpeed) // what is sealed does not shrink
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	w.buf = bufio.NewWriterSize(w.zip, 1<<16)
	return w, nil
}

// create makes a new file that nobody else may read.
func create(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("write the backup: %w", err)
	}
	return f, nil
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// add writes a line, given without its end.
func (w *lineWriter) add(line []byte) error {
	w.facts.Rows++
	_, err := w.buf.Write(line)
	if err == nil {
		err = w.buf.WriteByte('\n')
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", w.facts.Path, err)
	}
	return nil
}

// close brings the file to disk, if err is nil, and returns what there is to know of it.
func (w *lineWriter) close(err error) (File, error) {
	if err == nil {
		if err = errors.Join(w.buf.Flush(), w.zip.Close()); err == nil {
			err = w.file.Sync()
		}
		if err != nil {
			err = fmt.Errorf("write %s: %w", w.facts.Path, err)
		}
	}
	w.facts.SHA256 = hex.EncodeToString(w.hash.Sum(nil))
	return w.facts, errors.Join(err, w.file.Close())
}

// readLines calls each with every line of a file, without its end, and then compares the file with what the manifest says.
// What differs is a *DamagedError. An error of each ends it.
func readLines(dir string, want File, each func(line []byte) error) error {
	f, err := openFile(dir, want.Path, want.Size)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // read only
	sum := sha256.New()
	whole := bufio.NewReaderSize(io.TeeReader(f, sum), 1<<16)
	rows, err := gunzip(whole, each)
	if own, ok := errors.AsType[*eachError](err); ok {
		return own.error
	}
	if err != nil {
		return &DamagedError{want.Path, err.Error()}
	}
	if _, err := io.Copy(io.Discard, whole); err != nil {
		return fmt.Errorf("read %s: %w", want.Path, err)
	}
	switch {
	case hex.EncodeToString(sum.Sum(nil)) != want.SHA256:
		return &DamagedError{want.Path, "its bytes are not those that were written"}
	case rows != want.Rows:
		return &DamagedError{want.Path, fmt.Sprintf("it has %d rows, not %d", rows, want.Rows)}
	}
	return nil
}

// eachError is an error of the caller's own.
type eachError struct{ error }

// gunzip calls each with every line of a gzipped text.
func gunzip(r io.Reader, each func(line []byte) error) (rows int64, err error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(make([]byte, 1<<16), maxLine)
	lines.Split(wholeLines)
	for lines.Scan() {
		rows++
		if err := each(lines.Bytes()); err != nil {
			return rows, &eachError{err}
		}
	}
	return rows, lines.Err()
}

// wholeLines splits lines, the last of which must have an end.
func wholeLines(data []byte, atEOF bool) (advance int, line []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return 0, nil, io.ErrUnexpectedEOF
	}
	return 0, nil, nil
}

// openFile opens a file of a backup that must have a size.
func openFile(dir, path string, size int64) (*os.File, error) {
	f, err := os.Open(filepath.Join(dir, filepath.FromSlash(path)))
	if errors.Is(err, os.ErrNotExist) {
		return nil, &DamagedError{path, "it is missing"}
	}
	if err != nil {
		return nil, fmt.Errorf("read the backup: %w", err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, errors.Join(fmt.Errorf("read the backup: %w", err), f.Close())
	case !info.Mode().IsRegular():
		return nil, errors.Join(&DamagedError{path, "it is no file"}, f.Close())
	case info.Size() != size:
		return nil, errors.Join(&DamagedError{path, fmt.Sprintf("it has %d bytes, not %d", info.Size(), size)}, f.Close())
	}
	return f, nil
}

// isHash says whether s is a SHA-256 as a manifest writes it.
func isHash(s string) bool {
	return len(s) == 2*sha256.Size && strings.Trim(s, "0123456789abcdef") == ""
}
