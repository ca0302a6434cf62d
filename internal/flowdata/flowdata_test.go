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
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// endpoint is a business's server, written by the documentation alone.
type endpoint struct {
	t      *testing.T
	key    *rsa.PrivateKey
	status int
	answer string              // in clear
	spoil  func([]byte) []byte // of what is sent
	got    map[string]any
}

func (e *endpoint) Do(req *http.Request, _ int64) (*http.Response, error) {
	e.t.Helper()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte("s"))
	mac.Write(body)
	if got := req.Header.Get("X-Hub-Signature-256"); got != fmt.Sprintf("sha256=%x", mac.Sum(nil)) {
		e.t.Errorf("the signature is %q", got)
	}
	var in map[string]string
	if err := json.Unmarshal(body, &in); err != nil {
		e.t.Fatal(err)
	}
	part := func(name string) []byte {
		b, err := base64.StdEncoding.DecodeString(in[name])
		if err != nil {
			e.t.Fatal(err)
		}
		return b
	}
	key, err := rsa.DecryptOAEP(sha256.New(), nil, e.key, part("encrypted_aes_key"), nil)
	if err != nil || len(key) != 16 {
		e.t.Fatalf("a key of %d bytes, %v", len(key), err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		e.t.Fatal(err)
	}
	iv := part("initial_vector")
	gcm, err := cipher.NewGCMWithNonceSize(block, len(iv))
	if err != nil {
		e.t.Fatal(err)
	}
	plain, err := gcm.Open(nil, iv, part("encrypted_flow_data"), nil)
	if err != nil {
		e.t.Fatal(err)
	}
	if err := json.Unmarshal(plain, &e.got); err != nil {
		e.t.Fatal(err)
	}
	for i := range iv {
		iv[i] ^= 0xff
	}
	out := []byte(base64.StdEncoding.EncodeToString(gcm.Seal(nil, iv, []byte(e.answer), nil)))
	if e.spoil != nil {
		out = e.spoil(out)
	}
	return &http.Response{StatusCode: e.status, Body: io.NopCloser(bytes.NewReader(out))}, nil
}

func TestPing(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public, err := PublicKey(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	if err != nil {
		t.Fatal(err)
	}
	const active = `{"data":{"status":"active"}}`
	for name, tt := range map[string]struct {
		e    endpoint
		want string // in the error; empty: none
	}{
		"there":             {endpoint{status: 200, answer: active}, ""},
		"away":              {endpoint{status: 421, answer: active}, "421"},
		"a wrong signature": {endpoint{status: 432}, "signature"},
		"not active":        {endpoint{status: 200, answer: `{"data":{"status":"asleep"}}`}, "asleep"},
		"not JSON":          {endpoint{status: 200, answer: "yes"}, "not what was asked for"},
		"in clear":          {endpoint{status: 200, answer: active, spoil: func([]byte) []byte { return []byte(active) }}, "base64"},
		"tampered with":     {endpoint{status: 200, answer: active, spoil: func(b []byte) []byte { b[0] ^= 1; return b }}, "answer"},
		"nothing at all":    {endpoint{status: 200, answer: active, spoil: func([]byte) []byte { return nil }}, "decrypted"},
	} {
		tt.e.t, tt.e.key = t, key
		err := (&Endpoint{Web: &tt.e, URL: "https://shop.example/flow", Key: public, Secret: "s"}).Ping(context.Background())
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
		if tt.e.got["action"] != "ping" || tt.e.got["version"] != Version {
			t.Errorf("%s: the endpoint was asked %v", name, tt.e.got)
		}
	}
	for _, text := range []string{"", "a key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"} {
		if _, err := PublicKey(text); err == nil {
			t.Errorf("%q is taken for a key", text)
		}
	}
}

func TestAsk(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		e    endpoint
		want string // the screen and its data, or the error
	}{
		"a screen":               {endpoint{status: 200, answer: `{"screen":"TWO","data":{"a":1}}`}, `TWO {"a":1}`},
		"without data":           {endpoint{status: 200, answer: `{"screen":"TWO"}`}, "TWO "},
		"no object":              {endpoint{status: 200, answer: `[1]`}, "the answer must be an object, and is an array"},
		"a number as screen":     {endpoint{status: 200, answer: `{"screen":2}`}, "the answer's screen is a number, which it cannot be"},
		"a list as data":         {endpoint{status: 200, answer: `{"screen":"TWO","data":[]}`}, "the answer's data is an array, which it cannot be"},
		"no screen":              {endpoint{status: 200, answer: `{"data":{}}`}, "the answer of the endpoint names no screen"},
		"over":                   {endpoint{status: 427, answer: `{"error_msg":"Sold out"}`}, "427 Sold out"},
		"over, said in clear":    {endpoint{status: 427, spoil: func([]byte) []byte { return []byte(`{"error_msg":"Sold out"}`) }}, "427 Sold out"},
		"over, and nothing said": {endpoint{status: 427, spoil: func([]byte) []byte { return nil }}, "427 "},
	} {
		tt.e.t, tt.e.key = t, key
		e := &Endpoint{Web: &tt.e, URL: "https://shop.example/flow", Key: &key.PublicKey, Secret: "s"}
		answer, err := e.Ask(context.Background(), Request{Action: "data_exchange", Screen: "ONE", Data: []byte(`{"b":2}`), Token: "t"})
		got := fmt.Sprint(err)
		if answer != nil {
			got = answer.Screen + " " + string(answer.Data)
		}
		if refused, ok := errors.AsType[*StatusError](err); ok {
			got = fmt.Sprint(refused.Status, " ", refused.Text)
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
		if fmt.Sprint(tt.e.got) != "map[action:data_exchange data:map[b:2] flow_token:t screen:ONE version:3.0]" {
			t.Errorf("%s: the endpoint was asked %v", name, tt.e.got)
		}
	}
}
