//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// call makes one request and returns the body of a 2xx.
func call(ctx context.Context, method, url, key, body string) (string, error) {
	return send(ctx, method, url, key, body, "application/json")
}

// post makes one POST request with a body of some type and returns the body of a 2xx.
func post(ctx context.Context, url, key, body string, contentType ...string) (string, error) {
	return send(ctx, http.MethodPost, url, key, body, append(contentType, "application/json")[0])
}

func send(ctx context.Context, method, url, key, body, contentType string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", contentType)
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := (&http.Client{Timeout: readyWithin}).Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }() // it is read below
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s %s", method, url, res.Status, text)
	}
	return string(text), err
}

// idIn returns the id in an answer to an upload, of either API; "" if there is none.
func idIn(answer string) string {
	var got struct {
		ID    string
		Media []struct{ ID string }
	}
	if json.Unmarshal([]byte(answer), &got) != nil {
		return ""
	}
	for _, m := range got.Media {
		return m.ID
	}
	return got.ID
}
