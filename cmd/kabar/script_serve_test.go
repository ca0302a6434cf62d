package main

import (
	"net"
	"os"
	"os/exec"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdFree puts an address that nobody listens on into a variable: free NAME.
func cmdFree(ts *testscript.TestScript, _ bool, args []string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], ln.Addr().String())
	ts.Check(ln.Close())
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
