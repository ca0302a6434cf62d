// Package kms keeps the key that wraps a master key away from the master key's file: a driver for each place it can be.
//
// There is one driver, age: the wrapping key is an age identity file (https://age-encryption.org/v1), which works offline
// and may lie on another disk, on removable media, or be a credential of systemd. What another place needs is a type with
// Wrap and Unwrap, and a case in [Open].
//
// What this package does not do: it knows no file of a master key (internal/secrets does), asks for no passphrase and
// starts no plugin. A driver keeps nothing open, and is safe for concurrent use.
package kms

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"

	"kabar/internal/secrets"
)

// Open returns the driver that a URI names. The only form is age:FILE, a file with one or more age identities, which must
// be as private as a master key's ([secrets.ReadPrivate]). No error shows anything of the identities.
func Open(uri string) (*Age, error) {
	scheme, path, ok := strings.Cut(uri, ":")
	if !ok || scheme != "age" || path == "" {
		return nil, fmt.Errorf("%q: want age: and the path of an age identity file, as in age:/etc/kabar/identity.txt", uri)
	}
	text, err := secrets.ReadPrivate(path)
	if err != nil {
		return nil, fmt.Errorf("age identity: %w", err)
	}
	a, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("age identity: %s: %w", path, err)
	}
	return a, nil
}

// Age wraps for the recipients of all identities of a file, so that each of them can unwrap: to replace an identity, add
// the new one, wrap anew, and take the old one away.
type Age struct {
	identities []age.Identity
	recipients []age.Recipient
}

// foreign are the beginnings of files that people take for an identity file, with what to do.
var foreign = []struct{ beginning, advice string }{
	{"age-encryption.org/", passphrase},
	{"-----BEGIN AGE ENCRYPTED FILE-----", passphrase},
	{"-----BEGIN OPENSSH PRIVATE KEY-----", "it is a key of SSH; make an identity with age-keygen"},
	{"age1", "it is a recipient, which can wrap only; give the file with the line AGE-SECRET-KEY-…"},
}

const passphrase = "it is protected by a passphrase, and a server has nobody to ask; decrypt it with age --decrypt, keep the result " +
	"to its owner (chmod 600), or hand it over as a credential of systemd"

// parse reads an identity file: identities of age's two own kinds, X25519 and its post-quantum hybrid, a line each.
func parse(text string) (*Age, error) {
	for _, f := range foreign {
		if strings.HasPrefix(text, f.beginning) {
			return nil, errors.New(f.advice)
		}
	}
	if strings.Contains(text, "AGE-PLUGIN-") {
		return nil, errors.New("it names a plugin, which is another program, and none is started here; make an identity with age-keygen")
	}
	identities, err := age.ParseIdentities(strings.NewReader(text))
	if err != nil {
		// The reason may quote a line, and a line is a secret.
		return nil, errors.New("it is no identity file, or a damaged one; make one with age-keygen -o FILE")
	}
	a := &Age{identities: identities}
	for _, i := range identities {
		switch i := i.(type) {
		case *age.X25519Identity:
			a.recipients = append(a.recipients, i.Recipient())
		case *age.HybridIdentity:
			a.recipients = append(a.recipients, i.Recipient())
		default:
			return nil, fmt.Errorf("an identity of kind %T cannot wrap; make one with age-keygen", i)
		}
	}
	return a, nil
}

// Wrap encrypts plain for every identity of the file. A file that mixes X25519 and hybrid identities is refused: what it
// wraps would be as weak as the weaker one.
func (a *Age) Wrap(_ context.Context, plain []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, a.recipients...)
	if err != nil {
		return nil, fmt.Errorf("wrap with age: %w", err)
	}
	_, err = w.Write(plain)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, fmt.Errorf("wrap with age: %w", err)
	}
	return out.Bytes(), nil
}

// maxPlain bounds what is unwrapped, in bytes; a master key has 32.
const maxPlain = 4 << 10

// Unwrap decrypts what Wrap made with one of the identities. It returns at most 4 KiB.
func (a *Age) Unwrap(_ context.Context, wrapped []byte) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(wrapped), a.identities...)
	if _, ok := errors.AsType[*age.NoIdentityMatchError](err); ok {
		return nil, errors.New("unwrap with age: wrapped for another identity than those of the identity file; give the file that was used when it was made")
	}
	if err != nil {
		return nil, fmt.Errorf("unwrap with age: damaged, restore it from its copy: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxPlain+1))
	if err != nil {
		return nil, fmt.Errorf("unwrap with age: damaged, restore it from its copy: %w", err)
	}
	if len(plain) > maxPlain {
		return nil, fmt.Errorf("unwrap with age: holds more than %d bytes, so it is no key", maxPlain)
	}
	return plain, nil
}
