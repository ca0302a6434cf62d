package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdFree puts an address that nobody listens on into a variable: free NAME.
func cmdFree(ts *testscript.TestScript, _ bool, args []string) {
	address, err := unused()
	ts.Check(err)
	ts.Setenv(args[0], address)
}

// cmdRecipe does what the last error says: it runs the command behind "to make one:".
func cmdRecipe(ts *testscript.TestScript, _ bool, _ []string) {
	_, recipe, ok := strings.Cut(ts.ReadFile("stderr"), "to make one: ")
	if !ok {
		ts.Fatalf("the error says no command")
	}
	cmd := exec.Command("sh", "-c", recipe)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH")) // where the program under test is
	out, err := cmd.CombinedOutput()
	ts.Logf("%s%s", recipe, out)
	ts.Check(err)
}

// moveToTLS is "sink tls FILE".
func moveToTLS(ts *testscript.TestScript, s *sink, file string) {
	s.server.Close()
	s.server = httptest.NewUnstartedServer(s)
	s.server.Config.ErrorLog = log.New(io.Discard, "", 0) // that handshakes fail is what is tested
	s.server.StartTLS()
	ts.Defer(s.server.Close)
	ts.Setenv("HOOK", s.server.URL+"/hook")
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.server.Certificate().Raw})
	ts.Check(os.WriteFile(ts.MkAbs(file), authority, 0o600))
}

// client returns who makes the requests of a script.
func client(ts *testscript.TestScript) *http.Client {
	file := ts.Getenv("CA")
	if file == "" {
		return http.DefaultClient
	}
	roots := x509.NewCertPool()
	if text, err := os.ReadFile(ts.MkAbs(file)); err == nil { // without it, nothing is trusted yet
		roots.AppendCertsFromPEM(text)
	}
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots}}}
}

// cmdPage writes the commands of a page of docs, each block "sh NAME" into NAME.sh: page FILE. A program that goes on takes the
// shell's place, so that the script can end it.
func cmdPage(ts *testscript.TestScript, _ bool, args []string) {
	text, err := os.ReadFile(filepath.Join("../../docs", args[0]))
	ts.Check(err)
	program := regexp.MustCompile(`(?m)^kabar (relay --|serve|phone)`)
	for _, m := range regexp.MustCompile("(?ms)^```sh (\\w+)\n(.*?)^```$").FindAllSubmatch(text, -1) {
		ts.Check(os.WriteFile(ts.MkAbs(string(m[1])+".sh"), program.ReplaceAll(m[2], []byte("exec $0")), 0o600))
	}
}
