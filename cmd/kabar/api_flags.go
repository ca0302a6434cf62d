package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"kabar/internal/control"
	"kabar/internal/forward"
)

// apiFlags say which server a developer's command asks, by HTTP and with a key.
type apiFlags struct {
	Data    string `help:"Data folder of a kabar dev that runs on this machine: it knows the address, and has a key." default:"kabar-data" type:"path" env:"-"`
	Server  string `help:"Another server, by its URL; then --key, too." placeholder:"URL" env:"-"`
	Key     string `help:"API key, from kabar key add --role developer." secret:"" placeholder:"KEY" env:"-"`
	KeyFile string `help:"File with the key." type:"path" placeholder:"FILE" env:"-"`
}

// access is a server that answers, and a key for it.
type access struct{ server, key string }

// resolve finds the server, and the key.
func (f *apiFlags) resolve(ctx context.Context) (access, error) {
	key, err := secret("key", f.Key, f.KeyFile)
	if err != nil {
		return access{}, err
	}
	if f.Server == "" {
		return f.local(ctx, key)
	}
	u, err := url.Parse(f.Server)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return access{}, &usageError{fmt.Errorf("--server %s: give a URL, such as https://api.shop.example", f.Server)}
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return access{}, &usageError{fmt.Errorf("--server %s: a key goes to another machine by https only", f.Server)}
	}
	if key == "" {
		return access{}, &usageError{errors.New("--server needs a key: --key-file FILE. On the server, kabar key add --role developer makes one")}
	}
	return access{f.Server, key}, nil
}

// local finds the server that runs on the data folder, and the key that kabar dev keeps there.
func (f *apiFlags) local(ctx context.Context, key string) (access, error) {
	op, err := f.dial(ctx)
	if errors.Is(err, control.ErrNotRunning) {
		return access{}, fmt.Errorf("--data %s: no server runs here. Start one with kabar dev --data %[1]s, or name another: --server URL --key-file FILE", f.Data)
	}
	if err != nil {
		return access{}, err
	}
	var addr string
	if err := op.Call(ctx, "address", struct{}{}, &addr, nil); err != nil {
		return access{}, err
	}
	if host, _, err := net.SplitHostPort(addr); err != nil || !net.ParseIP(host).IsLoopback() {
		return access{}, fmt.Errorf("--data %s: the server listens at %s, for others than this machine: name it with --server https://… and --key-file FILE", f.Data, addr)
	}
	if key == "" {
		text, err := os.ReadFile(filepath.Join(f.Data, "credentials.json"))
		var own credentials
		if err == nil {
			err = json.Unmarshal(text, &own)
		}
		if err != nil {
			return access{}, fmt.Errorf("--data %s: this server keeps no key that a command could use: give --key-file FILE. kabar key add --role developer --data %[1]s makes one", f.Data)
		}
		key = own.APIKey
	}
	return access{"http://" + addr, key}, nil
}

// dial reaches the server of kabar dev, or that of a folder of kabar serve.
func (f *apiFlags) dial(ctx context.Context) (*control.Client, error) {
	op, err := control.Dial(ctx, filepath.Join(f.Data, "server"))
	if errors.Is(err, control.ErrNotRunning) {
		return control.Dial(ctx, f.Data)
	}
	return op, err
}

// client reads events. What it has to say about the connection goes to the person.
func (a access) client(lost func(error)) *forward.Client {
	return &forward.Client{Server: a.server, Key: a.key, HTTP: httpClient(), Lost: lost}
}

// httpClient is that of a developer's command: for streams, so without a time for the whole, and without redirects, which would take the key
// elsewhere.
func httpClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: 30 * time.Second, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// appClient posts to an application: without a proxy, and what it answers is its answer, a redirect too.
func appClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 16},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// denied adds to a server's no what to do about it.
func denied(err error) error {
	refused, ok := errors.AsType[*forward.RefusedError](err)
	switch {
	case ok && (refused.Status == http.StatusUnauthorized || refused.Status == http.StatusForbidden):
		return fmt.Errorf("%w\nThe key needs the scope read: kabar key add --role developer, on the server", err)
	case ok && refused.Status == http.StatusBadRequest:
		return &usageError{err}
	}
	return err
}
