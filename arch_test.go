package kabar_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// These tests hold the one direction of dependency. They read the source of every package, tests left out, whatever
// system a file is built for.

// pkg is the source of one package.
type pkg struct {
	imports map[string]bool // in the short form of places, or as they are
	files   map[string]*ast.File
}

// module reads every package of the module, by its short form.
func module(t *testing.T) map[string]*pkg {
	t.Helper()
	all := map[string]*pkg{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			return err
		}
		id := short("kabar/" + path.Dir(filepath.ToSlash(name)))
		if all[id] == nil {
			all[id] = &pkg{map[string]bool{}, map[string]*ast.File{}}
		}
		all[id].files[filepath.ToSlash(name)] = file
		for _, i := range file.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			all[id].imports[short(imported)] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("found only %d packages: these tests miss their mark", len(all))
	}
	return all
}

// short returns the form of an import path that places uses; paths of other modules stay.
func short(importPath string) string {
	if importPath == "kabar" || importPath == "kabar/." {
		return "."
	}
	s, ours := strings.CutPrefix(importPath, "kabar/")
	if !ours {
		return importPath
	}
	return strings.TrimPrefix(s, "internal/")
}

// isStandard says whether an import path is of the standard library: its first element has no dot.
func isStandard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

// matches says whether a package is named by a list of patterns.
func matches(id, patterns string) bool {
	return slices.ContainsFunc(strings.Fields(patterns), func(p string) bool {
		below, tree := strings.CutSuffix(p, "/...")
		return id == p || p == "*" && id != "." || tree && (id == below || strings.HasPrefix(id, below+"/"))
	})
}

// reach returns every package of the module that one depends on, with the way there.
func reach(all map[string]*pkg, from string) map[string]string {
	ways := map[string]string{}
	var visit func(id, way string)
	visit = func(id, way string) {
		for _, next := range slices.Sorted(maps.Keys(all[id].imports)) {
			if all[next] == nil || ways[next] != "" {
				continue
			}
			ways[next] = way + " -> " + next
			visit(next, ways[next])
		}
	}
	visit(from, from)
	return ways
}

// check returns what is wrong with the dependencies of a module.
func check(all map[string]*pkg) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for id, p := range all {
		for to, way := range reach(all, id) {
			faults = append(faults, checkWay(id, to, way)...)
		}
		row, ok := places[id]
		if !ok {
			fault("%s has no place yet: decide where it stands, and give it a row in places", id)
			continue
		}
		for imported := range p.imports {
			switch {
			case all[imported] != nil:
				if !matches(imported, row.may) {
					fault("%s may not import %s: if it must, its row in places says so", id, imported)
				}
			case isStandard(imported):
				faults = append(faults, checkStandard(id, imported)...)
			default:
				if !slices.ContainsFunc(strings.Fields(row.outside), func(m string) bool { return imported == m || strings.HasPrefix(imported, m+"/") }) {
					fault("%s may not import %s: if it must, its row in places says so", id, imported)
				}
			}
		}
	}
	for id := range places {
		if all[id] == nil {
			fault("%s is gone: so is its row in places", id)
		}
	}
	return faults
}

func checkStandard(id, imported string) (faults []string) {
	for _, s := range standard {
		if imported == s.pkg && !matches(id, s.only) {
			faults = append(faults, fmt.Sprintf("%s may not import %s: %s", id, imported, s.why))
		}
	}
	if id == "." && !matches(imported, vocabulary) {
		faults = append(faults, fmt.Sprintf("the root package may not import %s: it is a vocabulary, without I/O", imported))
	}
	return faults
}

func checkWay(from, to, way string) (faults []string) {
	for _, b := range bans {
		if from != to && matches(from, b.from) && matches(to, b.to) {
			faults = append(faults, fmt.Sprintf("%s must not reach %s (%s): %s", from, to, way, b.why))
		}
	}
	if slices.Contains(dialects, from) && slices.Contains(dialects, to) {
		faults = append(faults, fmt.Sprintf("the dialects %s and %s must not know each other (%s)", from, to, way))
	}
	if matches(to, "torture/...") && !matches(from, "torture/...") {
		faults = append(faults, fmt.Sprintf("%s must not reach %s (%s): the product knows nothing of its crash harness", from, to, way))
	}
	if slices.Contains(fakes, to) && !slices.Contains(fakes, from) {
		faults = append(faults, fmt.Sprintf("%s is for tests, not for %s (%s)", to, from, way))
	}
	return faults
}

func TestTheOneDirectionOfDependency(t *testing.T) {
	for _, fault := range check(module(t)) {
		t.Error(fault)
	}
}

// TestTheRulesBite adds one import to the module at a time: each must be noticed.
func TestTheRulesBite(t *testing.T) {
	base := module(t)
	for _, c := range []struct{ from, to, want string }{
		{"relayserver", "e2ee", "must not reach e2ee"},
		{"sqlite", "e2ee", "relayserver must not reach e2ee"},
		{"network/relay", "store", "must not reach store"},
		{"store", "engine", "must not reach engine"},
		{"engine", "network/relay", "must not reach network/relay"},
		{"webhook", "engine", "must not reach engine"},
		{"phone", "engine", "must not reach engine"},
		{"onprem", "cmd/kabar", "must not reach cmd/kabar"},
		{"e2ee", ".", "must not reach ."},
		{"engine", "network/networktest", "is for tests"},
		{"engine", "torture/failpoint", "knows nothing of its crash harness"},
		{"commit", "lanes", "may not import lanes"},
		{"engine", "github.com/jackc/pgx/v5", "may not import github.com/jackc/pgx/v5"},
		{"engine", "os/exec", "may not import os/exec"},
		{"store", "math/rand", "may not import math/rand"},
		{".", "os", "root package may not import os"},
		{".", "net/http", "root package may not import net/http"},
		{"novelty", "fmt", "novelty has no place yet"},
		{"graph", "onprem", "the dialects graph and onprem"},
	} {
		all := maps.Clone(base)
		all[c.from] = &pkg{imports: map[string]bool{c.to: true}}
		if p := base[c.from]; p != nil {
			maps.Copy(all[c.from].imports, p.imports)
		}
		if faults := check(all); !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, c.want) }) {
			t.Errorf("%s imports %s: nothing says %q in %q", c.from, c.to, c.want, faults)
		}
	}
}

// TestRulesTakeTheTimeAsAnArgument: a package of clocked does not look at the clock by itself.
func TestRulesTakeTheTimeAsAnArgument(t *testing.T) {
	all := module(t)
	for id, defaults := range clocked {
		for name, file := range all[id].files {
			calls := map[ast.Expr]bool{}
			for n := range ast.Preorder(file) {
				if call, ok := n.(*ast.CallExpr); ok {
					calls[call.Fun] = true
				}
				sel, ok := n.(*ast.SelectorExpr)
				if !ok || !isClock(sel, id == ".") {
					continue
				}
				if calls[sel] || !slices.Contains(defaults, name) {
					t.Errorf("%s uses time.%s: take the time as an argument", name, sel.Sel.Name)
				}
			}
		}
	}
}

// isClock says whether an expression looks at the clock. Waiting does, too, in a package that must not even wait.
func isClock(sel *ast.SelectorExpr, waiting bool) bool {
	x, ok := sel.X.(*ast.Ident)
	if !ok || x.Name != "time" {
		return false
	}
	switch sel.Sel.Name {
	case "Now", "Since", "Until":
		return true
	case "After", "AfterFunc", "NewTicker", "NewTimer", "Sleep", "Tick":
		return waiting
	}
	return false
}

// TestNothingHappensByImporting: no init function, but in generated code.
func TestNothingHappensByImporting(t *testing.T) {
	for _, p := range module(t) {
		for name, file := range p.files {
			for _, d := range file.Decls {
				f, ok := d.(*ast.FuncDecl)
				if ok && f.Recv == nil && f.Name.Name == "init" && !ast.IsGenerated(file) {
					t.Errorf("%s has an init function", name)
				}
			}
		}
	}
}
