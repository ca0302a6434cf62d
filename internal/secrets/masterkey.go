package secrets

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// The file of a master key: one header line, then the key in base64.
const masterHeader = "# kabar master key v1"

// LoadMasterKey reads the master key file at path, under the rules of [ReadPrivate]. Every error says what to do; when
// there is no file, it also matches [fs.ErrNotExist]. No error shows anything of the content.
func LoadMasterKey(path string) (Key, error) {
	text, err := ReadPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Key{}, fmt.Errorf("load master key: %w; to make one: kabar key master %s", err, quote(path))
	}
	if err != nil {
		return Key{}, fmt.Errorf("load master key: %w", err)
	}
	key, err := parseMaster(text)
	if err != nil {
		return Key{}, fmt.Errorf("load master key: %s: %w", path, err)
	}
	return key, nil
}

func parseMaster(text string) (Key, error) {
	header, rest, _ := strings.Cut(text, "\n")
	switch strings.TrimSpace(header) {
	case masterHeader:
		return ParseMasterKey(rest)
	case wrappedHeader:
		return Key{}, errors.New("it is a wrapped master key: name what unwraps it with --master-key-kms")
	}
	return Key{}, fmt.Errorf("its first line is not %q: not a master key file, or a damaged one", masterHeader)
}

// ParseMasterKey reads a master key as it stands in the second line of its file, in base64; space around it is left out.
// No error shows anything of text.
func ParseMasterKey(text string) (Key, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(text))
	if err != nil {
		return Key{}, errors.New("the key is not in base64; restore it from its copy")
	}
	if len(raw) != KeySize {
		return Key{}, fmt.Errorf("the key has %d bytes instead of %d; restore it from its copy", len(raw), KeySize)
	}
	return fromRaw([KeySize]byte(raw)), nil
}

// CreateMasterKey makes a new master key and its file (mode 0600), which is complete and on disk when it returns. It never
// replaces a file: if there is one, the error matches [fs.ErrExist]. A crash leaves either the whole file or none (and
// at most a temporary file beside it).
func CreateMasterKey(path string) (Key, error) {
	key := NewKey()
	if err := createPrivate(path, masterHeader+"\n"+base64.StdEncoding.EncodeToString(key.m.raw[:])+"\n"); err != nil {
		return Key{}, fmt.Errorf("create master key: %w", err)
	}
	return key, nil
}
