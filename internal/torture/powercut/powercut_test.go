//go:build unix

package main

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"kabar/internal/torture/instrument"
)

// powercut builds the program with the edits, and runs it.
func powercut(t *testing.T, edits []instrument.Edit, args ...string) (out string, err error) {
	t.Helper()
	root, err := instrument.Root()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "powercut")
	source := instrument.Source{Root: root, Edits: edits}
	if err := source.Build(t.Context(), "./internal/torture/powercut", program); err != nil {
		t.Fatal(err)
	}
	b, err := exec.CommandContext(t.Context(), program, append(args, "--dir", t.TempDir())...).CombinedOutput()
	return string(b), err
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

func TestNothingIsLost(t *testing.T) {
	out, err := powercut(t, instrument.OnDisk(), "--rounds", "20", "--seed", "1")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !regexp.MustCompile(`^power: 20 rounds, \d{3,} acknowledged, 0 lost, 0 corrupt, seed 1, `).MatchString(lastLine(out)) {
		t.Errorf("the summary is %q", lastLine(out))
	}
	t.Log(lastLine(out))
}

// TestTheCutsBite: what does not sync loses something in a few rounds, and says how to see it again.
func TestTheCutsBite(t *testing.T) {
	type control struct {
		edits []instrument.Edit
		args  []string
	}
	all := map[string]control{
		"a disk that lies": {nil, []string{"--lying"}},
		"M1, synchronous=NORMAL": {[]instrument.Edit{{File: "internal/sqlite/sqlite.go", Old: "synchronous(FULL)", New: "synchronous(NORMAL)"}},
			nil},
		"M17, the media folder is not synced": {[]instrument.Edit{{File: "internal/media/put.go",
			Old: "if err := syncFolder(s.root.Open(\".\")); err != nil {", New: "if err := error(nil); err != nil {"}}, nil},
	}
	for name, c := range all {
		if testing.Short() && len(c.args) == 0 { // each needs a build of its own: the race run is content with the disk that lies
			continue
		}
		t.Run(name, func(t *testing.T) {
			out, err := powercut(t, append(instrument.OnDisk(), c.edits...), append(c.args, "--rounds", "6", "--seed", "1")...)
			if err == nil || !strings.Contains(out, "promises were broken") || strings.Contains(out, " 0 lost, 0 corrupt,") {
				t.Errorf("it survives: %v\n%s", err, out)
			}
			if !strings.Contains(out, "again: go run ./internal/torture power --seed ") {
				t.Errorf("nothing says how to repeat it:\n%s", out)
			}
		})
	}
}

// TestWithoutTheOverlay: a build whose media folder is on the real disk would prove less than it says.
func TestWithoutTheOverlay(t *testing.T) {
	if err := overlaid(filepath.Join(t.TempDir(), "probe")); err == nil || !strings.Contains(err.Error(), "built without the overlay") {
		t.Error(err)
	}
}
