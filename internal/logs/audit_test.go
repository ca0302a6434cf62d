package logs_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kabar/internal/logs"
)

// levels are the methods that write a line; those with Context take it first.
var levels = map[string]int{"Debug": 0, "Info": 0, "Warn": 0, "Error": 0, "DebugContext": 1, "InfoContext": 1, "WarnContext": 1, "ErrorContext": 1}

// TestWhatTheProductLogs reads every call of a logger in the source: the message is fixed, and no attribute has a name under
// which secrets and contents are known.
func TestWhatTheProductLogs(t *testing.T) {
	found := 0
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == ".git"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil //nolint:nilerr // the compiler says more about it
		}
		for n := range ast.Preorder(file) {
			if call, ok := n.(*ast.CallExpr); ok && isLogCall(call) {
				found++
				auditCall(t, name, call)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 50 {
		t.Errorf("found only %d calls: this test misses its mark", found)
	}
}

// isLogCall says whether a call writes to something that is called log or Log.
func isLogCall(call *ast.CallExpr) bool {
	fun, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	if _, ok := levels[fun.Sel.Name]; !ok {
		return false
	}
	switch on := fun.X.(type) {
	case *ast.Ident:
		return strings.EqualFold(on.Name, "log")
	case *ast.SelectorExpr:
		return strings.EqualFold(on.Sel.Name, "log")
	}
	return false
}

func auditCall(t *testing.T, file string, call *ast.CallExpr) {
	t.Helper()
	args := call.Args[min(levels[call.Fun.(*ast.SelectorExpr).Sel.Name], len(call.Args)):]
	if len(args) == 0 {
		return // not slog: its compiler error, or somebody else's method
	}
	if !isFixed(args[0]) {
		t.Errorf("%s: a message is put together: use attributes, which are masked by their names", file)
	}
	for _, a := range args[1:] {
		if lit, ok := a.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if key, err := strconv.Unquote(lit.Value); err == nil && slices.Contains(neverShown(t), key) {
				t.Errorf("%s: the attribute %q is never shown: do not hand it to the log at all", file, key)
			}
		}
	}
}

// isFixed says whether a message is a constant, or a name that was handed down.
func isFixed(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit, *ast.Ident:
		return true
	case *ast.BinaryExpr: // a long text in two lines
		_, left := e.X.(*ast.BasicLit)
		_, right := e.Y.(*ast.BasicLit)
		return left && right
	}
	return false
}

// neverShown are names of secrets and contents, as the log itself treats them.
func neverShown(t *testing.T) (names []string) {
	t.Helper()
	for _, name := range []string{"api_key", "authorization", "body", "caption", "content", "cookie", "credential", "invite", "master_key", "passphrase",
		"password", "payload", "pin", "recovery", "secret", "text", "token"} {
		var b bytes.Buffer
		l, err := logs.New(&b, logs.Options{Numbers: true})
		if err != nil {
			t.Fatal(err)
		}
		if l.Logger().Info("m", slog.String(name, "shown")); strings.Contains(b.String(), "shown") {
			t.Errorf("%s is shown", name)
		}
		names = append(names, name)
	}
	return names
}
