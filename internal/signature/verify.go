package signature

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Headers of a signed webhook, as net/http writes them.
const (
	HeaderID        = "Webhook-Id"        // the same for every attempt; no full stops
	HeaderTimestamp = "Webhook-Timestamp" // seconds since 1970, of the attempt
	HeaderSignature = "Webhook-Signature" // what [Sign] returns
)

// Tolerance is how far webhook-timestamp may be from now, either way, by the specification's libraries.
const Tolerance = 5 * time.Minute

// maxParts is how many signatures of a request are looked at, so that nobody makes us check thousands.
const maxParts = 16

// Why a webhook is not taken for ours. What [Verify] returns wraps one of them.
var (
	ErrHeader    = errors.New("a header of the signature is missing or malformed")
	ErrTime      = errors.New("webhook-timestamp is more than 5 minutes from now")
	ErrSignature = errors.New("no signature is right")
)

// Verify says whether a webhook is from somebody with one of the secrets, unchanged, and sent within [Tolerance] of now. A secret is a
// whsec_ secret or a key of either half of a pair, whsk_ or whpk_. Signatures of other kinds and under other keys are passed over, but 16
// is the most that a request may have. The caller still has to see by the id whether it has had this webhook before.
func Verify(secrets []string, header http.Header, body []byte, now time.Time) error {
	keys := make([]key, len(secrets))
	for i, secret := range secrets {
		var err error
		if keys[i], err = decode(secret); err != nil {
			return fmt.Errorf("verify: secret %d: %w", i+1, err)
		}
	}
	id, second, parts, err := readHeader(header)
	if err != nil {
		return err
	}
	if tolerated := int64(Tolerance / time.Second); second < now.Unix()-tolerated || second > now.Unix()+tolerated {
		return fmt.Errorf("verify: %w", ErrTime)
	}
	content := append(appendHead(nil, id, second), body...)
	for _, k := range keys {
		for _, part := range parts {
			if k.fits(part, content) {
				return nil
			}
		}
	}
	return fmt.Errorf("verify: %w", ErrSignature)
}

// readHeader returns what the three headers say.
func readHeader(header http.Header) (id string, second int64, parts []string, err error) {
	malformed := func(name string) error { return fmt.Errorf("verify: %s: %w", strings.ToLower(name), ErrHeader) }
	one := func(name string) string {
		if values := header.Values(name); len(values) == 1 {
			return values[0]
		}
		return ""
	}
	if id = one(HeaderID); id == "" || strings.Contains(id, ".") {
		return "", 0, nil, malformed(HeaderID)
	}
	written := one(HeaderTimestamp)
	if second, err = strconv.ParseInt(written, 10, 64); err != nil || strconv.FormatInt(second, 10) != written {
		return "", 0, nil, malformed(HeaderTimestamp)
	}
	parts = strings.SplitN(one(HeaderSignature), " ", maxParts+1)
	if parts[0] == "" || len(parts) > maxParts {
		return "", 0, nil, malformed(HeaderSignature)
	}
	return id, second, parts, nil
}

// fits says whether one part of webhook-signature is a signature of the content under this key.
func (k key) fits(part string, content []byte) bool {
	version, text, _ := strings.Cut(part, ",")
	if k.shared != nil {
		mac := hmac.New(sha256.New, k.shared)
		mac.Write(content)
		return version == "v1" && hmac.Equal([]byte(text), encoding.AppendEncode(nil, mac.Sum(nil)))
	}
	public := k.public
	if k.private != nil {
		public = ed25519.PublicKey(k.private[ed25519.SeedSize:])
	}
	given, err := encoding.DecodeString(text)
	return version == "v1a" && err == nil && ed25519.Verify(public, content, given)
}
