package forward

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kabar/internal/signature"
)

// State is a folder of the person at the machine: the secret that events are signed with, made once, and how far each listener is. Its files
// are for that person only.
type State struct{ Dir string }

// Secret returns the secret, and makes it the first time.
func (s State) Secret() (string, error) {
	name := filepath.Join(s.Dir, "listen.secret")
	text, err := os.ReadFile(name)
	switch {
	case err == nil:
		return strings.TrimSpace(string(text)), nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("the secret: %w", err)
	}
	secret := signature.New()
	made, err := s.temporary(secret)
	if err != nil {
		return "", err
	}
	defer func() { _ = os.Remove(made) }()
	if err := os.Link(made, name); errors.Is(err, fs.ErrExist) { // another listener was faster
		return s.Secret()
	} else if err != nil { // a file system without links
		return secret, os.Rename(made, name)
	}
	return secret, nil
}

// Place is where a listener is remembered: each server and key, each application and each choice of events is another.
type Place struct {
	s    State
	name string
}

// Place returns that of the words that tell listeners apart.
func (s State) Place(words ...string) Place {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return Place{s, filepath.Join(s.Dir, "listen-"+hex.EncodeToString(sum[:8])+".cursor")}
}

// Cursor returns how far the listener was; empty when it is new.
func (p Place) Cursor() (string, error) {
	text, err := os.ReadFile(p.name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(text)), err
}

// Save remembers how far it is.
func (p Place) Save(cursor string) error { return p.s.write(p.name, cursor) }

// write replaces a file in one step.
func (s State) write(name, text string) error {
	made, err := s.temporary(text)
	if err != nil {
		return err
	}
	if err := os.Rename(made, name); err != nil {
		return errors.Join(err, os.Remove(made))
	}
	return nil
}

// temporary writes a file that has no name yet. It is for its owner only.
func (s State) temporary(text string) (name string, err error) {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return "", fmt.Errorf("the folder for what is remembered: %w", err)
	}
	f, err := os.CreateTemp(s.Dir, ".listen-*")
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(text + "\n")
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}
