// Package flowdata talks to the endpoint of a flow: the server of a business that gives a flow its data. What goes there is encrypted
// with the public key of the business, and what comes back with the same key of the moment.
//
// It does not decide where a request may lead (a Doer does), and keeps nothing.
//
// Source: Meta's documentation of the endpoint for WhatsApp Flows, data_api_version 3.0: RSA-OAEP with SHA-256 for the key, AES-128-GCM
// for the data, with all bits of the initial vector turned over for the answer.
package flowdata

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"

	"kabar"
)

// Version is that of the requests.
const Version = "3.0"

// MaxAnswer bounds what an endpoint answers, in bytes.
const MaxAnswer = 1 << 20

const (
	keySize = 16
	ivSize  = 16
)

// Doer makes requests to where they may lead, and reads maxBytes of an answer at most.
type Doer interface {
	Do(req *http.Request, maxBytes int64) (*http.Response, error)
}

// envelope is what an endpoint gets.
type envelope struct {
	Data []byte `json:"encrypted_flow_data"`
	Key  []byte `json:"encrypted_aes_key"`
	IV   []byte `json:"initial_vector"`
}

// PublicKey reads the public key of a business from its PEM form.
func PublicKey(text string) (*rsa.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("the key is not PEM")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the public key: %w", err)
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("the key is none of RSA")
	}
	return key, nil
}

// Endpoint is the server of a business.
type Endpoint struct {
	Web    Doer
	URL    string
	Key    *rsa.PublicKey // what goes there is encrypted for it
	Secret string         // of the app: requests are signed with it
}

// StatusError is an answer of an endpoint that holds no data.
type StatusError struct {
	Status int
	Text   string // for the customer; may be empty
}

func (e *StatusError) Error() string {
	switch e.Status {
	case StatusKey:
		return fmt.Sprintf("the endpoint answered %d: it cannot decrypt what is encrypted for the business_public_key", e.Status)
	case StatusOver:
		return fmt.Sprintf("the endpoint answered %d: the flow_token is not valid any more", e.Status)
	case StatusSignature:
		return fmt.Sprintf("the endpoint answered %d: it takes the signature for a wrong one", e.Status)
	}
	return fmt.Sprintf("the endpoint answered %d", e.Status)
}

// The statuses with which an endpoint says what is wrong.
const (
	StatusKey       = 421
	StatusOver      = 427
	StatusSignature = 432
)

// call sends a request, and decodes what is answered into answer.
func (e *Endpoint) call(ctx context.Context, request, answer any) error {
	plain, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("encode the request: %w", err)
	}
	body, open, err := seal(e.Key, plain)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Hub-Signature-256", sign(e.Secret, body))
	res, err := e.Web.Do(req, MaxAnswer)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }() // everything has been read, or the error is known
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return refused(res.StatusCode, text, open)
	}
	if plain, err = open(text); err != nil {
		return err
	}
	return decode(plain, answer)
}

// decode reads an answer. Whoever wrote the endpoint is told what is wrong with it, and nothing of our types.
func decode(plain []byte, answer any) error {
	err := json.Unmarshal(plain, answer)
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case err == nil:
		return nil
	case !ok:
		return fmt.Errorf("the answer is not what was asked for: %w", err)
	}
	kind := kabar.WithArticle(wrong.Value)
	if wrong.Field == "" {
		return fmt.Errorf("the answer must be an object, and is %s", kind)
	}
	return fmt.Errorf("the answer's %s is %s, which it cannot be", wrong.Field, kind)
}

// refused reads what an endpoint says in the place of data, which may be encrypted or not.
func refused(status int, text []byte, open func([]byte) ([]byte, error)) *StatusError {
	if plain, err := open(text); err == nil {
		text = plain
	}
	var said struct {
		Text string `json:"error_msg"`
	}
	_ = json.Unmarshal(text, &said) // most say nothing
	return &StatusError{status, said.Text}
}

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// seal encrypts a request under a key of its own. open decrypts the answer to it.
func seal(to *rsa.PublicKey, plain []byte) (body []byte, open func(text []byte) ([]byte, error), err error) {
	secret := make([]byte, keySize+ivSize)
	_, _ = rand.Read(secret) // never fails: crypto/rand
	key, iv := secret[:keySize], secret[keySize:]
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, err
	}
	gcm, err := cipher.NewGCMWithNonceSize(block, ivSize)
	if err != nil {
		return nil, nil, err
	}
	wrapped, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, to, key, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("encrypt the key: %w", err)
	}
	body, err = json.Marshal(envelope{gcm.Seal(nil, iv, plain, nil), wrapped, iv})
	flipped := make([]byte, ivSize)
	for i, b := range iv {
		flipped[i] = ^b
	}
	return body, func(text []byte) ([]byte, error) {
		sealed, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(text)))
		if err != nil {
			return nil, errors.New("the answer is not base64")
		}
		plain, err := gcm.Open(nil, flipped, sealed, nil)
		if err != nil {
			return nil, errors.New("the answer cannot be decrypted: its key or its initial vector is another one")
		}
		return plain, nil
	}, err
}

// Ping asks the endpoint whether it is there.
func (e *Endpoint) Ping(ctx context.Context) error {
	var answer struct {
		Data struct {
			Status string `json:"status"`
		} `json:"data"`
	}
	if err := e.call(ctx, Request{Version: Version, Action: "ping"}, &answer); err != nil {
		return err
	}
	if answer.Data.Status != "active" {
		return fmt.Errorf("the endpoint says that its status is %.40q, want active", answer.Data.Status)
	}
	return nil
}

// Request is what an endpoint is asked.
type Request struct {
	Version string          `json:"version"`
	Action  string          `json:"action"` // INIT, data_exchange, BACK or ping
	Screen  string          `json:"screen,omitempty"`
	Data    json.RawMessage `json:"data,omitempty"`
	Token   string          `json:"flow_token,omitempty"`
}

// Answer is the screen to go to, and its data: an object, or nil.
type Answer struct {
	Screen string
	Data   json.RawMessage
}

// Ask asks the endpoint how a flow goes on.
func (e *Endpoint) Ask(ctx context.Context, r Request) (*Answer, error) {
	r.Version = Version
	var answer struct {
		Screen string         `json:"screen"`
		Data   map[string]any `json:"data"`
	}
	if err := e.call(ctx, r, &answer); err != nil {
		return nil, err
	}
	if answer.Screen == "" {
		return nil, errors.New("the answer of the endpoint names no screen")
	}
	if answer.Data == nil {
		return &Answer{Screen: answer.Screen}, nil
	}
	data, err := json.Marshal(answer.Data)
	return &Answer{answer.Screen, data}, err
}
