// Package instrument makes the harness's build of the product: the source as it stands, in which comments that name a
// moment have become failpoints and seeded faults have been put in. It hands the changed files to the compiler as an
// overlay (go build -overlay), so nothing of it is in the product's source or binary.
package instrument

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// Edit replaces a piece of a source file that must stand there exactly once: an edit that no longer fits is an error, so
// that a fault which has no place any more is not taken for one that was caught.
type Edit struct {
	File string // from the module's root
	Old  string
	New  string // may call _torture.Mutant("M1")
}

// Source is a tree of the product's source, and what is to be changed in it.
type Source struct {
	Root  string // of the module
	Edits []Edit
	Added map[string]string // files that only the harness's build has: path from the root, content
}

// imported is how changed files name package failpoint.
const imported = `; import _torture "kabar/internal/torture/failpoint"`

var (
	moment = regexp.MustCompile(`(?m)//failpoint:([a-z-]+)$`)
	clause = regexp.MustCompile(`(?m)^package \w+$`)
)

// Build compiles the package at pkg ("./cmd/kabar") into the file out. tags are further arguments of go build.
func (s Source) Build(ctx context.Context, pkg, out string, tags ...string) error {
	dir, err := os.MkdirTemp("", "kabar-overlay-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // of no use to anybody
	overlay, err := s.Overlay(dir)
	if err != nil {
		return err
	}
	args := append([]string{"build", "-overlay", overlay, "-o", out}, tags...)
	cmd := exec.CommandContext(ctx, "go", append(args, pkg)...)
	cmd.Dir = s.Root
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s with failpoints: %w\n%s", pkg, err, text)
	}
	return nil
}

// Overlay writes the changed files to a folder and returns the file that go build -overlay takes.
func (s Source) Overlay(dir string) (string, error) {
	changed := map[string]string{} // path from the root to text
	for _, e := range s.Edits {
		if err := s.apply(e, changed); err != nil {
			return "", err
		}
	}
	if err := s.moments(changed); err != nil {
		return "", err
	}
	replace := map[string]string{}
	put := func(name, text string) error {
		to := filepath.Join(dir, fmt.Sprintf("%d_%s", len(replace), filepath.Base(name)))
		replace[filepath.Join(s.Root, name)] = to
		return os.WriteFile(to, []byte(text), 0o600)
	}
	for name, text := range changed {
		if strings.Contains(text, "_torture.") {
			at := clause.FindStringIndex(text)
			if at == nil {
				return "", fmt.Errorf("%s has no package clause", name)
			}
			text = text[:at[1]] + imported + text[at[1]:]
		}
		if err := put(name, text); err != nil {
			return "", err
		}
	}
	for name, text := range s.Added {
		if err := put(name, text); err != nil {
			return "", err
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, text, 0o600)
}

// moments turns every comment that names a moment into a call.
func (s Source) moments(changed map[string]string) error {
	return s.walk(func(name, text string) error {
		if edited, ok := changed[name]; ok {
			text = edited
		}
		if moment.MatchString(text) {
			changed[name] = moment.ReplaceAllString(text, `_torture.Hit("$1")`)
		}
		return nil
	})
}

// Points returns the names of all moments in the source, with the file each stands in.
func (s Source) Points() (map[string]string, error) {
	points := map[string]string{}
	err := s.walk(func(name, text string) error {
		for _, m := range moment.FindAllStringSubmatch(text, -1) {
			if points[m[1]] != "" {
				return fmt.Errorf("the failpoint %s stands in %s and in %s: a name is for one moment", m[1], points[m[1]], name)
			}
			points[m[1]] = name
		}
		return nil
	})
	return points, err
}

// walk reads the product's source files: neither tests nor the harness itself.
func (s Source) walk(visit func(name, text string) error) error {
	for _, top := range []string{"cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join(s.Root, top), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "torture" || d.Name() == "testdata"):
				return fs.SkipDir
			case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(s.Root, path)
			if err != nil {
				return err
			}
			return visit(name, string(text))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s Source) apply(e Edit, changed map[string]string) error {
	text, ok := changed[e.File]
	if !ok {
		b, err := os.ReadFile(filepath.Join(s.Root, e.File))
		if err != nil {
			return err
		}
		text = string(b)
	}
	if n := strings.Count(text, e.Old); n != 1 {
		return fmt.Errorf("%s: the text of an edit stands there %d times, not once:\n%s", e.File, n, e.Old)
	}
	changed[e.File] = strings.Replace(text, e.Old, e.New, 1)
	return nil
}

// Root returns the root of the module that the working directory is in.
func Root() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("run this inside Kabar's source: the harness builds the product from it")
		}
		dir = up
	}
	return "", err
}
