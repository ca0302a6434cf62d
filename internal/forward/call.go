package forward

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// RefusedError is a server's no: nothing changes it but the person who asks.
type RefusedError struct {
	Status int
	Detail string // what the server says
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the server says %d: %s", e.Status, e.Detail)
}

// Call makes a call of the management API. in goes along as JSON, nil is no body; the answer is decoded into out. A no of the server is a
// *RefusedError.
func (c *Client) Call(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("encode a request: %w", err)
		}
	}
	res, err := c.do(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		return fmt.Errorf("read an answer: %w", err)
	}
	return nil
}

// get asks for a path, and returns a success or an error.
func (c *Client) get(ctx context.Context, path string) (*http.Response, error) {
	return c.do(ctx, http.MethodGet, path, nil)
}

func (c *Client) do(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.Server, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("the server's address: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.Key)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, fmt.Errorf("the server does not answer: %w", err)
	}
	if res.StatusCode/100 == 2 {
		return res, nil
	}
	defer func() { _ = res.Body.Close() }()
	text, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer)) // what there is of it is told
	var problem struct{ Title, Detail string }
	if json.Unmarshal(text, &problem) != nil || problem.Detail+problem.Title == "" {
		problem.Detail = http.StatusText(res.StatusCode)
	}
	return nil, &RefusedError{res.StatusCode, strings.Trim(problem.Title+": "+problem.Detail, ": ")}
}
