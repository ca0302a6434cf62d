package signature

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxKept is the largest buffer, in bytes, that a Signer keeps for the next signature.
const maxKept = 64 << 10

// Signer signs under the secrets of one endpoint, which it has decoded once. It never shows them, however it is printed.
type Signer struct {
	keys  []key
	desks sync.Pool // of *desk
}

// desk is what one signature at a time is made on. To prepare an HMAC costs as much as to hash a short body, so they are kept.
type desk struct {
	macs    []hash.Hash // as Signer.keys, nil where that is Ed25519
	content []byte      // id, second and full stops; with the body behind it for Ed25519, which does not take it in pieces
	sum     []byte      // of an HMAC
	value   []byte      // of the header
}

// NewSigner returns a signer under one or several secrets: those that [Check] admits.
func NewSigner(secrets []string) (*Signer, error) {
	if len(secrets) == 0 {
		return nil, errors.New("sign: there is no secret")
	}
	s := &Signer{keys: make([]key, len(secrets))}
	for i, secret := range secrets {
		if err := Check(secret); err != nil {
			return nil, fmt.Errorf("sign: secret %d: %w", i+1, err)
		}
		s.keys[i], _ = decode(secret) // Check has decoded it
	}
	s.desks.New = func() any { return newDesk(s.keys) }
	return s, nil
}

func newDesk(keys []key) *desk {
	d := &desk{macs: make([]hash.Hash, len(keys))}
	for i, k := range keys {
		if k.shared != nil {
			d.macs[i] = hmac.New(sha256.New, k.shared)
		}
	}
	return d
}

// Sign returns the value of webhook-signature: a part for each secret, in order, separated by spaces: "v1,…" for whsec_, "v1a,…" for whsk_.
func Sign(secrets []string, id string, at time.Time, body []byte) (string, error) {
	s, err := NewSigner(secrets)
	if err != nil {
		return "", err
	}
	return s.Sign(id, at, body)
}

// Sign returns the value of webhook-signature, as the function [Sign] does. At is the time of the attempt, whose second since 1970 is
// webhook-timestamp. It fails for an id that is empty or has a full stop, since another id with another body could have its signature.
func (s *Signer) Sign(id string, at time.Time, body []byte) (string, error) {
	if id == "" || strings.Contains(id, ".") {
		return "", fmt.Errorf("sign: %q is no webhook-id: it is empty, or has a full stop", id)
	}
	d := s.desks.Get().(*desk)
	d.content = appendHead(d.content[:0], id, at.Unix())
	head := len(d.content)
	d.value = d.value[:0]
	for i, k := range s.keys {
		if i > 0 {
			d.value = append(d.value, ' ')
		}
		if mac := d.macs[i]; mac != nil {
			d.sum = sumOf(mac, d.sum, d.content[:head], body)
			d.value = encoding.AppendEncode(append(d.value, "v1,"...), d.sum)
			continue
		}
		if len(d.content) == head {
			d.content = append(d.content, body...)
		}
		d.value = encoding.AppendEncode(append(d.value, "v1a,"...), ed25519.Sign(k.private, d.content))
	}
	value := string(d.value)
	if cap(d.content) > maxKept {
		d.content = nil
	}
	s.desks.Put(d)
	return value, nil
}

// appendHead appends what is signed before the body.
func appendHead(to []byte, id string, second int64) []byte {
	to = append(append(to, id...), '.')
	return append(strconv.AppendInt(to, second, 10), '.')
}

// sumOf returns the HMAC of head and body, in the array of sum.
func sumOf(mac hash.Hash, sum, head, body []byte) []byte {
	mac.Reset()
	mac.Write(head)
	mac.Write(body)
	return mac.Sum(sum[:0])
}

// Format prints no secret, whatever the verb.
func (*Signer) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[signer]")) } // as secrets.Key: nobody could be told
