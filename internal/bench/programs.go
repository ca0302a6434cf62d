package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// nowhere is where no relay listens. What is accepted waits in the store.
const nowhere = "ws://127.0.0.1:1"

// server is the business server in a process of its own.
type server struct {
	*process
	addr  string
	debug string // where its metrics are
	token string
}

// serve starts the server of a world, whose store must be closed, and waits until its API answers.
func (b *bench) serve(ctx context.Context, w *world, relay string) (*server, error) {
	debug, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	args := []string{"serve", "--data", w.dir, "--master-key-file", w.master, "--relay", relay, "--addr", "127.0.0.1:0", "--debug-addr", debug,
		"--egress-allow", "127.0.0.0/8"}
	if w.url != "" {
		args = append(args, "--database", w.url)
	}
	p, err := b.start(ctx, "serve", args...)
	if err != nil {
		return nil, err
	}
	s := &server{process: p, debug: debug, token: w.token}
	host, err := p.address(ctx)
	if err != nil {
		return nil, err
	}
	s.addr = host
	return s, b.until(ctx, startTime, "the server's API", func() error {
		_, err := b.call(ctx, s.token, http.MethodGet, "http://"+s.addr+"/v1/settings/application", nil)
		return err
	})
}

// settings changes application settings of the number.
func (b *bench) settings(ctx context.Context, s *server, body string) error {
	_, err := b.call(ctx, s.token, http.MethodPatch, "http://"+s.addr+"/v1/settings/application", []byte(body))
	return err
}

// canBatch tells whether the server can put several events into one webhook request: a server that cannot does not show the
// setting.
func (b *bench) canBatch(ctx context.Context, s *server) bool {
	if b.batch(ctx, s, batchSize) != nil {
		return false
	}
	text, err := b.call(ctx, s.token, http.MethodGet, "http://"+s.addr+"/v1/settings/application", nil)
	return err == nil && bytes.Contains(text, fmt.Appendf(nil, `"batch":%d`, batchSize))
}

// batchSize is how many events a request holds at most when it is measured.
const batchSize = 10

func (b *bench) batch(ctx context.Context, s *server, n int) error {
	return b.settings(ctx, s, fmt.Sprintf(`{"webhooks":{"batch":%d}}`, n))
}

// refusedError is an answer that is no success.
type refusedError struct {
	status int
	text   string
}

func (e *refusedError) Error() string { return "answered " + strconv.Itoa(e.status) + ": " + e.text }

// call makes a request that is not measured.
func (b *bench) call(ctx context.Context, token, method, url string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := b.client.Do(req)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %w", method, url, &refusedError{res.StatusCode, string(text)})
	}
	return text, err
}

const lookEvery = 5 * time.Millisecond

// until asks again and again until something holds, or too much time has passed.
func (b *bench) until(ctx context.Context, within time.Duration, what string, ok func() error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		err := ok()
		if err == nil {
			return nil
		}
		if wait(ctx, lookEvery); ctx.Err() != nil {
			return fmt.Errorf("wait for %s: %w", what, errors.Join(context.Cause(ctx), err))
		}
	}
}
