package web

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Encode returns v as JSON: no HTML escaping, no line feed at the end, names of maps in order, so that equal values give
// equal bytes. Invalid UTF-8 becomes U+FFFD. An error means a type that JSON cannot hold: a mistake in the program.
func Encode(v any) ([]byte, error) {
	body, err := json.Marshal(v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return nil, fmt.Errorf("encode json: %w", err)
	}
	return body, nil
}

// WriteJSON answers with status and v as JSON ([Encode]). Content-Type is set unless the caller has set one. When v
// cannot be encoded nothing is written; any other error means that the client is gone.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	body, err := Encode(v)
	if err != nil {
		return err
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return nil
}

// RequestIDHeader carries the id of a request in its answer. It is spelled as net/http writes it: any other spelling would
// be put right at each use.
const RequestIDHeader = "X-Request-Id"

// RequestID returns a new random id: 32 lower-case hexadecimal digits.
func RequestID() string {
	id, _ := RequestIDs()
	return id
}

// RequestIDs returns two of them, at the price of one.
func RequestIDs() (one, other string) {
	var b [32]byte
	rand.Read(b[:])
	both := hex.EncodeToString(b[:])
	return both[:32], both[32:]
}
