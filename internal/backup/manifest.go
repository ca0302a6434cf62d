package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"kabar/internal/store"
)

// format is the version of the format that this program writes and reads.
const format = 1

const manifestName = "manifest.json"

// maxManifest bounds a manifest: it has a few lines for each table.
const maxManifest = 1 << 20

// Manifest says what a backup has in it.
type Manifest struct {
	Format    int         `json:"format"`
	Program   string      `json:"program"` // the version that made it
	Schema    int         `json:"schema"`
	Created   time.Time   `json:"created"`              // in whole seconds, UTC
	MasterKey string      `json:"master_key,omitempty"` // the ID of the one that opens it, if the store has said
	Tables    []TableFile `json:"tables"`
	Media     Media       `json:"media"`
}

// TableFile is a table and the file of its rows.
type TableFile struct {
	store.Table
	File
}

// Media is the list of the media files, and what they are together.
type Media struct {
	File
	Files int64 `json:"files"`
	Bytes int64 `json:"bytes"` // of all of them, as they lie on disk
	Gone  int64 `json:"gone"`  // media of the snapshot whose files were deleted while the backup was made
}

// Rows returns how many rows a table has; 0 when there is no such table.
func (m *Manifest) Rows(table string) int64 {
	for _, t := range m.Tables {
		if t.Name == table {
			return t.File.Rows
		}
	}
	return 0
}

// AllRows returns how many rows all tables have.
func (m *Manifest) AllRows() (n int64) {
	for _, t := range m.Tables {
		n += t.File.Rows
	}
	return n
}

// DamagedError says what is wrong with a file of a backup.
type DamagedError struct{ File, Why string }

func (e *DamagedError) Error() string {
	return fmt.Sprintf("the backup is damaged: %s: %s; use another backup", e.File, e.Why)
}

// seal is a manifest with its hash, as the file holds it.
type seal struct {
	SHA256   string          `json:"sha256"` // of the bytes of the manifest
	Manifest json.RawMessage `json:"manifest"`
}

// encode returns the one way to write a manifest.
func (m *Manifest) encode() ([]byte, error) {
	inner, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(inner)
	return fmt.Appendf(nil, "{\"sha256\": %q,\n\"manifest\": %s}\n", hex.EncodeToString(sum[:]), inner), nil
}

func (m *Manifest) write(path string) error {
	text, err := m.encode()
	if err != nil {
		return err
	}
	f, err := create(path)
	if err != nil {
		return err
	}
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	return nil
}

// ReadManifest reads the manifest of the backup in dir, and nothing else of it.
func ReadManifest(dir string) (*Manifest, error) {
	path := filepath.Join(dir, manifestName)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: there is no complete backup here: %w", dir, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read the backup: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	text, err := io.ReadAll(io.LimitReader(f, maxManifest+1))
	if err != nil {
		return nil, fmt.Errorf("read the backup: %w", err)
	}
	return parseManifest(text)
}

func parseManifest(text []byte) (*Manifest, error) {
	var s seal
	var m Manifest
	if err := errors.Join(strictly(text, &s), strictly(s.Manifest, &m)); err != nil {
		if m.Format > format {
			return nil, newer(&m)
		}
		return nil, &DamagedError{manifestName, err.Error()}
	}
	sum := sha256.Sum256(s.Manifest)
	if hex.EncodeToString(sum[:]) != s.SHA256 {
		return nil, &DamagedError{manifestName, "its bytes are not those that were written"}
	}
	if m.Format != format {
		return nil, newer(&m)
	}
	if again, err := m.encode(); err != nil || !bytes.Equal(again, text) {
		return nil, &DamagedError{manifestName, "it is not written as a manifest is"}
	}
	return &m, m.check()
}

func newer(m *Manifest) error {
	return fmt.Errorf("the backup has format %d and this program knows %d: use kabar %s, which made it, or a newer one", m.Format, format, m.Program)
}

func strictly(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// check refuses names that lead out of the backup, and tables that are none.
func (m *Manifest) check() error {
	seen := map[string]bool{}
	for _, t := range m.Tables {
		if err := t.Check(); err != nil {
			return &DamagedError{manifestName, err.Error()}
		}
		if seen[t.Name] || t.Path != tablesDir+"/"+t.Name+linesSuffix || !isHash(t.SHA256) {
			return &DamagedError{manifestName, fmt.Sprintf("the file of table %s", t.Name)}
		}
		seen[t.Name] = true
	}
	if m.Media.Path != mediaDir+linesSuffix || !isHash(m.Media.SHA256) {
		return &DamagedError{manifestName, "the list of media"}
	}
	return nil
}
