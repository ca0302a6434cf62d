package secrets

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"

	"golang.org/x/crypto/argon2"
)

// Errors of OpenWithPassword.
var (
	ErrDamaged  = errors.New("the data is damaged, or not of this kind")
	ErrPassword = errors.New("the password is wrong")
)

// The parameters of argon2id are part of the format (RFC 9106, section 4, second choice): a change needs another version.
const (
	passwordVersion = 1
	passwordTime    = 3
	passwordMemory  = 64 << 10 // KiB
	passwordThreads = 4
	passwordSalt    = 16
	passwordSum     = 8 // bytes of a checksum, which tells damage from a wrong password
)

// SealWithPassword seals plain under a key derived from a password. It takes a tenth of a second and 64 MiB, so callers let few
// in at a time. The purpose must be the same when it is opened.
func SealWithPassword(password, purpose string, plain []byte) []byte {
	salt := make([]byte, passwordSalt)
	_, _ = rand.Read(salt) // never fails: crypto/rand
	out := append([]byte{passwordVersion}, salt...)
	out = append(out, passwordKey(password, salt).Seal(plain, AAD(purpose))...)
	sum := sha256.Sum256(out)
	return append(out, sum[:passwordSum]...)
}

// OpenWithPassword opens what SealWithPassword has made: ErrDamaged says that the data is not as it was, ErrPassword that it is.
func OpenWithPassword(password, purpose string, sealed []byte) ([]byte, error) {
	n := len(sealed) - passwordSum
	if n < 1+passwordSalt || sealed[0] != passwordVersion {
		return nil, ErrDamaged
	}
	if sum := sha256.Sum256(sealed[:n]); !bytes.Equal(sum[:passwordSum], sealed[n:]) {
		return nil, ErrDamaged
	}
	plain, err := passwordKey(password, sealed[1:1+passwordSalt]).Open(sealed[1+passwordSalt:n], AAD(purpose))
	if err != nil {
		return nil, ErrPassword
	}
	return plain, nil
}

func passwordKey(password string, salt []byte) Key {
	return fromRaw([KeySize]byte(argon2.IDKey([]byte(password), salt, passwordTime, passwordMemory, passwordThreads, KeySize)))
}
