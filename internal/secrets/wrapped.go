package secrets

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// The file of a wrapped master key: one header line, another than a plain key has, then what the KMS made, in base64.
const wrappedHeader = "# kabar wrapped master key v1"

// KMS keeps the key under which a master key is wrapped: a service, a device, or a file on another disk.
type KMS interface {
	// Wrap encrypts plain, which has [KeySize] bytes, so that Unwrap returns it.
	Wrap(ctx context.Context, plain []byte) (wrapped []byte, err error)
	// Unwrap returns what Wrap was given. What was changed, or wrapped under another key, is an error that says what to do.
	Unwrap(ctx context.Context, wrapped []byte) (plain []byte, err error)
}

// LoadWrappedMasterKey reads the file at path and has its key unwrapped. The same rules hold for the file as for a plain
// one ([ReadPrivate]): what is wrapped today may be unwrapped by whoever finds the other key tomorrow.
func LoadWrappedMasterKey(ctx context.Context, path string, kms KMS) (Key, error) {
	text, err := ReadPrivate(path)
	if err != nil {
		return Key{}, fmt.Errorf("load wrapped master key: %w", err)
	}
	wrapped, err := parseWrapped(text)
	if err != nil {
		return Key{}, fmt.Errorf("load wrapped master key: %s: %w", path, err)
	}
	raw, err := kms.Unwrap(ctx, wrapped)
	if err == nil && len(raw) != KeySize {
		err = fmt.Errorf("the wrapped key has %d bytes instead of %d; restore the file from its copy", len(raw), KeySize)
	}
	if err != nil {
		return Key{}, fmt.Errorf("load wrapped master key: %s: %w", path, err)
	}
	return fromRaw([KeySize]byte(raw)), nil
}

func parseWrapped(text string) ([]byte, error) {
	header, rest, _ := strings.Cut(text, "\n")
	switch strings.TrimSpace(header) {
	case wrappedHeader:
	case masterHeader:
		return nil, errors.New("it is a master key that nothing wraps: leave --master-key-kms out")
	default:
		return nil, fmt.Errorf("its first line is not %q: not a wrapped master key, or a damaged one", wrappedHeader)
	}
	wrapped, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(rest))
	if err != nil || len(wrapped) == 0 {
		return nil, errors.New("its second line is not base64; restore the file from its copy")
	}
	return wrapped, nil
}

// CreateWrappedMasterKey makes a new master key and a file that holds it wrapped, in the same manner as [CreateMasterKey].
// Before the file is written, the key has been unwrapped once: a KMS that cannot give it back is noticed now.
func CreateWrappedMasterKey(ctx context.Context, path string, kms KMS) (Key, error) {
	key := NewKey()
	wrapped, err := kms.Wrap(ctx, key.m.raw[:])
	if err != nil {
		return Key{}, fmt.Errorf("create wrapped master key: %w", err)
	}
	back, err := kms.Unwrap(ctx, wrapped)
	if err != nil {
		return Key{}, fmt.Errorf("create wrapped master key: %w", err)
	}
	if string(back) != string(key.m.raw[:]) {
		return Key{}, errors.New("create wrapped master key: what was wrapped came back as something else")
	}
	if err := createPrivate(path, wrappedHeader+"\n"+base64.StdEncoding.EncodeToString(wrapped)+"\n"); err != nil {
		return Key{}, fmt.Errorf("create wrapped master key: %w", err)
	}
	return key, nil
}
