package golden

import (
	"bytes"
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
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
)

// FlowServer is the endpoint of a business's flows, with its private key. It is written by the documentation alone.
type FlowServer struct {
	// Answer says what is answered, in clear, to what was asked. Pings are answered without it, unless Pings says so.
	Answer func(asked map[string]any) (status int, answer string)
	Pings  bool
	Secret string // of the app, whose signature each request must have; empty: nobody looks at it

	mu    sync.Mutex
	key   *rsa.PrivateKey
	asked []map[string]any
}

// NewFlowServer returns an endpoint, and its public key as PEM.
func NewFlowServer(answer func(asked map[string]any) (status int, answer string)) (s *FlowServer, public string) {
	s = &FlowServer{Answer: answer}
	return s, s.Renew()
}

// Renew replaces the key, and returns the public one as PEM.
func (s *FlowServer) Renew() string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // the machine has no randomness
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic(err) // a key that was just made can be written
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = key
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// Asked returns what was asked so far, pings left out.
func (s *FlowServer) Asked() []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]map[string]any(nil), s.asked...)
}

// ServeHTTP implements http.Handler. What it cannot read is answered 421, what is not signed 432.
func (s *FlowServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if !s.signed(r.Header.Get("X-Hub-Signature-256"), body) {
		w.WriteHeader(432)
		return
	}
	asked, seal, err := s.open(bytes.NewReader(body))
	if err != nil {
		w.WriteHeader(http.StatusMisdirectedRequest)
		return
	}
	status, answer := http.StatusOK, `{"data":{"status":"active"}}`
	if asked["action"] != "ping" || s.Pings {
		s.mu.Lock()
		s.asked = append(s.asked, asked)
		s.mu.Unlock()
		status, answer = s.Answer(asked)
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, seal(answer)) // whoever asks may be gone
}

// Do answers a request without a network.
func (s *FlowServer) Do(r *http.Request, _ int64) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result(), nil
}

// signed reports whether the app has signed a body.
func (s *FlowServer) signed(signature string, body []byte) bool {
	mac := hmac.New(sha256.New, []byte(s.Secret))
	mac.Write(body)
	return s.Secret == "" || signature == "sha256="+hex.EncodeToString(mac.Sum(nil))
}

// open decrypts a request. seal encrypts the answer to it.
func (s *FlowServer) open(body io.Reader) (asked map[string]any, seal func(string) string, err error) {
	var in struct {
		Data []byte `json:"encrypted_flow_data"`
		Key  []byte `json:"encrypted_aes_key"`
		IV   []byte `json:"initial_vector"`
	}
	if err := json.NewDecoder(body).Decode(&in); err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	private := s.key
	s.mu.Unlock()
	if private == nil {
		return nil, nil, errors.New("there is no key")
	}
	key, err := rsa.DecryptOAEP(sha256.New(), nil, private, in.Key, nil)
	if err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, err
	}
	gcm, err := cipher.NewGCMWithNonceSize(block, len(in.IV))
	if err != nil {
		return nil, nil, err
	}
	plain, err := gcm.Open(nil, in.IV, in.Data, nil)
	if err != nil {
		return nil, nil, err
	}
	turned := bytes.Clone(in.IV)
	for i := range turned {
		turned[i] ^= 0xff
	}
	err = json.Unmarshal(plain, &asked)
	return asked, func(answer string) string {
		return base64.StdEncoding.EncodeToString(gcm.Seal(nil, turned, []byte(answer), nil))
	}, err
}
