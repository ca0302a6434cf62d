package graph

import (
	"crypto/hmac"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"strings"

	"kabar"
)

// keyBits is how long the key of a business has to be.
const keyBits = 2048

// setEncryption: POST /{number}/whatsapp_business_encryption takes the public key that the data of flows is encrypted for.
func (a *API) setEncryption(x *exchange, n *kabar.Number) error {
	var in struct {
		Key string `json:"business_public_key"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	if in.Key == "" {
		return kabar.Refuse(kabar.ReasonMissing, "business_public_key", "is required: an RSA key of %d bits, as PEM", keyBits)
	}
	text := strings.TrimSpace(strings.ReplaceAll(in.Key, "\r\n", "\n")) + "\n"
	if err := checkKey(text); err != nil {
		return err
	}
	if err := a.change(x, n, func(s *kabar.Settings) { s.BusinessKey, s.BusinessKeyMark = text, a.keyMark(n, text) }); err != nil {
		return err
	}
	return x.success()
}

// checkKey wants a public key, and no other.
func checkKey(text string) error {
	const field = "business_public_key"
	block, rest := pem.Decode([]byte(text))
	if block == nil || len(strings.TrimSpace(string(rest))) > 0 {
		return kabar.Refuse(kabar.ReasonInvalid, field, "is not one key as PEM, which begins with -----BEGIN PUBLIC KEY-----")
	}
	if strings.Contains(block.Type, "PRIVATE") {
		return kabar.Refuse(kabar.ReasonInvalid, field, "is a private key: keep it, and make another one; send the public one")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	key, ok := parsed.(*rsa.PublicKey)
	if err != nil || !ok || key.N.BitLen() != keyBits {
		return kabar.Refuse(kabar.ReasonInvalid, field, "is not a public RSA key of %d bits", keyBits)
	}
	return nil
}

// showEncryption: GET /{number}/whatsapp_business_encryption. The signature is this server's own, over the key and the number, so
// that a key that was stored for another number, or changed behind its back, is noticed.
func (a *API) showEncryption(x *exchange, n *kabar.Number) error {
	s, err := a.engine.Settings(n.ID)
	if err != nil {
		return err
	}
	answer := &list{Data: []any{}}
	if s.BusinessKey != "" {
		status := "VALID"
		if !hmac.Equal([]byte(s.BusinessKeyMark), []byte(a.keyMark(n, s.BusinessKey))) {
			status = "MISMATCH"
		}
		answer.Data = append(answer.Data, map[string]string{"business_public_key": s.BusinessKey, "business_public_key_signature_status": status})
	}
	return x.reply(answer)
}

func (a *API) keyMark(n *kabar.Number, key string) string {
	return hex.EncodeToString(a.mac("business key\x00"+key, int64(n.ID)))
}
