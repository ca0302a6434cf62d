package certs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	requestTime = time.Minute // for one request to the authority
	maxAnswer   = 1 << 20     // bytes of its answer
)

// client returns a client whose requests end with ctx, whatever their own context: the library gives them one that nobody
// can end. What the authority complains of is noted in c. It goes nowhere but to the authority that the operator chose, so
// not through internal/egress.
func client(ctx context.Context, c *complaints) *http.Client {
	base := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSHandshakeTimeout: requestTime / 4, IdleConnTimeout: requestTime}
	return &http.Client{Timeout: requestTime, Transport: &transport{ctx, base, c}}
}

// transport lives as long as a context. It reads answers whole: then nothing outlives RoundTrip.
type transport struct {
	ctx      context.Context
	base     *http.Transport
	complain *complaints
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(t.ctx, cancel)()
	answer, err := t.base.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return nil, err
	}
	if len(body) > maxAnswer {
		return nil, errors.New("the authority's answer has more than 1 MiB")
	}
	t.complain.note(body)
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

// complaints keep why the authority could not make sure of a domain. The library knows, and says only that it could not.
type complaints struct {
	mu   sync.Mutex
	last string
}

// note looks whether an answer is a failed authorization (RFC 8555, section 7.1.4).
func (c *complaints) note(answer []byte) {
	var authorization struct {
		Challenges []struct {
			Error *struct {
				Detail string `json:"detail"`
			} `json:"error"`
		} `json:"challenges"`
	}
	if json.Unmarshal(answer, &authorization) != nil {
		return // a certificate, say
	}
	for _, challenge := range authorization.Challenges {
		if challenge.Error != nil {
			c.mu.Lock()
			c.last = challenge.Error.Detail
			c.mu.Unlock()
		}
	}
}

// explain adds to a failure what the authority has complained of since the last one.
func (c *complaints) explain(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == "" {
		return err
	}
	err = fmt.Errorf("%w; the authority says %q: the domain must lead to this server, at port 443 or, with a listener there, 80", err, c.last)
	c.last = ""
	return err
}
