package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// The commands of docs/deploy.md find programs of the machine first in their PATH that stand in for the real ones. sudo,
// chown and install are a few lines of shell. The others hand their arguments to the test's process by a Unix socket, and
// print what it answers.

// shellShims are programs that need nothing of the test. The service's user does not exist here, so sudo takes from whoever
// acts as that user what is root's alone: the file of the master key.
var shellShims = map[string]string{
	"sudo": `if [ "$1" != -u ]; then exec "$@"; fi
user=$2; shift 2
key=$DEPLOY_ROOT/etc/kabar/master.key
if [ "$user" = root ] || [ ! -e "$key" ]; then exec "$@"; fi
mv "$key" "$key.of-root"
"$@"; code=$?
mv "$key.of-root" "$key"
exit $code`,
	"chown": `while [ $# -gt 1 ]; do shift; done
exec test -e "$1"`,
	"install": `args=
while [ $# -gt 0 ]; do case "$1" in -o | -g) shift 2 ;; *) args="$args $1"; shift ;; esac; done
exec /usr/bin/install $args`,
}

// shimCall is a call of a program that is played by the test's process.
type shimCall struct {
	Name string   `json:"name"`
	Args []string `json:"args"`
}

type shimAnswer struct {
	Out  string `json:"out"`
	Err  string `json:"err"`
	Code int    `json:"code"`
}

// deployShim is the program behind the shims: deploy-shim NAME ARGS.
func deployShim() {
	conn, err := net.Dial("unix", os.Getenv("DEPLOY_SOCKET"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(125)
	}
	var a shimAnswer
	err = json.NewEncoder(conn).Encode(shimCall{os.Args[1], os.Args[2:]})
	if err == nil {
		err = json.NewDecoder(conn).Decode(&a)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "the test does not answer:", err)
		os.Exit(125)
	}
	fmt.Print(a.Out)
	fmt.Fprint(os.Stderr, a.Err)
	os.Exit(a.Code)
}

// answerShims plays the programs until the listener is closed.
func answerShims(ln net.Listener, programs map[string]func(args []string) (string, error)) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			var c shimCall
			if json.NewDecoder(conn).Decode(&c) != nil {
				return
			}
			var a shimAnswer
			if a.Out, err = programs[c.Name](c.Args); err != nil {
				a.Err, a.Code = fmt.Sprintf("%s: %v\n", c.Name, err), 1
			}
			_ = json.NewEncoder(conn).Encode(a) // whoever asked has gone if this fails
		}()
	}
}

// writeShims fills a folder for PATH. self is the test's program under the name deploy-shim.
func writeShims(dir, self string, played []string) error {
	shims := maps.Clone(shellShims)
	for _, name := range played {
		shims[name] = fmt.Sprintf("exec %s %s \"$@\"", self, name)
	}
	for name, body := range shims {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
			return err
		}
	}
	return nil
}

// curl makes a request as the program of that name does, for the options that the pages use. Unlike curl it fails when the
// answer is not 2xx: a reader would notice.
func curl(args []string) (string, error) {
	r := curlRequest{header: http.Header{}}
	if err := r.parse(args); err != nil {
		return "", err
	}
	method := r.method
	switch {
	case method == "" && r.body != "":
		method = http.MethodPost
	case method == "":
		method = http.MethodGet
	}
	req, err := http.NewRequest(method, r.url, strings.NewReader(r.body))
	if err != nil {
		return "", err
	}
	req.Header = r.header
	if user, password, ok := strings.Cut(r.user, ":"); ok {
		req.SetBasicAuth(user, password)
	}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &r.tls, DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := io.Copy(&b, res.Body); err != nil {
		return b.String(), err
	}
	if res.StatusCode/100 != 2 {
		return b.String() + "\n", errors.New(res.Status)
	}
	return b.String() + "\n", nil
}

type curlRequest struct {
	method, url, body, user string
	header                  http.Header
	tls                     tls.Config
}

// parse reads the options.
func (r *curlRequest) parse(args []string) error {
	for i := 0; i < len(args); i++ {
		value := func() string {
			if i++; i < len(args) {
				return args[i]
			}
			return ""
		}
		switch arg := args[i]; {
		case arg == "--cacert":
			if err := r.trust(value()); err != nil {
				return err
			}
		case strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--"):
			for _, letter := range arg[1:] {
				if err := r.set(letter, value); err != nil {
					return err
				}
			}
		case r.url == "" && !strings.HasPrefix(arg, "-"):
			r.url = arg
		default:
			return fmt.Errorf("the curl of this test does not know %s", arg)
		}
	}
	return nil
}

func (r *curlRequest) set(letter rune, value func() string) error {
	switch letter {
	case 's', 'S', 'f': // nothing else is shown or done anyway
	case 'k':
		r.tls.InsecureSkipVerify = true
	case 'X':
		r.method = value()
	case 'd':
		r.body = value()
	case 'u':
		r.user = value()
	case 'H':
		name, text, _ := strings.Cut(value(), ": ")
		r.header.Set(name, text)
	default:
		return fmt.Errorf("the curl of this test does not know -%c", letter)
	}
	return nil
}

func (r *curlRequest) trust(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	r.tls.RootCAs = x509.NewCertPool()
	if !r.tls.RootCAs.AppendCertsFromPEM(text) {
		return fmt.Errorf("%s holds no certificate", file)
	}
	return nil
}
