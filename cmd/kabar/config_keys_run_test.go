package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"

	"kabar/internal/patience"
	"kabar/internal/secrets"
)

// conf is a configuration file.
type conf map[string]any

// with returns c with some keys changed; a nil value takes one out.
func (c conf) with(more conf) conf {
	out := maps.Clone(c)
	for key, value := range more {
		if out[key] = value; value == nil {
			delete(out, key)
		}
	}
	return out
}

// write writes c to a file.
func (c conf) write(t *testing.T) string {
	t.Helper()
	text, err := yaml.Marshal(map[string]any(c))
	if err != nil {
		t.Fatal(err)
	}
	return textFile(t, "kabar.yaml", string(text))
}

func textFile(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// minimal is the least a program starts with: on a port of its own, and in place of the network an address where nobody is.
func minimal(t *testing.T, program string) conf {
	t.Helper()
	dir, err := os.MkdirTemp("", "kabar-") //nolint:usetesting // t.TempDir is too long for the control socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	c := conf{"data": filepath.Join(dir, program), "addr": "127.0.0.1:0"}
	if program != "relay" {
		c["relay"] = "ws://127.0.0.1:1"
	}
	if program == "serve" {
		c["master-key-file"] = filepath.Join(dir, "master.key")
		if _, err := secrets.CreateMasterKey(filepath.Join(dir, "master.key")); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// output takes what a program writes, from any goroutine.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// running is a program within the test's process.
type running struct {
	t        *testing.T
	name     string
	data     string // its folder
	addr     string // where it answers
	out, log output
	end      func() // returns when it has ended
}

// announced is the line in which a program says where it answers; the name in it may be one that only the operator's DNS knows.
var announced = regexp.MustCompile(`(?:serves|relays at|phones at) \w+://\S+:([0-9]+)`)

// launch runs a program until the test ends, or end is called, and waits until it answers.
func launch(t *testing.T, name string, c conf) *running {
	t.Helper()
	return launchWith(t, name, c, []string{"--config", c.write(t)}, nil)
}

func launchWith(t *testing.T, name string, c conf, args, environ []string) *running {
	t.Helper()
	r := &running{t: t, name: name, data: c["data"].(string)}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan int, 1)
	go func() { done <- run(ctx, append([]string{name}, args...), environ, streams{&r.out, &r.log}) }()
	r.end = sync.OnceFunc(func() {
		stop()
		if status := <-done; status != 0 {
			t.Errorf("kabar %s ended with %d\n%s%s", name, status, r.out.String(), r.log.String())
		}
	})
	t.Cleanup(r.end)
	patience.Until(t, "an address of kabar "+name, func() bool {
		select {
		case status := <-done:
			done <- status
			t.Fatalf("kabar %s %v ended with %d\n%s%s", name, c, status, r.out.String(), r.log.String())
		default:
		}
		if m := announced.FindStringSubmatch(r.out.String()); m != nil {
			host, _, _ := strings.Cut(c["addr"].(string), ":")
			r.addr = host + ":" + m[1]
		}
		return r.addr != ""
	})
	return r
}

// rejected runs a program that must not start, and returns what it says.
func rejected(t *testing.T, name string, c conf) string {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience.Limit)
	defer stop()
	var out, log output
	if status := run(ctx, []string{name, "--config", c.write(t)}, nil, streams{&out, &log}); status == 0 {
		t.Errorf("kabar %s %v was not refused: %s", name, c, out.String())
	}
	return log.String()
}

// kabarDoes runs another command and returns what it prints.
func kabarDoes(t *testing.T, args ...string) string {
	t.Helper()
	var out, log output
	if status := run(t.Context(), args, nil, streams{&out, &log}); status != 0 {
		t.Fatalf("kabar %s: status %d, %s", strings.Join(args, " "), status, log.String())
	}
	return out.String()
}

// printed runs a command that prints JSON.
func printed[T any](t *testing.T, args ...string) (v T) {
	t.Helper()
	if text := kabarDoes(t, append(args, "--json")...); json.Unmarshal([]byte(text), &v) != nil {
		t.Fatalf("kabar %s prints %s", strings.Join(args, " "), text)
	}
	return v
}

// alive is a path that each program answers with 200.
var alive = map[string]string{"serve": "/livez", "relay": "/livez", "phone": "/api/customers"}

// webClient trusts every certificate, holds no connection and follows nothing.
var webClient = &http.Client{Timeout: patience.Limit,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}

// answer is what a program has answered.
type answer struct {
	status int
	body   string
	header http.Header
	tls    *tls.ConnectionState
}

// ask makes a request. Headers are "Name: value"; Host is one of them.
func ask(t *testing.T, method, url, body string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if req.Header.Set(name, value); name == "Host" {
			req.Host = value
		}
	}
	res, err := webClient.Do(req)
	if err != nil {
		t.Errorf("%s %s: %v", method, url, err)
		return answer{}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Errorf("%s %s: %v", method, url, err)
	}
	return answer{res.StatusCode, string(text), res.Header, res.TLS}
}

// get asks the program for a page that it has.
func (r *running) get(scheme string, headers ...string) answer {
	r.t.Helper()
	return ask(r.t, http.MethodGet, scheme+"://"+r.addr+alive[r.name], "", headers...)
}
